"""What the parts of a run took, read off its events, and what another run will take that is made of the same parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from studio.core.course import clock, lasting
from studio.core.recipe import Recipe
from studio.core.records import Run

PARTS = ("planned", "resumed", "stepped", "evaluated", "saved", "sampled", "discarded")
CHECKS = 2  # at the end the held-out conversations are read again, with the adapter from the disk and without


@dataclass(frozen=True)
class Work:
    """What a run does: `tokens` of a mean update, of its longest row, and of the held-out conversations; `evaluations`
    with the one before the first update."""

    updates: int
    evaluations: int
    tokens: float
    row: int
    held_out: int


@dataclass(frozen=True)
class Cost:
    """What a run took, in seconds: to be loaded and fitted, for a token of an update and for one of an evaluation, and for
    what an evaluation does besides: the answers to the watch-prompts, and saving. Memory in bytes, rows in tokens."""

    precision: str
    start: float
    token: float
    measured_token: float
    besides: float
    gauge: int  # tokens that each evaluation measures forgetting on
    length: float  # tokens of a mean conversation
    row: int
    row_limit: int
    token_bytes: int
    least: int  # memory before the first update
    most: int
    needed: int  # memory that a step was reckoned to need; 0 where that is not known

    def seconds(self, work: Work) -> float:
        evaluation = self.measured_token * (work.held_out + self.gauge) + self.besides
        end = CHECKS * self.measured_token * work.held_out
        return self.start + self.token * work.tokens * work.updates + evaluation * work.evaluations + end

    def memory(self, work: Work) -> int:
        """What a run holds grows with its longest row, from what it held before its first update.

        What a few updates held is mostly too little, for they have not met the worst; what was reckoned for the worst is
        mostly too much. Where that is more, it will be between the two.
        """
        held = (self.most + max(self.most, self.needed)) // 2
        return max(self.least, held + self.token_bytes * (work.row - self.row))


def cost(run: Run) -> Cost | None:
    """None where the run had no update and evaluation, or is of an older studio that did not tell enough."""
    events = lasting(run.events)
    of = {
        kind: [each for each in events if each["kind"] == kind]
        for kind in ("loading", "planned", "evaluated")
    }
    steps = [each for each in events if each["kind"] == "stepped"]
    if not (steps and of["loading"] and of["evaluated"] and of["planned"][-1].get("row")):
        return None
    loading, planned, evaluations = of["loading"][-1], of["planned"][-1], len(of["evaluated"])
    usual = steps[1:] or steps  # the first one warms up
    tokens = sum(int(each["tokens"]) for each in usual)
    measuring, besides = seconds_of_evaluations(events)
    card: dict[str, Any] = run.card or {}
    return Cost(
        precision=loading["precision"],
        start=clock(planned) - clock(loading),
        token=sum(float(each["seconds"]) for each in usual) / tokens,
        measured_token=measuring / evaluations / (planned["held_out_tokens"] + planned["gauge_tokens"]),
        besides=besides / evaluations,
        gauge=planned["gauge_tokens"],
        length=tokens / len(usual) / batch(run),
        row=planned["row"],
        row_limit=planned["row_limit"],
        token_bytes=planned["token_bytes"],
        least=planned["memory_mb"] * 2**20,
        most=max(card.get("peak_memory_mb", 0), *(each["memory_mb"] for each in steps)) * 2**20,
        # A run that has come to its end has met the worst, and is to be believed.
        needed=0 if card else planned.get("needed_mb", 0) * 2**20,
    )


def batch(run: Run) -> int:
    recipe: Any = run.spec["recipe"]
    return int(recipe["batch"])


def seconds_of_evaluations(events: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Seconds of all evaluations: of measuring the losses, and of all else between the updates."""
    measuring = besides = 0.0
    parts = [each for each in events if each["kind"] in (*PARTS, "loading")]
    for before, each in pairwise(parts):
        took = clock(each) - clock(before)
        if each["kind"] in ("evaluated", "saved"):
            measuring += took
        elif each["kind"] in ("sampled", "discarded"):
            besides += took
        elif each["kind"] == "stepped":  # what was saved since the last event, and the update
            besides += max(0.0, took - float(each["seconds"]))
    return measuring, besides


def evaluations(recipe: Recipe, updates: int) -> int:
    """How often a run is measured, with the time before its first update."""
    every = math.ceil(updates / recipe.evaluations)
    return math.ceil(updates / every) + 1
