"""One held-out question of an evaluation with what two arms answered then: what Compare shows when it is opened from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.core.errors import NotFound
from studio.core.evaluation import Evaluation
from studio.core.prompt import system_text
from studio.core.records import Arm, Message
from studio.store import evaluations, runs
from studio.work import evaluating, prompts, writing
from studio.work.evaluation_plan import first_answer
from studio.work.studio import Studio


@dataclass(frozen=True)
class Side:
    """`model` as `comparing.arm` names it; `prompt` as "name@version" where the words are kept, "" where not. `answer` is the
    kept row: text, tokens, seconds, cut; `examples`: whether some stood before the question."""

    title: str
    model: str
    prompt: str
    system: str
    examples: bool
    answer: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """`earlier`: the turns before the question, as (question, answer). `other_base`: the base then, where it is another now."""

    number: int
    question: str
    reference: str
    earlier: tuple[tuple[str, str], ...]
    sides: tuple[Side, Side]
    other_base: str


def read(studio: Studio, project_id: str, evaluation_id: str, number: int, place: int) -> Asked:
    """The base's answer to conversation `number`, and that of the arm at `place` of an evaluation. Raises NotFound, BadInput."""
    found = evaluating.read(studio, project_id, evaluation_id)
    ids = [id for id, each in found.spec["numbers"].items() if each == number]
    if not ids or not 0 <= place < len(found.spec["arms"]):
        raise NotFound("This question was not asked then. Load the page again.")
    whole = dict(runs.frozen_rows(found.folder, "held_out"))[ids[0]]
    at = first_answer(whole)
    before = [each for each in whole[:at] if each.role != "system"]
    base = found.spec["base"]
    return Asked(
        number, before[-1].content, whole[at].content, pairs(before[:-1]),
        (side(studio, found, ids[0], 0), side(studio, found, ids[0], place)),
        base if base != writing.by_id(studio, project_id).base else "",
    )  # fmt: skip


def pairs(turns: Sequence[Message]) -> tuple[tuple[str, str], ...]:
    questions = [each.content for each in turns if each.role == "user"]
    answers = [each.content for each in turns if each.role == "assistant"]
    return tuple(zip(questions, answers, strict=False))


def side(studio: Studio, evaluation: Evaluation, id: str, place: int) -> Side:
    arm = evaluation.spec["arms"][place]
    asked = dict(runs.frozen_rows(evaluation.folder, arm["file"]))[id]
    answers = evaluations.rows(evaluation.folder / "answers.jsonl")
    answer = next((each for each in answers if (each["arm"], each["conversation"]) == (arm["arm"], id)), None)
    if answer is None:
        raise NotFound("This question was not answered yet. Let the evaluation go on.")
    return Side(
        arm["title"], Arm(arm["run"], point=arm.get("point")).name,
        kept_as(studio, evaluation.spec["project"], arm["words"]) if arm["kind"] == "prompt" else "",
        system_text(asked),
        arm["words"]["shots"] + len(arm["words"]["pinned"]) > 0, answer,
    )  # fmt: skip


def kept_as(studio: Studio, project_id: str, words: dict[str, Any]) -> str:
    """The kept version that says just this, the newest first; "" where these words are not kept."""
    for prompt in prompts.all_of(studio, project_id):
        for each in prompts.versions(studio, project_id, prompt.id):
            if {"system": each.system, "shots": each.shots, "pinned": list(each.pinned)} == words:
                return f"{each.name}@{each.version}"
    return ""
