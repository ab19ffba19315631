"""The score card of a run: all that was measured of it, from the votes, the newest evaluation, its card, and the quiz."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from studio.core import cutting, judging, traits
from studio.core.copied import Copied, Learned
from studio.core.errors import NotFound
from studio.core.estimate import Estimate, estimate, means
from studio.core.evaluation import Evaluation
from studio.core.evidence import Deed, Evidence, Quiz
from studio.core.growth import Stand, growth
from studio.core.judging import Round, Tally
from studio.core.quiz import Question, refuses, scored
from studio.core.records import Message, Person, Run, Sampling
from studio.core.side_effects import gentler
from studio.core.verdict import Verdict, verdict
from studio.engine.api import Ask, Said
from studio.store import evaluations, runs
from studio.store.files import write_lines
from studio.store.home import assets
from studio.work import comparing, measuring, run_data
from studio.work.evaluating import AT_ONCE
from studio.work.judging import all_of, still_covered
from studio.work.studio import Studio

QUIZ, GAUGE = "general_quiz.jsonl", "general_gauge.jsonl"
SHORT = Sampling(max_tokens=64)  # greedy
KEPT = "quiz.json"

Pair = tuple[float, float]  # losses of the base and the run, in nats a token


@dataclass(frozen=True)
class ScoreCard:
    """`arms`: the measured rows of the base and the run, with those of `experts` beside them; empty before an evaluation.

    `held_out` and `general`: both arms' losses. `copied`: the most that one of its answers copied. `missed`: quiz questions
    that only the base got right, with both answers.
    """

    run: Run
    evidence: Evidence
    verdict: Verdict
    arms: tuple[dict[str, Any], ...]
    experts: dict[str, float] | None
    copied: Copied | None
    growth: tuple[Stand, ...]
    missed: tuple[tuple[str, str, str], ...]
    held_out: Pair | None
    general: Pair | None


def score_card(studio: Studio, person: Person, project_id: str, run_id: str) -> ScoreCard:
    """What a person may read of a run. Raises NotFound for one that the project does not have, or that has no adapter."""
    run = chosen(studio, project_id, run_id)
    arm = f"run:{run_id}"
    rounds = told_to(studio, person, run)
    votes = next(iter(judging.tallies(rounds)), Tally("base", arm))
    kept = measured(run)
    spec: dict[str, Any] = run.spec
    known = Evidence(
        f"run {run_id}", votes, held_out=held_out(run), general=general(kept), quiz=quiz(kept),
        mixed=float(spec["recipe"]["general"]), learned=int(spec["data"]["train"]["rows"]),
        rate=float(spec["recipe"]["learning_rate"]),
    )  # fmt: skip
    found = newest(studio, run)
    arms, experts, copied = (), None, None
    if found:
        told: dict[str, Any] = found.result or {}
        arms = tuple(each for each in told["arms"] if each["arm"] in ("base", arm))
        known, copied = answered(known, found, run)
        experts = told["experts"]
    return ScoreCard(
        run,
        known,
        verdict(known),
        arms,
        experts,
        copied,
        tuple(growth(rounds)),
        tuple(missed(kept)),
        pair(run, "held_out_loss"),
        general_losses(kept) or pair(run, "general_loss"),
    )


def chosen(studio: Studio, project_id: str, run_id: str) -> Run:
    found = next((each for each in comparing.tuned(studio, project_id) if each.id == run_id), None)
    if found is None:
        raise NotFound(f"This project has no run {run_id} with an adapter. Choose one from the list.")
    return found


def told_to(studio: Studio, person: Person, run: Run) -> list[Round]:
    """The rounds between the base and a run; without the vote of this person that can still be taken back, for the card
    would tell them whose answer was whose."""
    rounds = [
        each
        for each in all_of(studio, str(run.spec["project"]))
        if each.pair == ("base", f"run:{run.id}") and each.base == run.spec["base"]
    ]
    covered = still_covered([each for each in rounds if each.judge == person.name])
    return [each for each in rounds if each not in covered]


def newest(studio: Studio, run: Run) -> Evaluation | None:
    """The newest finished evaluation on the run's base that has it as an arm by itself."""

    def of_run(each: Evaluation) -> bool:
        arms = {arm["arm"] for arm in each.spec["arms"]}
        return each.result is not None and each.spec["base"] == run.spec["base"] and f"run:{run.id}" in arms

    return next(filter(of_run, evaluations.newest_first(studio.home)), None)


def held_out(run: Run) -> Estimate | None:
    """The change of the held-out loss; None for runs from before its interval was kept."""
    card: dict[str, Any] = run.card or {}
    loss, interval = card["held_out_loss"], card.get("held_out_change")
    return Estimate(loss["best"] / loss["before"] - 1, *interval) if interval else None


def pair(run: Run, name: str) -> Pair | None:
    card: dict[str, Any] = run.card or {}
    loss = card.get(name, {})
    before, best = loss.get("before"), loss.get("best")
    return (before, best) if before and best else None


# --- of an evaluation's answers


