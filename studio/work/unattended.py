"""What is kept in memory of long lists that are answered unattended: whose turn it is, and what is being prepared."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Preparation:
    """Rounds being answered before anybody judges them. Its own thread alone sets what stands below `stopped`."""

    project: str
    judge: str
    wanted: object  # what is judged: `judging.Judging`
    total: int  # rounds
    stopped: bool = False
    done: int = 0
    over: bool = False
    trouble: str = ""


@dataclass
class Unattended:
    """`turn` is held while a list is answered: two lists that made room for each other token by token would never end."""

    turn: Lock = field(default_factory=Lock)
    starting: Lock = field(default_factory=Lock)
    preparation: Preparation | None = None
