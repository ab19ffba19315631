"""What is kept in memory while models draft: the answers being written, and the approved examples ready to be found."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from studio.core.nearest import Nearest

LISTENED = 5.0  # seconds without a question after which nobody listens any more: the page was closed


@dataclass
class Draft:
    """One answer being written: by its own thread, which alone sets what stands below `stopped`; read by the page."""

    asked_at: float = field(default_factory=time.monotonic)
    stopped: bool = False
    text: str = ""
    waiting: bool = False  # for another answer to end
    done: bool = False
    ended: str = ""  # a sentence where it did not end by itself
    examples: tuple[tuple[str, int], ...] = ()  # id and number, nearest first
    dropped: int = 0  # examples that found no room
    failure: Exception | None = None

    def unheard(self) -> bool:
        """Whether to end: somebody said so, or nobody asks any more."""
        return self.stopped or time.monotonic() - self.asked_at > LISTENED


@dataclass(frozen=True)
class Approved:
    """A project's approved conversations that are not held out, as they were at `state`, to be chosen from."""

    state: tuple[Any, ...]
    nearest: Nearest


@dataclass(frozen=True)
class Learned:
    """A project's learned side as it was at `state`, to choose examples from, and who is held out."""

    state: tuple[Any, ...]
    ids: frozenset[str]
    held_out: frozenset[str]
    nearest: Nearest


@dataclass
class Drafts:
    """`going` by a random name that only the asking page knows; `approved` and `learned` by project."""

    going: dict[str, Draft] = field(default_factory=dict)
    approved: dict[str, Approved] = field(default_factory=dict)
    learned: dict[str, Learned] = field(default_factory=dict)

    def add(self, name: str) -> Draft:
        """A new draft; those that nobody asks for any more are forgotten."""
        for other in [key for key, each in list(self.going.items()) if each.done and each.unheard()]:
            self.going.pop(other, None)
        return self.going.setdefault(name, Draft())
