"""The sentence after held-out questions: whether a prompt is enough, or training is worth trying. Fixed rules, in order.

The gap is what lies between the base's style score and that of the experts' own held-out answers; an arm closes a share
of it. Every rule asks the end of an interval that speaks against it, never the figure itself.

rule                  when
nothing to train      a classifier cannot tell the experts' answers from the base's, and the interval of its AUC ends below
                      0.7; or they surprise the base surely less than 0.8 of what its own do (10 conversations or more), and
                      the interval of the AUC ends below 0.9: what is seen in nine of ten pairs is a manner, however likely
too little known      there is no classifier, or it cannot tell and its interval is wider than that
too few questions     fewer than 10 held-out conversations, or base and experts are not surely apart on them
prompt is enough      the low end of a prompt reaches 80 %
training did more     the low end of the best run lies above the high end of the best prompt (where none was asked: above 0)
training did less     its high end lies below the low end of the best prompt
equally near          whichever of both is ahead, it is surely by less than 10 % of the gap
not told apart        a run was asked, and none of these; says how many questions would tell
training is worth it  no run was asked, and the high end of every prompt lies below 80 %
near enough           no run was asked, and the low end of a prompt reaches 70 %
not yet known         no run was asked, and none of these; says how many questions would tell
no prompt             neither a prompt nor a run was asked

How many more: the width of an interval goes with one over the root of the number of conversations, so n of them with an
end at a distance h from the figure have it at a mark at distance d when they are n (h / d)². Two marks lie 10 % apart, so
there is always one to be reached. That holds if the figure stays where it is, and it will move: they may settle it.
Of several arms the best one speaks, which is a little flattered by having been the best: two dozen prompts on the same
questions are a game of chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Literal

import numpy as np

from studio.core.estimate import Estimate, estimate, means
from studio.core.recipe import HELD_OUT_SHARE

ENOUGH = 0.8  # of the gap
ABOUT = 0.7  # of the gap: about as much, to a reader
LITTLE = 0.1  # of the gap: a difference that makes none to a reader
FEW = 10  # held-out conversations below which nothing is said: intervals of so few are too narrow
ALIKE = 0.7  # an AUC below which two manners are alike to a reader
MANNER = 0.9  # an AUC from which on they are not, however likely both are to the base
UNSURPRISED = 0.8  # of the loss on the base's own answers
SAID = 0.1  # the share of answers that count as none of the experts', from which on it is said
READ = "Read the answers and judge for yourself."

Rule = Literal[
    "nothing to train", "too little known", "too few questions", "prompt is enough", "training did more", "training did less",
    "equally near", "not told apart", "training is worth it", "near enough", "not yet known", "no prompt",
]  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What an arm's answers to the held-out questions were measured to be.

    `name` as a person reads it: "the prompt “friendly”", "run 7". `closed`: the share of the gap that it closes; 0 for the base.
    `void`: what answers did that count as none of the experts', with their share: ("repeat the question", 0.2). `tokens`:
    of its prompt, examples too, before each answer.
    """

    name: str
    kind: Literal["base", "prompt", "run"]
    closed: Estimate
    void: tuple[tuple[str, float], ...] = ()
    tokens: float = 0.0


@dataclass(frozen=True)
class Known:
    """All that the sentence is made of.

    `questions`: held-out conversations that every arm answered; `left`: how many more there are. `auc`: of the classifier,
    None where there are too few answers, and `why_not` says so; `full`: it has read as many as it ever does. `apart`: whether
    the experts' own answers to these questions are surely told from the base's. `surprise`: see below; None where it was
    not measured.
    """

    arms: tuple[Measured, ...]
    questions: int
    left: int
    auc: Estimate | None
    why_not: str = ""
    full: bool = False
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
    return estimate(mean[0] / mean[1], drawn[:, 0] / drawn[:, 1], len(own))


def verdict(known: Known) -> Verdict:
    """What to say, by the first rule that holds."""
    prompts, runs = ([each for each in known.arms if each.kind == kind] for kind in ("prompt", "run"))
    found = (
        alike(known)
        or unknown(known)
        or few(known)
        or enough(prompts)
        or (trained(known, best(runs), prompts) if runs else None)
        or (prompted(known, prompts) if prompts else None)
        or Verdict("no prompt", "Only the base was asked so far. Ask a prompt, too: words are tried before weights.")
    )  # fmt: skip
    return replace(found, evidence=(*found.evidence, *voided([*prompts, *runs])))


def best(arms: Sequence[Measured]) -> Measured:
    return max(arms, key=lambda each: each.closed.value)


def surest(arms: Sequence[Measured]) -> Measured:
    return max(arms, key=lambda each: each.closed.low)


# --- the rules


def alike(known: Known) -> Verdict | None:
    auc, surprised = known.auc, known.surprise
    if auc and known.why_not and auc.high < ALIKE:
        return Verdict(
            "nothing to train",
            "Nothing needs training: the base already answers as you do.",
            (f"A classifier that has read both cannot tell them apart: of one answer of each it picks yours in {percent(auc.value)}, and 50 % is guessing.",),
        )  # fmt: skip
    if auc and auc.high < MANNER and surprised and surprised.high < UNSURPRISED and known.questions >= FEW:
        still = "" if known.why_not else f"A classifier still tells them apart, in {percent(auc.value)} of pairs. What differs can be said in a prompt."  # fmt: skip
        return Verdict(
            "nothing to train",
            "Nothing needs training: the base would as soon write your answers as its own.",
            (f"They surprise it {percent(surprised.value)} as much as its own answers do {ends(surprised)}.", *filter(None, [still])),
        )  # fmt: skip
    return None


