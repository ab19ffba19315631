"""How often one arm was preferred, and how sure that is.

Two intervals, for two questions. `share` is Clopper and Pearson's (1934, Biometrika 26): right at 95 % or more for a number
of votes that was fixed beforehand, whatever the true share. Nobody who judges keeps to that: one looks after every vote, and
goes on until the figure pleases. `lasting` is right at 95 % for all looks together: the confidence sequence of a uniform
mixture of likelihoods (Robbins 1970, Annals of Mathematical Statistics 41; Ville's inequality). It is wider, and nothing is
called better on less.

Ties and "both bad" say nothing on who is better; they are counted beside it. One question counts once, whoever judged it.
"""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv, betaln

from studio.core.estimate import SURE, Estimate, Floats

UNLIKELY = log(1 / (1 - SURE))  # the evidence from which on a share is ruled out
EDGE = 1e-12  # what stands for shares of 0 and 1, whose logarithm is none
MOST = 400  # votes that somebody might still cast
WAYS = 2000  # that the votes to come are drawn
OFTEN = 0.5  # of these ways must be settled


def share(wins: int, losses: int) -> Estimate:
    """The share of `wins` among the clear votes, with the exact interval; 0.5 [0, 1] where there are none."""
    votes, out = wins + losses, (1 - SURE) / 2
    if not votes:
        return Estimate(0.5, 0.0, 1.0)
    low = float(betaincinv(wins, losses + 1, out)) if wins else 0.0
    high = float(betaincinv(wins + 1, losses, 1 - out)) if losses else 1.0
    return Estimate(wins / votes, low, high)


def sign_test(wins: int, losses: int) -> float:
    """The chance that so uneven a split, or one more uneven, comes from arms that are equally good: two-sided and exact."""
    more, votes = max(wins, losses), wins + losses
    return min(1.0, 2 * float(betainc(more, votes - more + 1, 0.5))) if more else 1.0


def lasting(wins: int, losses: int) -> Estimate:
    """The share of `wins`, with an interval that holds its 95 % however often one looks."""
    votes = wins + losses
    if not votes:
        return Estimate(0.5, 0.0, 1.0)

    def beyond(true: float) -> float:
        return float(against(wins, losses, true)) - UNLIKELY

    middle = min(max(wins / votes, EDGE), 1 - EDGE)
    low = float(brentq(beyond, EDGE, middle)) if wins else 0.0
    high = float(brentq(beyond, middle, 1 - EDGE)) if losses else 1.0
    return Estimate(wins / votes, low, high)


def against(wins: ArrayLike, losses: ArrayLike, true: float) -> Floats:
    """The logarithm of the evidence against `true` being the share: all shares' mean likelihood over its own."""
    won, lost = np.asarray(wins, float), np.asarray(losses, float)
    evidence: Floats = betaln(won + 1, lost + 1) - won * log(true) - lost * log(1 - true)
    return evidence


def votes_to_settle(wins: int, losses: int) -> int | None:
    """How many more clear votes make it sure which arm is better, in half of the ways in which they may come.

    Drawn from what the votes so far leave possible (a uniform prior), and looked at after each. 0 where it is sure already,
    None where more than MOST would be needed. The same votes give the same number.
    """
    if against(wins, losses, 0.5) >= UNLIKELY:
        return 0
    chance = np.random.default_rng(0)
    true = chance.beta(wins + 1, losses + 1, WAYS)
    won = (chance.random((WAYS, MOST)) < true[:, None]).cumsum(1)
    lost = np.arange(1, MOST + 1) - won
    settled = np.logical_or.accumulate(against(wins + won, losses + lost, 0.5) >= UNLIKELY, axis=1)
    enough = np.flatnonzero(settled.mean(0) >= OFTEN)
    return int(enough[0]) + 1 if len(enough) else None
