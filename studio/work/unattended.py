"""What is kept in memory of answers that nobody watches: whose turn it is, what is being prepared, who is prepared for."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from studio.core.judging import Judging


@dataclass
class Preparation:
    """Questions being answered before anybody judges them. Its own thread alone sets what stands below `stopped`."""

    project: str
    judge: str
    wanted: Judging
    total: int  # questions
    at: str  # when it was begun, ISO 8601, UTC
    stopped: bool = False
    done: int = 0
    over: bool = False
    trouble: str = ""


@dataclass
class Unattended:
    """`turn` is held while a list is answered: two lists that made room for each other token by token would never end.
    `judges`: by project and name, held while a round is made for one.
    """

    turn: Lock = field(default_factory=Lock)
    starting: Lock = field(default_factory=Lock)
    preparation: Preparation | None = None
    judges: dict[tuple[str, str], Lock] = field(default_factory=dict)

    def making(self, project_id: str, judge: str) -> Lock:
        return self.judges.setdefault((project_id, judge), Lock())