def answered(known: Evidence, found: Evaluation, run: Run) -> tuple[Evidence, Copied]:
    """The evidence with what the answers of an evaluation show; and the most that one of them copied."""
    there, told, arm = measuring.made(found), found.result or {}, f"run:{run.id}"
    row = next(each for each in told["arms"] if each["arm"] == arm)
    base, own, experts = (
        there.texts("base"),
        there.texts(arm),
        [there.references[id] for id in there.ids],
    )
    learned = runs.frozen(run.folder, "train")
    index = Learned.of([each.content for talk in learned for each in talk if each.role == "assistant"])
    copies = [index.copied(one, other) for one, other in zip(own, experts, strict=True)]
    closed = Estimate(**row["closed"]) if row["closed"] else None
    lengths = [np.array([cutting.length(each) for each in side], float) for side in (own, experts, base)]
    mean, drawn = means(np.stack(lengths, axis=1), np.arange(len(own)))
    length = (
        estimate(mean[0] / mean[1], drawn[:, 0] / np.maximum(drawn[:, 1], 1e-9), len(own))
        if mean[1]
        else None
    )
    with_answers = replace(
        known, answers=len(own), closed=closed, why_not=row["why_no_score"] or str(told["why_no_score"] or ""),
        deeds=tuple(deeds(known, own, base, experts, copies)), length=length, base_length=float(mean[2] / mean[1]) if mean[1] else 1.0,
    )  # fmt: skip
    return with_answers, max(copies, key=lambda each: (each.longest, each.share))


def deeds(
    known: Evidence, own: Sequence[str], base: Sequence[str], experts: Sequence[str], copies: Sequence[Copied]
) -> list[Deed]:
    """What none of the answers should do, counted on all sides."""

    def usual(does: Callable[[str], bool]) -> int:
        return max(sum(map(does, base)), sum(map(does, experts)))

    return [
        Deed("go round in circles", sum(map(circles, own)), usual(circles), gentler(known)),
        Deed("repeat learned answers for the most part", sum(each.mostly for each in copies), 0, "Train with fewer passes, or write more different examples."),
        Deed("refuse", sum(map(refuses, own)), usual(refuses), "Look for refusals among your examples in the Write tab."),
    ]  # fmt: skip


def circles(answer: str) -> bool:
    return traits.circling(cutting.WORD.findall(answer))


# --- what is measured on demand


def measure(studio: Studio, project_id: str, run_id: str) -> None:
    """Ask base and run the quiz, and measure both on general text; kept in the run's folder. What is there is not done again.

    Raises NotFound, and as `engine.answer_all` does.
    """
    run = chosen(studio, project_id, run_id)
    if measured(run):
        return
    base, adapter = str(run.spec["base"]), studio.home.adapter(run.id)
    texts = {weights: quizzed(studio, base, weights) for weights in (None, adapter)}
    gauge = run_data.asset(GAUGE)
    said = [Said(tuple(messages), weights) for weights in (None, adapter) for _, messages in gauge]
    losses = dict(studio.engine.losses(base, said, lambda: False))
    nats = [sum(each.nats for each in losses[place]) for place in range(len(said))]
    tokens = [sum(each.tokens for each in losses[place]) for place in range(len(gauge))]
    kept = {
        "of": key(run), "base": texts[None], "run": texts[adapter],
        "general": list(zip(nats[: len(gauge)], nats[len(gauge) :], tokens, strict=True)),
    }  # fmt: skip
    write_lines(run.folder / KEPT, [json.dumps(kept, ensure_ascii=False).encode()])


def quizzed(studio: Studio, base: str, weights: Path | None) -> list[str]:
    """The answers of one side alone: in 16 bits the base's would be others beside every run, by the rounding of another batch."""
    asks = [Ask((Message("user", each.text),), weights, SHORT) for each in questions()]
    answers = dict(studio.engine.answer_all(base, asks, AT_ONCE, lambda: False))
    return [answers[place].text for place in range(len(asks))]


def measured(run: Run) -> dict[str, Any]:
    """What `measure` has kept of the adapter and the questions as they are now; {} for nothing."""
    kept = runs.read_json(run.folder / KEPT) or {}
    return kept if kept.get("of") == key(run) else {}


def key(run: Run) -> str:
    """All that the measurements depend on."""
    parts = [(assets() / name).read_bytes() for name in (QUIZ, GAUGE)]
    weights = str((run.card or {}).get("adapter_sha256", "")).encode()
    return sha256(b"\0".join([*parts, weights])).hexdigest()


def questions() -> list[Question]:
    with (assets() / QUIZ).open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Question(row["question"], tuple(row["expected"])) for row in rows]


def quiz(kept: dict[str, Any]) -> Quiz | None:
    return scored(questions(), kept["base"], kept["run"]) if kept else None


def missed(kept: dict[str, Any]) -> list[tuple[str, str, str]]:
    if not kept:
        return []
    both = zip(questions(), kept["base"], kept["run"], strict=True)
    return [(each.text, one, two) for each, one, two in both if each.right(one) and not each.right(two)]


def general(kept: dict[str, Any]) -> Estimate | None:
    """The change of the loss on general text, in nats a token, with its interval over the texts."""
    if not kept:
        return None
    nats = np.array(kept["general"], float)
    mean, drawn = means(nats, np.arange(len(nats)))
    return estimate(mean[1] / mean[0] - 1, drawn[:, 1] / drawn[:, 0] - 1, len(nats))


def general_losses(kept: dict[str, Any]) -> Pair | None:
    if not kept:
        return None
    base, run, tokens = (sum(each) for each in zip(*kept["general"], strict=True))
    return base / tokens, run / tokens
