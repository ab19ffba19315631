"""What a model has read already: kept over the turns of a conversation, found again by its own tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """A row that was read: by which adapter ("": the base), its ids, and one key-value tensor or more, `size` bytes."""

    adapter: str
    ids: tuple[int, ...]
    past: Any
    size: int


class Kept:
    """Rows that were read, the latest last, at most `room` bytes of them; older ones make way.

    The tokens themselves are the key: who asks need not say which conversation goes on, and a changed turn or another
    system text is noticed by the first token that differs.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.entries: list[Entry] = []

    def find(self, adapter: str, ids: Sequence[int]) -> tuple[Any, int]:
        """What was read of the longest common beginning, and its length in tokens; (None, 0) where nothing was.

        At least one token of `ids` is left over: the scores after the last one are not kept.
        """
        best: Entry | None = None
        longest = 0
        for each in self.entries:
            if each.adapter == adapter and (length := common(each.ids, ids[:-1])) > longest:
                best, longest = each, length
        return (best.past, longest) if best else (None, 0)

    def keep(self, entry: Entry) -> None:
        """Keep a row in the place of those that are its own beginning."""
        replaced = [each for each in self.entries if self.continued(each, entry)]
        self.entries = [each for each in self.entries if each not in replaced]
        self.entries.append(entry)
        while self.entries and sum(each.size for each in self.entries) > self.room:
            self.entries.pop(0)

    def continued(self, earlier: Entry, entry: Entry) -> bool:
        return earlier.adapter == entry.adapter and entry.ids[: len(earlier.ids)] == earlier.ids

    def forget(self, adapter: str) -> None:
        self.entries = [each for each in self.entries if each.adapter != adapter]


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two rows have in common from their start."""
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))
