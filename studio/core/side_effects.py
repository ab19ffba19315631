"""What a run costs: general knowledge, answers that loop, copy or refuse, their length. The rules are in `verdict`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from typing import Literal

from studio.core import shares
from studio.core.estimate import Estimate
from studio.core.evidence import Deed, Evidence, lasting, moved, signed
from studio.core.gap import FEW, percent
from studio.core.recipe import neighbours

QUARTER = 0.25  # of what the base knew
SLIGHT, ENOUGH_KEPT, MUCH = 0.02, 0.05, 0.1  # of the loss on general text
OFTEN = 0.1  # of the answers
TWICE = 2.0  # as long as the experts'
KNOWN = 5  # right answers of the base from which on a quiz can show that something was lost
EVALUATE = (
    f"Run on held-out in the Prompt tab, with this run among those that answer and at least {FEW} questions."
)
MEASURE = "Press “Measure what is missing”."

Effects = Literal["none", "some", "serious", "not yet known"]
GRADES: tuple[Effects, ...] = ("serious", "some", "not yet known", "none")  # the worst first


@dataclass(frozen=True)
class Found:
    """One side effect, or that there is none: the sentence, and what to do about it."""

    grade: Effects
    said: str
    mend: str = ""


def effects(known: Evidence) -> Iterator[Found]:
    yield general(known)
    yield quizzed(known)
    yield from answered(known)
    if lasting(known.votes).high < 0.5:
        yield Found("serious", "Blind judges surely prefer the base's answers.", gentler(known))


def general(known: Evidence) -> Found:
    rise = known.general
    if rise is None:
        return Found("not yet known", "What it forgot of general text was not measured yet.", MEASURE)
    said = f"General text surprises it {moved(rise)} the base, 95 % interval {signed(rise)}"
    if rise.low >= MUCH:
        return Found("serious", f"{said}: it forgot much.", gentler(known))
    if rise.low >= SLIGHT:
        return Found("some", f"{said}: it forgot a little.", gentler(known))
    if rise.high < ENOUGH_KEPT:
        return Found("none", f"{said}: nothing forgotten there.")
    return Found("not yet known", f"{said}: it is not sure whether it forgot.", "Ask both something general above, and read the answers.")  # fmt: skip


def quizzed(known: Evidence) -> Found:
    quiz = known.quiz
    if quiz is None:
        return Found("not yet known", "It was not asked the general questions yet.", MEASURE)
    said = f"Of {quiz.asked} general questions the base answers {quiz.base} right and {known.name} answers {quiz.run}: {quiz.lost} lost, {quiz.won} won"
    if quiz.base < KNOWN:
        return Found("none", f"{said}. The base knows too few of them to show what was lost.")
    if shares.share(quiz.lost, quiz.won).low <= 0.5:
        return Found("none", f"{said}. That is not more than chance.")
    much = quiz.base - quiz.run >= QUARTER * quiz.base
    return Found("serious" if much else "some", f"{said}. It forgot some of what the base knew.", gentler(known))  # fmt: skip


def answered(known: Evidence) -> Iterator[Found]:
    if known.answers < FEW:
        yield Found("not yet known", f"Whether its answers loop, copy or refuse is known from {FEW} held-out answers on; there are {known.answers}.", EVALUATE)  # fmt: skip
    for each in known.deeds:
        yield of_deed(each, known.answers)
    if known.length:
        yield of_length(known.length, known.base_length)


def of_deed(deed: Deed, answers: int) -> Found:
    seen, usual = shares.share(deed.count, answers - deed.count), deed.usual / answers
    said = f"{deed.count} of {answers} answers {deed.says}"
    if not deed.count:
        return Found("none", f"{said}; of others it may be up to {percent(seen.high)}.")
    beside = f"{said}, and {deed.usual} of the base's or of yours"
    if seen.low > usual + OFTEN:
        return Found("serious", f"{beside}.", deed.mend)
    if seen.low > usual and seen.value >= OFTEN:
        return Found("some", f"{beside}.", deed.mend)
    return Found("none", f"{beside}.")


def of_length(length: Estimate, base: float) -> Found:
    said = (
        f"Its answers are {length.value:.1f} times as long as yours [{length.low:.1f} to {length.high:.1f}]"
    )
    farther = abs(log(max(length.value, 0.01))) > abs(log(max(base, 0.01)))
    if farther and (length.low > TWICE or length.high < 1 / TWICE):
        return Found("some", f"{said}; the base's were {base:.1f} times.", "Read some answers: is something left out, or said twice?")  # fmt: skip
    return Found("none", f"{said}.")


def gentler(known: Evidence) -> str:
    if known.mixed < 1:
        return "Mix in general examples: 1 for each of yours. If it still forgets then, train more gently."
    name, _ = neighbours(known.rate)
    other = f"with the strength “{name}”" if name else "with a lower learning rate under Advanced settings"
    return f"Train more gently: {other}, or with fewer passes."
