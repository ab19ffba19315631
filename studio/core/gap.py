"""The sentence after held-out questions: whether a prompt is enough, or training is worth trying. Fixed rules, in order.

The gap is what lies between the base's style score and that of the experts' own held-out answers; an arm closes a share
of it. Every rule asks the end of an interval that speaks against it, never the figure itself.

rule                  when
nothing to train      a classifier cannot tell the experts' answers from the base's, and the interval of its AUC ends below
                      0.7; or they surprise the base surely less than 0.8 of what its own do (10 conversations or more)
too little known      there is no classifier, or it cannot tell and its interval is wider than that
too few questions     fewer than 10 held-out conversations, or base and experts are not surely apart on them
prompt is enough      the low end of the best prompt reaches 80 %
training did more     the low end of the best run lies above the high end of the best prompt (where none was asked: above 0)
training did less     its high end lies below the low end of the best prompt
not told apart        a run was asked, and none of these; says how many questions would tell
training is worth it  no run was asked, and the high end of the best prompt lies below 80 %
near enough           no run was asked, and the prompt is so near to 80 % that more than 500 questions would be needed
not yet known         no run was asked, and fewer would do; says how many
no prompt             neither a prompt nor a run was asked

How many more: the width of an interval goes with one over the root of the number of conversations, so n of them with a
half-width h toward a mark at distance d become surely apart at n (h / d)². Of several prompts the best one speaks, which
is a little flattered by having been the best: two dozen prompts on the same questions are a game of chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

import numpy as np

from studio.core.estimate import Estimate, estimate, means
from studio.core.recipe import HELD_OUT_SHARE

ENOUGH = 0.8  # of the gap
FEW = 10  # held-out conversations below which nothing is said: intervals of so few are too narrow
MOST_MORE = 500  # questions that somebody might still ask
ALIKE = 0.7  # an AUC below which two manners are alike to a reader
UNSURPRISED = 0.8  # of the loss on the base's own answers
REPEATS = 0.1  # the share of copied answers from which on it is said

Rule = Literal[
    "nothing to train", "too little known", "too few questions", "prompt is enough", "training did more", "training did less",
    "not told apart", "training is worth it", "near enough", "not yet known", "no prompt",
]  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What an arm's answers to the held-out questions were measured to be.

    `name` as a person reads it: "the prompt “friendly”", "run 7". `closed`: the share of the gap that it closes; 0 for the base.
    `copied`: the share of answers that repeat learned ones. `tokens`: of its prompt, examples too, before each answer.
    """

    name: str
    kind: Literal["base", "prompt", "run"]
    closed: Estimate
    copied: float = 0.0
    tokens: float = 0.0


@dataclass(frozen=True)
class Known:
    """All that the sentence is made of.

    `questions`: held-out conversations that every arm answered; `left`: how many more there are. `auc`: of the classifier,
    None where there are too few answers, and `why_not` says so. `apart`: whether the experts' own answers to these questions
    are surely told from the base's. `surprise`: see below; None where it was not measured.
    """

    arms: tuple[Measured, ...]
    questions: int
    left: int
    auc: Estimate | None
    why_not: str = ""
    apart: bool = True
    surprise: Estimate | None = None


@dataclass(frozen=True)
class Verdict:
    """`sentence` says it; `evidence` are sentences beside it; `more`: held-out questions that would settle it."""

    rule: Rule
    sentence: str
    evidence: tuple[str, ...] = ()
    more: int | None = None


def surprise(experts: Sequence[float], own: Sequence[float]) -> Estimate:
    """How much the experts' answers surprise the base, as a share of what its own do.

    From its mean loss (nats a token) in each conversation on the experts' answers, and on its own to the same questions,
    drawn at temperature 1 from all tokens: only those are as likely to it as it says.
    """
    mean, drawn = means(np.stack([experts, own], axis=1).astype(float), np.arange(len(own)))
    return estimate(mean[0] / mean[1], drawn[:, 0] / drawn[:, 1])


def verdict(known: Known) -> Verdict:
    """What to say, by the first rule that holds."""
    prompt, run = (best(known.arms, kind) for kind in ("prompt", "run"))
    found = (
        alike(known)
        or unknown(known)
        or few(known)
        or (enough(prompt) if prompt else None)
        or (trained(known, run, prompt) if run else None)
        or (prompted(known, prompt) if prompt else None)
        or Verdict("no prompt", "Only the base was asked so far. Ask a prompt, too: words are tried before weights.")
    )  # fmt: skip
    return replace(found, evidence=(*found.evidence, *repeats(known.arms)))


def best(arms: Sequence[Measured], kind: str) -> Measured | None:
    return max((each for each in arms if each.kind == kind), key=lambda each: each.closed.value, default=None)


# --- the rules


