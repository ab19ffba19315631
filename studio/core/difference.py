"""What changed between two versions of a conversation: turn by turn, and within a turn word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from studio.core.records import Message

Kind = Literal["same", "gone", "new"]
PIECE = re.compile(r"\s+|\w+|[^\w\s]")  # white space counts: nothing that changed is hidden
MOST = 2000  # pieces of one text that are compared one by one: at worst each with each, which takes a second


@dataclass(frozen=True)
class Part:
    """A stretch of text that stayed, went or came."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Turn:
    """One turn as it stands in the earlier and in the later version; None where it does not. One of them is there."""

    before: Message | None
    after: Message | None
    parts: tuple[Part, ...]

    @property
    def role(self) -> str:
        return (self.after or self.before or Message("user", "")).role

    @property
    def kind(self) -> Literal["same", "changed", "gone", "new"]:
        if not self.after:
            return "gone"
        if not self.before:
            return "new"
        return "same" if key(self.before) == key(self.after) else "changed"

    @property
    def relearned(self) -> bool:
        """Whether it changed that the turn is learned."""
        return bool(self.before and self.after and self.before.learned != self.after.learned)


def turns(before: Sequence[Message], after: Sequence[Message]) -> list[Turn]:
    """Every turn of both versions in order. Where turns were replaced, those of one role are compared in their order."""
    matcher = SequenceMatcher(None, list(map(key, before)), list(map(key, after)), autojunk=False)
    found: list[Turn] = []
    for what, low, high, start, stop in matcher.get_opcodes():
        if what == "equal":
            pairs = zip(before[low:high], after[start:stop], strict=True)
            found += [Turn(old, new, (Part("same", new.content),)) for old, new in pairs]
        else:
            found += replaced(before[low:high], after[start:stop])
    return found


def key(message: Message) -> tuple[str, str, bool]:
    return message.role, message.content, message.learned


def replaced(before: Sequence[Message], after: Sequence[Message]) -> Iterator[Turn]:
    for old, new in zip_longest(before, after):
        if old and new and old.role == new.role:
            yield Turn(old, new, tuple(words(old.content, new.content)))
            continue
        if old:
            yield Turn(old, None, (Part("gone", old.content),))
        if new:
            yield Turn(None, new, (Part("new", new.content),))


def words(before: str, after: str) -> list[Part]:
    """The parts of two texts in reading order; those that stayed and those that went make `before`, the others `after`."""
    old, new = pieces(before), pieces(after)
    parts: list[Part] = []
    for what, low, high, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            parts.append(Part("same", "".join(old[low:high])))
            continue
        gone, come = "".join(old[low:high]), "".join(new[start:stop])
        parts += [Part(kind, text) for kind, text in (("gone", gone), ("new", come)) if text]  # type: ignore[arg-type]
    return parts


def pieces(text: str) -> list[str]:
    """Words, marks and white space; of a long text its lines; one that has too many of these is a piece as a whole."""
    for cut in (PIECE.findall(text), text.splitlines(keepends=True)):
        if len(cut) <= MOST:
            return cut
    return [text]