def unknown(known: Known) -> Verdict | None:
    if known.auc and not known.why_not:
        return None
    more = READ if known.full else "Write more conversations; then ask again." if known.auc else ""
    return Verdict("too little known", f"It is not known yet whether training would help. {known.why_not} {more}".rstrip())  # fmt: skip


def few(known: Known) -> Verdict | None:
    asked, left = known.questions, known.left
    if asked < FEW:
        more = FEW - asked
        said = f"{asked} held-out conversations are too few to say anything. It takes {more} more{there(more, left)}"  # fmt: skip
    elif not known.apart:
        more = asked
        said = f"On these {asked} held-out conversations your answers are not surely told from the base's. As many again may tell{there(more, left)}"  # fmt: skip
    else:
        return None
    return Verdict("too few questions", said, more=more)


def enough(prompts: Sequence[Measured]) -> Verdict | None:
    if not prompts or (prompt := surest(prompts)).closed.low < ENOUGH:
        return None
    return Verdict("prompt is enough", f"{start(prompt)} is enough: it {closes(prompt)}. You need not train.", cost(prompt))  # fmt: skip


def trained(known: Known, run: Measured, prompts: Sequence[Measured]) -> Verdict:
    """The best run beside the best prompt, or beside the base."""
    other = best(prompts) if prompts else Measured("the base", "base", Estimate(0.0, 0.0, 0.0))
    beside = (f"{start(other)} {closes(other)}.", *cost(other, run)) if prompts else ()
    one, two = run.closed, other.closed
    # Both intervals stand against each other in full: the arms may err together, but that is not known here.
    ahead = Estimate(one.value - two.value, one.low - two.high, one.high - two.low)
    if ahead.low > 0:
        return Verdict("training did more", f"Training did more than {other.name}: {run.name} {closes(run)}.", beside)  # fmt: skip
    if ahead.high < 0:
        return Verdict("training did less", f"Training did less than {other.name}: {run.name} {closes(run)}.", beside)  # fmt: skip
    if ahead.low > -LITTLE and ahead.high < LITTLE:
        said = f"{start(run)} {closes(run)}. It is as near to you as {other.name}: take what costs less."
        return Verdict("equally near", said, beside)
    more = needed(known.questions, ahead, (0, inf), (-inf, 0), (-LITTLE, LITTLE))
    said = f"{start(run)} {closes(run)}. Whether it is nearer to you than {other.name} is not yet known. {asking(more, known.left)}"  # fmt: skip
    return Verdict("not told apart", said, beside, more)


def prompted(known: Known, prompts: Sequence[Measured]) -> Verdict:
    """None of the prompts is surely enough, and no run was asked."""
    may = [each for each in prompts if each.closed.high >= ENOUGH]
    if not may:
        one = best(prompts)
        return Verdict("training is worth it", f"{start(one)} {closes(one)}. Training is worth trying.", cost(one))  # fmt: skip
    if (one := surest(may)).closed.low >= ABOUT:
        return Verdict("near enough", f"{start(one)} {closes(one)}: about enough. {READ}", cost(one))
    one = best(may)
    more = needed(known.questions, one.closed, (ENOUGH, inf), (-inf, ENOUGH), (ABOUT, inf))
    said = f"{start(one)} {closes(one)}. Whether that is enough is not yet known. {asking(more, known.left)}"  # fmt: skip
    return Verdict("not yet known", said, cost(one), more)


def voided(arms: Sequence[Measured]) -> Iterator[str]:
    for each in arms:
        for did, share in each.void:
            if share >= SAID:
                yield f"{percent(share)} of the answers of {each.name} {did}. They count as none of yours."


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


def cost(prompt: Measured, run: Measured | None = None) -> tuple[str, ...]:
    after = f"{run.tokens:,.0f} before those of {run.name}" if run and run.tokens >= 1 else "none after training"  # fmt: skip
    return (f"It costs {prompt.tokens:,.0f} tokens of prompt before every answer, against {after}.",)


def needed(count: int, figure: Estimate, *ranges: tuple[float, float]) -> int:
    """How many more conversations make the interval of `count` of them fit into one of these ranges, the figure staying where it is."""
    below, above = figure.value - figure.low, figure.high - figure.value
    times = min(
        max(below / (figure.value - low), above / (high - figure.value))
        for low, high in ranges
        if low < figure.value < high
    )
    return max(ceil(count * (times**2 - 1)), 1)


def asking(more: int, left: int) -> str:
    """What to do for about so many more held-out questions, where `left` have not been asked yet."""
    until = f" Until then: {READ[0].lower()}{READ[1:]}" if more > left else ""
    return f"About {rounded(more):,} more held-out questions may settle it{there(more, left)}{until}"


def there(more: int, left: int) -> str:
    if more <= left:
        return "."
    write = rounded(ceil((more - left) / HELD_OUT_SHARE))
    return f"; there are {left or 'none'}. Some {write:,} more conversations would bring them."


def rounded(count: int) -> int:
    """Up to two digits: nobody knows it better."""
    step: int = 10 ** max(len(str(count)) - 2, 0)
    return ceil(count / step) * step
