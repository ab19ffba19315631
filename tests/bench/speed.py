"""The whole table of speed in one command: start, page, answers and training beside their peers, with the goal of each.

It takes about an hour on two cores. The settings of the four benchmarks hold here too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.train import TITLES

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Goal:
    """What the ratio of one benchmark's row should be: at least `goal`, or at most, where less is better."""

    bench: str
    what: str
    goal: float
    at_most: bool = False

    def met(self, ratio: float) -> bool:
        return ratio <= self.goal if self.at_most else ratio >= self.goal


GOALS = (
    Goal("train", f"tokens/s against {TITLES['trl']}", 8),
    Goal("train", f"tokens/s against {TITLES['trl-packed']}", 4.5),
    Goal("train", f"tokens/s against {TITLES['trl-grouped']}", 4.5),
    Goal("train", f"tokens/s against {TITLES['transformers']}", 5.5),
    Goal("train", f"tokens/s against {TITLES['llamafactory']}", 5.5),
    Goal("train", f"tokens/s against {TITLES['four-bit']}", 5),
    Goal("train", f"peak MB against {TITLES['trl']}", 0.33, at_most=True),
    Goal("train", f"tokens/s against {TITLES['trl-neutral']}", 4),
    Goal("train", "fp32 gradients, relative to plain PEFT", 1e-5, at_most=True),
    Goal("answer", "two answers, fp32, wall seconds", 2.8),
    Goal("answer", "two answers, bf16, wall seconds", 4),
    Goal("answer", "two answers, neutral reader, fp32, wall seconds", 2.2),
    Goal("answer", "two answers, neutral reader, bf16, wall seconds", 2.2),
    Goal("answer", "two answers, against adapter_names, bf16, wall seconds", 2.5),
    Goal("answer", "16 questions, three arms, one at a time, bf16, wall seconds", 4),
    Goal("answer", "first token of the second answer, bf16, wall seconds", 25),
    Goal("answer", "next turn, against reading all of it, bf16, wall seconds", 6),
    Goal("start", "page served, s", 5),
    Goal("page", "key to next conversation, ms, p95", 1.5, at_most=True),
)


def run() -> dict[str, Any]:
    """{"rows": [{what, ours, peer, ratio, spread, goal, met}], "told": what each benchmark told}."""
    told = {name: alone(name) for name in ("start", "page", "answer", "train")}
    found = {(name, row["what"]): row for name, each in told.items() for row in each["rows"]}
    rows = [
        {**found[goal.bench, goal.what], "goal": goal.goal, "met": goal.met(found[goal.bench, goal.what]["ratio"])}
        for goal in GOALS
        if (goal.bench, goal.what) in found
    ]  # fmt: skip
    return {"rows": rows, "told": told}


def alone(name: str) -> dict[str, Any]:
    """One benchmark in a process of its own: a child begins with the peak memory of the process that starts it."""
    command = [sys.executable, "-m", "studio", "bench", name, "--json"]
    told: dict[str, Any] = json.loads(subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, check=True).stdout)  # fmt: skip
    return told
