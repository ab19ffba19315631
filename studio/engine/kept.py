"""What a model has read already: kept over the turns of a conversation, found again by its own tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Entry:
    """A row that was read: by which adapter ("": the base), its ids, and one key-value tensor or more, `size` bytes.

    `asked`: how many of the ids were its prompt; `begun`: how many of these had been read before.
    """

    adapter: str
    ids: tuple[int, ...]
    past: Any
    size: int
    begun: int
    asked: int

    def useful(self, ids: Sequence[int]) -> int:
        """How many tokens of `ids` need not be read again, at most all but one: the scores after the last are not kept.

        The same question asked again is read as it was the first time. In 16 bits a token that is read alone may come out
        a trifle different from one read among others, and a question shall be answered the same each time.
        """
        if tuple(ids) == self.ids[: self.asked]:
            return self.begun
        return common(self.ids, ids[:-1])


class Kept:
    """Rows that were read, the latest last, at most `room` bytes of them; older ones make way.

    The tokens themselves are the key: who asks need not say which conversation goes on, and a changed turn or another
    system text is noticed by the first token that differs.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.entries: list[Entry] = []

    def find(self, adapter: str, ids: Sequence[int]) -> tuple[Any, int]:
        """What was read of the longest common beginning, and how many tokens of it are of use; (None, 0) where none are."""
        own = [each for each in self.entries if each.adapter == adapter]
        length, at = max(((each.useful(ids), at) for at, each in enumerate(own)), default=(0, 0))
        return (own[at].past, length) if length else (None, 0)

    def keep(self, entry: Entry) -> None:
        """Keep a row in the place of those that are its own beginning."""
        self.entries = [each for each in self.entries if not continued(each, entry)]
        self.entries.append(entry)
        while self.entries and sum(each.size for each in self.entries) > self.room:
            self.entries.pop(0)

    def forget(self, adapter: str) -> None:
        self.entries = [each for each in self.entries if each.adapter != adapter]


def continued(earlier: Entry, entry: Entry) -> bool:
    return earlier.adapter == entry.adapter and entry.ids[: len(earlier.ids)] == earlier.ids


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two rows have in common from their start."""
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))
