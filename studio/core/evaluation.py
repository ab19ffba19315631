"""The noun of a run on held-out questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Evaluation:
    """Held-out questions put to several arms, as the folder tells it. `done` counts the rows there are, of `spec["rows"]`.

    `seconds_left` is None while that cannot be told. `trouble`: why it stopped, "" where a person stopped it or its process
    ended. `result` is there when all of it is done.
    """

    id: str
    folder: Path
    state: Literal["going", "stopped", "done"]
    spec: dict[str, Any]
    done: int
    seconds_left: float | None
    trouble: str
    result: dict[str, Any] | None
