"""Importing the page's libraries in two thirds of the time."""

from __future__ import annotations

import contextlib
import gc
import inspect
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def imports() -> Iterator[None]:
    """While the block imports gradio, leave out what only costs time.

    Of the million objects that come with it none is garbage, so none is looked for, now or later. And gradio writes a stub
    file for each of its components beside their source, for the editors of its own developers: a third of its import.
    """
    gc.disable()
    found, inspect.getfile = inspect.getfile, sourceless(inspect.getfile)
    try:
        yield
    finally:
        inspect.getfile = found
        gc.freeze()
        gc.enable()


def sourceless(getfile: Any) -> Any:
    """`inspect.getfile`, but a class of gradio's has no file: it writes stubs only for those that have one."""

    def wanted(what: Any) -> str:
        if str(getattr(what, "__module__", "")).startswith("gradio"):
            raise OSError("not looked for while gradio is imported")
        return str(getfile(what))

    return wanted
