"""Whether the style transferred, what that cost, and what to do next: fixed rules, each claim on the end of an interval that
speaks against it. What was not measured is named, with the way to get it.

Style, by the first rule that holds:

yes            its answers surely close half of the gap between the base and the experts, and no judge's preference surely
               speaks against it; or blind judges surely prefer it, and it surely came nearer, by more than a tenth of it
partly         blind judges surely prefer it, or its answers surely close more than a tenth of the gap
no             its answers surely close less than a quarter of the gap
not yet known  none of these

Where there is no style score, the held-out loss says whether it came nearer: yes where it surely fell by more than 5 %, no
where surely by less.

Side effects, the worst that is found:

what               serious                                  some                                   none
general text       loss surely rose by 10 %                 surely by 2 %                          surely by less than 5 %
general questions  surely more lost than learned, and a     surely more lost than learned          otherwise; nothing is said where
                   quarter of what the base knew                                                   the base knew fewer than five
answers that loop, surely a tenth more than of the base's   a tenth or more, and surely more than  otherwise
copy or refuse     and of the experts'                      of the base's and of the experts'
length             -                                        surely twice or half of the experts',  otherwise
                                                            and farther off than the base's
judges             surely prefer the base                   -                                      otherwise

"Surely" is the 95 % interval; for votes the lasting one (see `shares`). Of fewer than ten answers nothing is concluded. "None"
says that nothing was found by these, and is said only when the answers, the general text and the questions were measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from studio.core import judging, shares
from studio.core.evidence import Evidence, lasting, moved, signed
from studio.core.gap import FEW, LITTLE, ends, percent
from studio.core.outcome import HARDLY, WISHED
from studio.core.recipe import neighbours
from studio.core.side_effects import EVALUATE, GRADES, Effects, Found, effects

HALF, QUARTER = 0.5, 0.25  # of the gap

Style = Literal["yes", "partly", "no", "not yet known"]
STYLE_SAID: dict[Style, str] = {
    "yes": "Yes, the style transferred.",
    "partly": "The style transferred partly.",
    "no": "No, the style did not transfer.",
    "not yet known": "It is not yet known whether the style transferred.",
}
EFFECTS_SAID: dict[Effects, str] = {
    "none": "No side effects were found.",
    "some": "It has side effects.",
    "serious": "It has serious side effects.",
    "not yet known": "Its side effects are not yet known.",
}


@dataclass(frozen=True)
class Verdict:
    style: Style
    effects: Effects
    for_style: tuple[str, ...]
    for_effects: tuple[str, ...]
    next: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"{STYLE_SAID[self.style]} {EFFECTS_SAID[self.effects]}"


def verdict(known: Evidence) -> Verdict:
    # Of few answers the intervals are too narrow.
    sure = known if known.answers >= FEW else replace(known, closed=None, deeds=(), length=None)
    transferred, found = style(sure), list(effects(sure))
    worst = next(grade for grade in GRADES if grade in {each.grade for each in found})
    return Verdict(
        transferred, worst, tuple(of_style(sure)), tuple(each.said for each in found), tuple(dict.fromkeys(steps(sure, transferred, found)))
    )  # fmt: skip


# --- style


def style(known: Evidence) -> Style:
    votes, closed, loss = lasting(known.votes), known.closed, known.held_out
    preferred, opposed = votes.low > 0.5, votes.high < 0.5
    nearer = closed.low > LITTLE if closed else bool(loss and loss.high < -HARDLY)
    if (closed and closed.low >= HALF and not opposed) or (preferred and nearer):
        return "yes"
    if preferred or (closed and nearer):
        return "partly"
    far = closed.high < QUARTER if closed else bool(loss and loss.low > -HARDLY)
    return "no" if far else "not yet known"


def of_style(known: Evidence) -> Iterator[str]:
    yield judging.sentence(known.votes, "the base", known.name)
    if closed := known.closed:
        yield f"Its answers to {known.answers} held-out questions close {percent(closed.value)} of the gap between the base's and yours {ends(closed)}."
    elif known.why_not:
        yield f"There is no style score: {known.why_not}"
    elif known.answers:
        yield f"It answered {known.answers} held-out questions; a style score takes {FEW}."
    else:
        yield "Its answers to held-out questions were not measured yet."
    if loss := known.held_out:
        yield f"Your own held-out answers surprise it {moved(loss)} the base, 95 % interval {signed(loss)}."


# --- what to do next


def steps(known: Evidence, transferred: Style, found: list[Found]) -> Iterator[str]:
    """What is worth doing next, the most urgent first."""
    for grade in GRADES[:2]:
        yield from (each.mend for each in found if each.grade == grade and each.mend)
    harmed = any(each.grade in GRADES[:2] for each in found)
    if transferred in ("no", "partly"):
        yield from stronger(known, harmed)
    if transferred == "not yet known":
        yield from unsettled(known)
    yield from (each.mend for each in found if each.grade == "not yet known" and each.mend)
    if transferred == "yes" and {each.grade for each in found} == {"none"}:
        yield "Take it home in the Export tab."
    serious = any(each.grade == "serious" for each in found)
    if transferred in ("yes", "partly") and not serious and lasting(known.votes).low <= 0.5:
        yield from judging_on(known)


def stronger(known: Evidence, harmed: bool) -> Iterator[str]:
    if known.learned < WISHED:
        yield f"Write more examples: about {WISHED - known.learned} more."
    elif harmed:
        yield "Write more examples: they carry the style further at the same strength."
    if not harmed:
        _, name = neighbours(known.rate)
        other = f"with the strength “{name}”, or " if name else ""
        yield f"Train more strongly: {other}with more passes."


def unsettled(known: Evidence) -> Iterator[str]:
    if not known.closed and not known.why_not:
        yield EVALUATE
    yield from judging_on(known)
    if known.closed:
        yield "Run it on more held-out questions in the Prompt tab."


def judging_on(known: Evidence) -> Iterator[str]:
    """Blind votes say more than any figure, where they can still settle it."""
    if more := shares.votes_to_settle(known.votes.b_wins, known.votes.a_wins):
        yield f"Judge about {more} more question{'s' * (more > 1)} blind, above: figures do not know what people prefer."
