"""How sure the votes on a pair became, vote by vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.core import shares
from studio.core.estimate import Estimate
from studio.core.judging import Round, counting, tallies

MOST = 60  # points of the drawing


@dataclass(frozen=True)
class Stand:
    """After so many `clear` votes: how often b was preferred, exactly for so many votes, and lasting however often one looks."""

    clear: int
    share: Estimate
    lasting: Estimate


def growth(rounds: Sequence[Round]) -> list[Stand]:
    """The stands of one pair, each as it was after a vote, the oldest first; none before the first clear vote."""
    voted = sorted(counting(rounds), key=lambda each: each.voted_at)
    every = max(1, len(voted) // MOST)
    stands = []
    for count in [*range(every, len(voted), every), len(voted)] if voted else []:
        tally = tallies(voted[:count])[0]
        if tally.clear:
            stands.append(Stand(tally.clear, tally.share, shares.lasting(tally.b_wins, tally.a_wins)))
    return stands
