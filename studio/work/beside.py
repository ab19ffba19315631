"""Answers that grow at the same time: the batch of this machine in one thread, each model elsewhere in another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from studio.core.records import Answer

BLANK = Answer("", 0, 0.0, False, "")
LOOK = 0.2  # seconds without news after which the same is yielded again: only between two yields can a page stop it
Rows = tuple[Answer, ...]
Stopping = Callable[[], bool]
Source = Callable[
    [Callable[[Rows], None], Stopping], None
]  # tells its rows as they grow, until it is to stop


def grown(count: int, sources: Sequence[tuple[Sequence[int], Source]], stopping: Stopping) -> Iterator[Rows]:
    """Yield `count` rows as they grow; each source comes with the places of its own. All end when nobody listens any more.

    Raises what a source raised, once it did.
    """
    rows = [BLANK] * count
    news, closed = threading.Event(), threading.Event()
    over: list[Exception | None] = []

    def work(places: Sequence[int], source: Source) -> None:
        def tell(told: Rows) -> None:
            for place, row in zip(places, told, strict=True):
                rows[place] = row
            news.set()

        failed = None
        try:
            source(tell, lambda: closed.is_set() or stopping())
        except Exception as error:
            failed = error
        over.append(failed)
        news.set()

    for each in sources:
        threading.Thread(target=work, args=each, daemon=True, name="answering").start()
    try:
        while len(over) < len(sources):
            news.wait(LOOK)
            news.clear()
            if failed := next(filter(None, over), None):
                raise failed
            yield tuple(rows)
        yield tuple(rows)  # what was told last may have come after that
    finally:
        closed.set()
