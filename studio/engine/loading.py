"""How far the loading of a model is, told by the library that loads it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from typing import Any

WEIGHTS = "Loading weights"  # what transformers calls the bar of the part that takes long


@contextmanager
def told(progress: Callable[[int, int], None] | None) -> Iterator[None]:
    """While the block loads a model, call `progress(tensors loaded, tensors in all)` after each of them."""
    if progress is None:
        yield
        return
    bars = importlib.import_module("transformers.utils.logging")
    before = bars.set_tqdm_hook(counting(progress))
    try:
        yield
    finally:
        bars.set_tqdm_hook(before)


def counting(progress: Callable[[int, int], None]) -> Callable[..., Any]:
    def bar(factory: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        made = factory(*given, **named)
        counted = named.get("desc") == WEIGHTS and given and isinstance(given[0], Sized)
        return each(made, len(given[0]), progress) if counted else made

    return bar


def each(items: Any, total: int, progress: Callable[[int, int], None]) -> Iterator[Any]:
    for done, item in enumerate(items, start=1):
        yield item
        progress(done, total)
