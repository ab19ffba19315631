"""What an evaluation's answers say: style, traits, overlap, copies and losses of each arm, and the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from studio.core import cutting, gap, traits
from studio.core.copied import Learned
from studio.core.errors import BadInput
from studio.core.estimate import Estimate, estimate, groups, means
from studio.core.evaluation import Evaluation
from studio.engine import overlap, style
from studio.store import evaluations, runs
from studio.work import evaluation_plan, planning
from studio.work.evaluation_plan import first_answer
from studio.work.studio import Studio

NONE = Estimate(0.0, 0.0, 0.0)
ENDLESS = 2  # times as long as the expert's, and cut off there: such an answer has no end
VOID = {
    "copied": "repeat learned answers word for word",
    "echoed": "repeat the question",
    "endless": "go on without an end at twice the length of yours",
}
FEWEST_DRAWN = 2  # conversations: of one there is no interval


@dataclass(frozen=True)
class Made:
    """All that was answered and measured. `answers` by arm and conversation; `losses` are (nats, tokens) of each answer."""

    ids: tuple[str, ...]
    questions: dict[str, str]
    references: dict[str, str]
    answers: dict[str, dict[str, dict[str, Any]]]
    losses: dict[str, dict[str, list[tuple[float, int]]]]

    def texts(self, arm: str) -> list[str]:
        return [str(self.answers[arm][id]["text"]) for id in self.ids]


def made(evaluation: Evaluation) -> Made:
    """What is there of an evaluation; an arm that was not answered yet has no answers."""
    held = runs.frozen_rows(evaluation.folder, "held_out")
    answers: dict[str, dict[str, dict[str, Any]]] = {}
    for each in evaluations.rows(evaluation.folder / "answers.jsonl"):
        answers.setdefault(each["arm"], {})[each["conversation"]] = each
    losses: dict[str, dict[str, list[tuple[float, int]]]] = {}
    for each in evaluations.rows(evaluation.folder / "losses.jsonl"):
        losses.setdefault(each["arm"], {})[each["conversation"]] = each["losses"]
    return Made(
        tuple(id for id, _ in held),
        {id: messages[first_answer(messages) - 1].content for id, messages in held},
        {id: messages[first_answer(messages)].content for id, messages in held},
        answers,
        losses,
    )


def result(studio: Studio, evaluation: Evaluation) -> dict[str, Any]:
    """The result of an evaluation whose answers and losses are all there."""
    there = made(evaluation)
    judge, why_not = judged(evaluation, there)
    index = Learned.of(learned_answers(studio, evaluation))
    arms = [measured(studio, evaluation, there, arm, judge, index) for arm in evaluation.spec["arms"]]
    first = arms[0]
    known = gap.Known(
        tuple(of_gap(each) for each in arms), len(there.ids), evaluation.spec["left"], judge.auc if judge else None, why_not,
        judge is not None and judge.conversations >= evaluation_plan.LEARNED, first["closed"] is not None, surprised(there),
    )  # fmt: skip
    verdict = gap.verdict(known)
    return {
        "arms": arms,
        "sentence": verdict.sentence,
        "rule": verdict.rule,
        "evidence": list(verdict.evidence),
        "more": verdict.more,
        "questions": len(there.ids),
        "experts": first["experts"],
        "auc": asdict(judge.auc) if judge else None,
        "why_no_score": why_not or first["why_no_score"],
        "surprise": asdict(known.surprise) if known.surprise else None,
        "apart": apart(there, [each["arm"] for each in arms]),
    }


def judged(evaluation: Evaluation, there: Made) -> tuple[style.Judge | None, str]:
    """The classifier, and why it gives no score; None where there are too few answers to learn from."""
    base = there.answers.get("learned", {})
    learned = [
        style.Question(id, messages[-1].content, str(base[id]["text"]))
        for id, messages in runs.frozen_rows(evaluation.folder, "learned")
    ]
    try:
        judge = style.learn(learned)
    except BadInput as error:
        return None, str(error)
    return judge, judge.why_not


def learned_answers(studio: Studio, evaluation: Evaluation) -> list[str]:
    learned = planning.sides(studio, evaluation.spec["project"]).learned
    return [each.content for one in learned for each in one.messages if each.role == "assistant"]


def measured(
    studio: Studio,
    evaluation: Evaluation,
    there: Made,
    arm: dict[str, Any],
    judge: style.Judge | None,
    index: Learned,
) -> dict[str, Any]:
    """One arm's row: figures with their intervals, and of each conversation what the table shows."""
    name = arm["arm"]
    answers, references = there.texts(name), [there.references[id] for id in there.ids]
    repeats = [index.copied(one, other) for one, other in zip(answers, references, strict=True)]
    void = {
        "copied": np.array([each.mostly for each in repeats]),
        "echoed": np.array([echoed(there, name, id) for id in there.ids]),
        "endless": np.array([endless(there, name, id) for id in there.ids]),
    }
    score, why_not = scored(there, answers, np.any(list(void.values()), axis=0).tolist(), judge)
    near = overlap.chrf(answers, references)
    losses = [each for id in there.ids for each in there.losses[name][id]]
    words = sum(map(cutting.length, references))
    return {
        "arm": name, "title": arm["title"], "kind": arm["kind"],
        "held_out_loss": mean(losses),
        "style": {"score": score.arm.value, "low": score.arm.low, "high": score.arm.high} if score else dict.fromkeys(("score", "low", "high")),
        "length_ratio": sum(map(cutting.length, answers)) / words if words else None,
        **{did: float(each.mean()) for did, each in void.items()},
        "cut": sum(bool(there.answers[name][id]["cut"]) for id in there.ids),
        "general_loss": general(studio, evaluation, there, arm),
        "closed": asdict(score.closed) if score and score.closed else None,
        "experts": asdict(score.experts) if score else None,
        "why_no_score": why_not,
        "overlap": asdict(spread(near, there.ids)),
        "prompt_tokens": arm["tokens"],
        "traits": [each.says for each in traits.differences(references, answers) if each.clear],
        "each": [
            {"conversation": id, "style": score.each[at] if score else None, "overlap": near[at], "copied": repeats[at].share}
            for at, id in enumerate(there.ids)
        ],
    }  # fmt: skip


