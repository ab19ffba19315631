"""How strong each of several arms is, from votes between pairs of them: Bradley and Terry 1952, Biometrika 39.

Arm a beats arm b with the chance 1 / (1 + exp(strength of b - strength of a)). A tie counts half for each (so it pulls them
together), "both bad" not at all. Intervals are by the profile likelihood, not by its curvature at the top: that one is far off
for few votes and has no answer for an arm that always won.
"""

from __future__ import annotations

from math import inf

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, expit, log_expit

from studio.core.estimate import SURE, Estimate, Floats

WIDEST = 12.0  # a strength as far from another means: always
PULL = 1e-4  # keeps an arm that always won from running away; it moves no figure that is shown
STEPS = 60


def strengths(wins: Floats) -> tuple[Estimate, ...]:
    """Each arm's chance to be preferred over the first one, with its interval; the first's own is 0.5.

    `wins` (arms, arms): how often the arm of the row was preferred over that of the column. An arm that no chain of votes
    joins to the first has the interval [0, 1].
    """
    top = fitted(wins, None)
    return tuple(Estimate(0.5, 0.5, 0.5) if not arm else chance(wins, top, arm) for arm in range(len(wins)))


def chance(wins: Floats, top: Floats, arm: int) -> Estimate:
    if arm not in joined(wins):
        return Estimate(0.5, 0.0, 1.0)
    value = float(top[arm] - top[0])
    low, high = (end(wins, arm, side) for side in (-1, 1))
    return Estimate(float(expit(value)), float(expit(low)), float(expit(high)))


def end(wins: Floats, arm: int, side: int) -> float:
    """The lower (-1) or upper (1) end of the interval of an arm's strength.

    Votes come whole, so half a vote is first moved toward that end: without it the interval is too narrow for few votes.
    """
    votes = wins[arm] + wins[:, arm]
    half = side * votes / votes.sum() / 2
    moved = wins.copy()
    moved[arm] = np.clip(wins[arm] + half, 0, votes)
    moved[:, arm] = votes - moved[arm]
    free = fitted(moved, None)
    least = likelihood(moved, free) - float(chdtri(1, 1 - SURE)) / 2

    def inside(at: float) -> float:
        return likelihood(moved, fitted(moved, (arm, at))) - least

    start = float(free[arm])
    return float(brentq(inside, start, side * WIDEST)) if inside(side * WIDEST) < 0 else side * inf


def fitted(wins: Floats, fixed: tuple[int, float] | None) -> Floats:
    """The most likely strengths (the first is 0), by Newton's method; with `fixed`, where that arm has that strength."""
    votes, found = wins + wins.T, np.zeros(len(wins))
    free = np.ones(len(wins), bool)
    free[0] = False
    if fixed:
        free[fixed[0]], found[fixed[0]] = False, fixed[1]
    for _ in range(STEPS if free.any() else 0):
        ahead = expit(found[:, None] - found[None, :])
        slope = (wins - votes * ahead).sum(1) - PULL * found
        bend = votes * ahead * (1 - ahead)
        curve = np.diag(bend.sum(1) + PULL) - bend
        step = np.clip(np.linalg.solve(curve[np.ix_(free, free)], slope[free]), -2, 2)
        found[free] += step
        if np.abs(step).max() < 1e-9:
            break
    return found


def likelihood(wins: Floats, found: Floats) -> float:
    return float((wins * log_expit(found[:, None] - found[None, :])).sum() - PULL / 2 * (found**2).sum())


def joined(wins: Floats) -> set[int]:
    """The arms that a chain of votes joins to the first."""
    votes, found = wins + wins.T > 0, {0}
    while more := {int(each) for arm in found for each in np.flatnonzero(votes[arm])} - found:
        found |= more
    return found
