"""What must become of a bad file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Pair = tuple[str, str]
GOOD: Pair = ("Where is it?", "On the boat.")


@dataclass(frozen=True)
class Bad:
    """A file's name, its content, and what is left of it.

    `taken` are the questions and answers that come in, in their order, to the letter. `refused` are the numbers of the rows
    that are refused, each with a part of its reason. `whole`: a part of the sentence by which the file itself is refused.
    """

    name: str
    content: bytes
    taken: tuple[Pair, ...] = ()
    refused: tuple[tuple[int, str], ...] = ()
    whole: str = ""


Corpus = Iterator[Bad]