def echoed(there: Made, arm: str, id: str) -> bool:
    """Whether an answer says for the most part what the question says, word for word."""
    question = Learned.of([there.questions[id]])
    return question.copied(str(there.answers[arm][id]["text"]), there.references[id]).mostly


def endless(there: Made, arm: str, id: str) -> bool:
    """Whether an answer was cut off at a length at which the expert's would have been over twice; a loop, as a rule."""
    answer, experts = there.answers[arm][id], there.losses["base"][id][:1]
    return bool(answer["cut"] and experts) and int(answer["tokens"]) >= ENDLESS * experts[0][1]


def scored(
    there: Made, answers: Sequence[str], void: Sequence[bool], judge: style.Judge | None
) -> tuple[style.Score | None, str]:
    if judge is None:
        return None, ""
    base = there.texts("base")
    questions = [style.Question(id, there.references[id], base[at]) for at, id in enumerate(there.ids)]
    try:
        return judge.score(questions, answers, void), ""
    except BadInput as error:
        return None, str(error)


def spread(values: Sequence[float], ids: Sequence[str]) -> Estimate:
    mean, drawn = means(np.array(values, float)[:, None], groups(ids))
    return estimate(float(mean[0]), drawn[:, 0], len(set(ids)))


def mean(losses: Sequence[tuple[float, int]]) -> float | None:
    """Nats a token, over all tokens: as training weighs them."""
    tokens = sum(each[1] for each in losses)
    return sum(each[0] for each in losses) / tokens if tokens else None


def general(studio: Studio, evaluation: Evaluation, there: Made, arm: dict[str, Any]) -> float | None:
    """A run's loss on general text, from its card; that of the base otherwise, whose weights a prompt does not change."""
    if arm["run"]:
        card: Any = runs.load(studio.home, arm["run"]).card or {}
        points = {each["update"]: each["general_loss"] for each in card.get("points", ())}
        known = points.get(arm["point"]) if arm.get("point") else card.get("general_loss", {}).get("best")
        return float(known) if known is not None else None
    if gauge := there.losses.get("gauge"):
        return mean([each for found in gauge.values() for each in found])
    return evaluation_plan.general(studio, evaluation.spec["base"])


def surprised(there: Made) -> Estimate | None:
    """How much the experts' answers surprise the base beside its own; None where too few were drawn."""
    pairs = []
    for id in there.ids:
        experts, own = there.losses["base"][id][:1], there.losses["drawn"][id][:1]
        if mean(experts) and mean(own):
            pairs.append((mean(experts) or 0.0, mean(own) or 0.0))
    if len(pairs) < FEWEST_DRAWN:
        return None
    return gap.surprise([one for one, _ in pairs], [other for _, other in pairs])


def apart(there: Made, arms: Sequence[str]) -> list[float]:
    """How differently the arms answered each question: 100 less the mean chrF of every two; of one arm, from the expert."""
    sides = [there.texts(each) for each in arms] + (
        [[there.references[id] for id in there.ids]] if len(arms) < 2 else []
    )
    pairs = [overlap.chrf(one, other) for one, other in combinations(sides, 2)]
    return [100 - sum(each) / len(each) for each in zip(*pairs, strict=True)]


def of_gap(arm: dict[str, Any]) -> gap.Measured:
    kind = arm["kind"]
    closed = Estimate(**arm["closed"]) if arm["closed"] and kind != "base" else NONE
    void = tuple((says, arm[did]) for did, says in VOID.items())
    return gap.Measured(arm["title"], kind, closed, void, arm["prompt_tokens"])


# --- for reading


@dataclass(frozen=True)
class Answered:
    """An arm's answer to one question; `style` is None without a score, `overlap` from 0 to 100."""

    title: str
    text: str
    style: float | None
    overlap: float
    cut: bool


@dataclass(frozen=True)
class Compared:
    """One held-out question with the expert's answer and every arm's; `apart`: how differently the arms answered, to 100."""

    number: int
    question: str
    reference: str
    answers: tuple[Answered, ...]
    apart: float


def compared(evaluation: Evaluation, order: str = "") -> list[Compared]:
    """Every question of an evaluation that has a result: "apart", the most different answers first; "unlike", those least
    like the experts' first; else by number."""
    there, told = made(evaluation), evaluation.result or {}
    found = [
        Compared(
            evaluation.spec["numbers"][id], there.questions[id], there.references[id],
            tuple(answered(there.answers[arm["arm"]][id], arm, at) for arm in told["arms"]), told["apart"][at],
        )
        for at, id in enumerate(there.ids)
    ]  # fmt: skip
    if order == "apart":
        return sorted(found, key=lambda each: -each.apart)
    if order == "unlike":
        return sorted(found, key=lambda each: min(likeness(one) for one in each.answers))
    return sorted(found, key=lambda each: each.number)


def answered(answer: dict[str, Any], arm: dict[str, Any], at: int) -> Answered:
    measured = arm["each"][at]
    return Answered(arm["title"], answer["text"], measured["style"], measured["overlap"], answer["cut"])


def likeness(each: Answered) -> float:
    """How much an answer is like the expert's: by its style, or by its overlap where there is no score."""
    return each.overlap / 100 if each.style is None else each.style
