"""How every side of the benchmark tells what it did: a mark after each update, then one line of JSON.

Standard library only: it is imported in the environments of the peers, too.
"""

from __future__ import annotations

import json
import resource
import time
from typing import Any

RESULT = "RESULT "


class Marks:
    """Wall and processor seconds at the end of each update, and the mean loss of each."""

    def __init__(self) -> None:
        self.times: list[tuple[float, float]] = []
        self.losses: list[float] = []

    def updated(self) -> None:
        self.times.append((time.perf_counter(), time.process_time()))

    def tell(self, tokens: list[int], learned: list[int], **more: Any) -> None:
        """`tokens` and `learned`: per update. The first update warms up and is not counted."""
        wall, cpu = (self.times[-1][which] - self.times[0][which] for which in (0, 1))
        told = {
            "wall": wall,
            "cpu": cpu,
            "tokens": sum(tokens[1:]),
            "learned": sum(learned),
            "losses": self.losses,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            **more,
        }
        print(RESULT + json.dumps(told), flush=True)


def counted(rows: list[dict[str, Any]], batch: int) -> tuple[list[int], list[int]]:
    """Tokens, and learned tokens, of each update of `batch` encoded conversations."""
    updates = [rows[start : start + batch] for start in range(0, len(rows), batch)]
    return (
        [sum(len(each["input_ids"]) for each in update) for update in updates],
        [sum(label != -100 for each in update for label in each["labels"][1:]) for update in updates],
    )
