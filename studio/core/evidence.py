"""What a verdict on a run is made of, and the words for its figures."""

from __future__ import annotations

from dataclasses import dataclass

from studio.core import shares
from studio.core.estimate import Estimate
from studio.core.judging import Tally
from studio.core.outcome import WISHED


@dataclass(frozen=True)
class Quiz:
    """How many general questions of `asked` the base and the run got right; `lost`: right by the base only, `won`: by the run only."""

    asked: int
    base: int
    run: int
    lost: int
    won: int


@dataclass(frozen=True)
class Deed:
    """Something that `count` of a run's answers do and should not; `usual`: of the base's or the experts', whichever more.

    `says` as a sentence has it: "go round in circles"; `mend`: what to do against it.
    """

    says: str
    count: int
    usual: int
    mend: str


@dataclass(frozen=True)
class Evidence:
    """All that a verdict is made of; None for what was not measured. `votes`: a is the base, b the run.

    `answers`: held-out questions that both answered; `closed`: the share of the gap; `why_not`: why there is none. `held_out`:
    the change of the held-out loss, as a share; `general`: that of the loss on general text. `length`: of the run's answers,
    in the experts'; `base_length` that of the base's. `mixed`: general examples for each own one. `learned`: own ones. `rate`:
    the learning rate.
    """

    name: str
    votes: Tally
    answers: int = 0
    closed: Estimate | None = None
    why_not: str = ""
    held_out: Estimate | None = None
    general: Estimate | None = None
    quiz: Quiz | None = None
    deeds: tuple[Deed, ...] = ()
    length: Estimate | None = None
    base_length: float = 1.0
    mixed: float = 1.0
    learned: int = WISHED
    rate: float = 2e-4


def lasting(votes: Tally) -> Estimate:
    return shares.lasting(votes.b_wins, votes.a_wins)


def moved(change: Estimate) -> str:
    return f"{abs(change.value):.0%} {'less than' if change.value < 0 else 'more than'}".replace("%", " %")


def signed(change: Estimate) -> str:
    low, high = (f"{end:+.0%}".replace("%", " %").replace("-", "−") for end in (change.low, change.high))
    return f"{low} to {high}"
