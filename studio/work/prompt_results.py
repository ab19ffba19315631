"""What held-out questions have said of a kept prompt: found by its words, whoever asked and under whichever name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from studio.core.errors import StudioError
from studio.core.estimate import Estimate
from studio.core.evaluation import Evaluation
from studio.core.records import Prompt
from studio.store import evaluations
from studio.work.studio import Studio


@dataclass(frozen=True)
class Result:
    """What one evaluation measured under a version's words. `closed`: the share of the gap, None where it is not known.

    `at`: seconds since the epoch; `base`: its title; `asked`: the ids of the questions; `overlap`: chrF, 0 to 100.
    """

    evaluation: str
    at: float
    base: str
    asked: frozenset[str]
    closed: Estimate | None
    overlap: Estimate


def of(studio: Studio, found: Sequence[Prompt]) -> dict[int, list[Result]]:
    """By the version of a prompt: what was measured under exactly its words and examples, newest first.

    A version that says again what an earlier one said shares its results.
    """
    told: dict[int, list[Result]] = {each.version: [] for each in found}
    for evaluation in evaluations.newest_first(studio.home) if found else ():
        if evaluation.result and evaluation.spec["project"] == found[0].project:
            for version, result in measured(studio, evaluation, found):
                told[version].append(result)
    return told


def measured(studio: Studio, evaluation: Evaluation, found: Sequence[Prompt]) -> Iterator[tuple[int, Result]]:
    """(version, result) for each version whose words were among an evaluation's arms."""
    spec, result = evaluation.spec, evaluation.result or {}
    for each in found:
        words = {"system": each.system, "shots": each.shots, "pinned": list(each.pinned)}
        places = [
            place
            for place, arm in enumerate(spec["arms"])
            if arm["kind"] == "prompt" and arm["words"] == words
        ]
        for place in places[:1]:
            arm = result["arms"][place]
            closed = Estimate(**arm["closed"]) if arm["closed"] else None
            yield (
                each.version,
                Result(
                    evaluation.id, spec["created_at"], title(studio, spec["base"]), frozenset(spec["numbers"]), closed,
                    Estimate(**arm["overlap"]),
                ),
            )  # fmt: skip


def title(studio: Studio, base: str) -> str:
    try:
        return studio.engine.base(base).title
    except StudioError:  # its folder is gone; what was measured on it stays true
        return base