def alike(known: Known) -> Verdict | None:
    auc, surprised = known.auc, known.surprise
    if auc and known.why_not and auc.high < ALIKE:
        return Verdict(
            "nothing to train",
            "Nothing needs training: the base already answers as you do.",
            (f"A classifier that has read both cannot tell them apart: of one answer of each it picks yours in {percent(auc.value)}, and 50 % is guessing.",),
        )  # fmt: skip
    if surprised and surprised.high < UNSURPRISED and known.questions >= FEW:
        still = f"A classifier still tells them apart, in {percent(auc.value)} of pairs. What differs can be said in a prompt." if auc and not known.why_not else ""  # fmt: skip
        return Verdict(
            "nothing to train",
            "Nothing needs training: the base would as soon write your answers as its own.",
            (f"They surprise it {percent(surprised.value)} as much as its own answers do {ends(surprised)}.", *filter(None, [still])),
        )  # fmt: skip
    return None


def unknown(known: Known) -> Verdict | None:
    if known.auc and not known.why_not:
        return None
    more = "Write more conversations; then ask again." if known.auc else ""
    return Verdict("too little known", f"It is not known yet whether training would help. {known.why_not} {more}".rstrip())  # fmt: skip


def few(known: Known) -> Verdict | None:
    if known.questions < FEW:
        more, why = (
            FEW - known.questions,
            f"{known.questions} held-out conversations are too few to say anything.",
        )
    elif not known.apart:
        more, why = known.questions, f"On these {known.questions} held-out conversations your answers are not surely told from the base's."  # fmt: skip
    else:
        return None
    return Verdict("too few questions", f"{why} {asking(more, known.left)}", more=more)


def enough(prompt: Measured) -> Verdict | None:
    if prompt.closed.low < ENOUGH:
        return None
    return Verdict("prompt is enough", f"{start(prompt)} is enough: it {closes(prompt)}. You need not train.", cost(prompt))  # fmt: skip


def trained(known: Known, run: Measured, prompt: Measured | None) -> Verdict:
    """The best run beside the best prompt, or beside the base."""
    other = prompt or Measured("the base", "base", Estimate(0.0, 0.0, 0.0))
    beside = (f"{start(prompt)} {closes(prompt)}.", *cost(prompt)) if prompt else ()
    if run.closed.low > other.closed.high:
        return Verdict("training did more", f"Training did more than {other.name}: {run.name} {closes(run)}.", beside)  # fmt: skip
    if run.closed.high < other.closed.low:
        return Verdict("training did less", f"Training did less than {other.name}: {run.name} {closes(run)}.", beside)  # fmt: skip
    # Both intervals stand against each other in full: the arms may err together, but that is not known here.
    ahead = Estimate(
        run.closed.value - other.closed.value,
        run.closed.low - other.closed.high,
        run.closed.high - other.closed.low,
    )
    more = needed(known.questions, ahead, 0.0)
    settled = asking(more, known.left) if more else "They are so near to each other that more questions would hardly tell: take what costs less."  # fmt: skip
    said = f"{start(run)} {closes(run)}. Whether it is nearer to you than {other.name} is not yet known. {settled}"  # fmt: skip
    return Verdict("not told apart", said, beside, more)


def prompted(known: Known, prompt: Measured) -> Verdict:
    said = f"{start(prompt)} {closes(prompt)}"
    if prompt.closed.high < ENOUGH:
        return Verdict("training is worth it", f"{said}. Training is worth trying.", cost(prompt))
    more = needed(known.questions, prompt.closed, ENOUGH)
    if more is None:
        return Verdict("near enough", f"{said}: about enough. Read its answers and judge for yourself.", cost(prompt))  # fmt: skip
    return Verdict("not yet known", f"{said}. Whether that is enough is not yet known. {asking(more, known.left)}", cost(prompt), more)  # fmt: skip


def repeats(arms: Sequence[Measured]) -> Iterator[str]:
    for each in arms:
        if each.copied >= REPEATS:
            yield f"{percent(each.copied)} of the answers of {each.name} repeat learned answers word for word. They count as none of yours."


# --- words


def start(arm: Measured) -> str:
    return arm.name[0].upper() + arm.name[1:]


def closes(arm: Measured) -> str:
    return f"closes {percent(arm.closed.value)} of the gap {ends(arm.closed)}"


def ends(figure: Estimate) -> str:
    return f"[{percent(figure.low).removesuffix(' %')} to {percent(figure.high)}]"


def percent(share: float) -> str:
    """Between 0 and 100: less than nothing is nothing, and nobody is more like the experts than they are."""
    return f"{100 * min(max(share, 0), 1):.0f} %"


def cost(prompt: Measured) -> tuple[str, ...]:
    return (
        f"It costs {prompt.tokens:,.0f} tokens of prompt before every answer, against none after training.",
    )


def needed(questions: int, figure: Estimate, mark: float) -> int | None:
    """How many more conversations make it sure on which side of the mark the figure lies; None: more than can be asked."""
    distance = abs(figure.value - mark)
    toward = figure.value - figure.low if figure.value > mark else figure.high - figure.value
    if distance == 0 or (more := questions * ((toward / distance) ** 2 - 1)) > MOST_MORE:
        return None
    return max(ceil(more), 1)


def asking(more: int, left: int) -> str:
    """What to do for so many more held-out questions, where `left` have not been asked yet."""
    if more <= left:
        return f"About {more} more held-out questions would settle it."
    write = ceil((more - left) / HELD_OUT_SHARE)
    there = f"there are {left}" if left else "there are none"
    return f"About {more} more held-out questions would settle it; {there}. Some {write} more conversations would bring them."  # fmt: skip
