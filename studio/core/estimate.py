"""A figure with its interval: between which values other conversations of the same kind would have put it.

By the percentile bootstrap over conversations (Efron 1979, Annals of Statistics 7), never over single answers: those of
one conversation are alike. Of few conversations that interval is too narrow, so it reaches further into the draws, as
Student's t does (Hesterberg 2015, The American Statistician 69: expanded percentiles). The same numbers give the same
interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 2000
SURE = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure, and the 95 % interval around it."""

    value: float
    low: float
    high: float


def estimate(value: float, drawn: ArrayLike, count: int) -> Estimate:
    """The figure of `count` conversations with the interval that its drawn values give; without draws that are NaN."""
    beyond = tail(count)
    low, high = np.nanquantile(np.asarray(drawn, float), [beyond, 1 - beyond])
    return Estimate(float(value), float(low), float(high))


def tail(count: int) -> float:
    """The share of draws beyond each end of the interval: (1 - SURE) / 2 of many conversations, less of few."""
    more = max(count - 1, 1)
    z = NormalDist().inv_cdf((1 + SURE) / 2)
    # Student's t from z (Cornish and Fisher 1938); of ten conversations right to three digits.
    t = z + (z**3 + z) / (4 * more) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * more**2)
    return NormalDist().cdf(-t * sqrt((more + 1) / more))


def groups(conversations: Sequence[str]) -> NDArray[np.intp]:
    """The place of each answer's conversation among the different ones."""
    return np.unique(np.asarray(conversations), return_inverse=True)[1].astype(np.intp)


def draws(count: int) -> Floats:
    """(DRAWS, count): how often each of `count` conversations is in each draw of as many, put back after each."""
    drawn = np.random.default_rng(0).integers(0, count, (DRAWS, count)) + np.arange(DRAWS)[:, None] * count
    return np.bincount(drawn.ravel(), minlength=DRAWS * count).reshape(DRAWS, count).astype(float)


def means(values: Floats, grouped: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """The means over all answers, and in each draw: (k,) and (DRAWS, k), from `values` of the answers (answers, k)."""
    count = int(grouped.max()) + 1
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, grouped, values)
    drawn = draws(count)
    sizes = np.bincount(grouped, minlength=count).astype(float)
    return values.mean(0), (drawn @ sums) / (drawn @ sizes)[:, None]


def separation(scores: Floats, experts: NDArray[np.bool_], grouped: NDArray[np.intp]) -> Estimate:
    """The area under the ROC curve: how often an expert's answer scores higher than another's (0.5: guessing).

    Mann and Whitney 1947; ties count half.
    """
    count = int(grouped.max()) + 1
    higher = np.sign(scores[experts][:, None] - scores[~experts][None, :]) / 2 + 0.5
    wins, pairs = np.zeros((count, count)), np.zeros((count, count))
    places = grouped[experts][:, None], grouped[~experts][None, :]
    np.add.at(wins, places, higher)
    np.add.at(pairs, places, 1.0)
    drawn = draws(count)
    return estimate(higher.mean(), ((drawn @ wins) * drawn).sum(1) / ((drawn @ pairs) * drawn).sum(1), count)
