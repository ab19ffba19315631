"""Strengths agree with tables and programs of others, and their intervals hold."""

import itertools

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression

from studio.core.strengths import fitted, strengths

# Citations between four journals of statistics (Stigler 1994), and what R's BradleyTerry2 makes of them.
JOURNALS = np.array([[0, 730, 498, 221], [33, 0, 68, 17], [320, 813, 0, 142], [284, 276, 325, 0]], float)
ABILITIES = [0.0, -2.9491, -0.4796, 0.2690]


def played(true, votes, chance):
    """Every pair of arms of these strengths, voted on so often."""
    wins = np.zeros((len(true), len(true)))
    for a, b in itertools.combinations(range(len(true)), 2):
        wins[a, b] = chance.binomial(votes, expit(true[a] - true[b]))
        wins[b, a] = votes - wins[a, b]
    return wins


def test_the_journals_have_the_published_abilities():
    assert fitted(JOURNALS, None) == pytest.approx(ABILITIES, abs=1e-3)


@pytest.mark.parametrize("seed", range(50))
def test_strengths_are_those_of_a_logistic_regression(seed):
    chance = np.random.default_rng(seed)
    wins = played(chance.normal(0, 1, int(chance.integers(2, 7))), 30, chance)
    pairs = [(a, b, wins[a, b]) for a, b in itertools.permutations(range(len(wins)), 2)]
    signs = np.array([np.eye(len(wins))[a] - np.eye(len(wins))[b] for a, b, _ in pairs])[:, 1:]
    both = np.concatenate([signs, -signs])
    won = np.repeat([1, 0], len(pairs))
    weights = np.tile([count for *_, count in pairs], 2)
    peer = LogisticRegression(C=1e8, fit_intercept=False, tol=1e-10, max_iter=2000).fit(both, won, weights)

    assert fitted(wins, None)[1:] == pytest.approx(peer.coef_[0], abs=2e-3)


@pytest.mark.parametrize("votes", [10, 30, 100])
def test_intervals_of_two_arms_hold_the_true_share_at_least_as_often_as_they_say(votes):
    found = [strengths(np.array([[0, votes - wins], [wins, 0.0]]))[1] for wins in range(votes + 1)]
    for true in np.arange(0.5, 0.951, 0.05):
        held = [each.low <= true <= each.high for each in found]
        assert binom.pmf(np.flatnonzero(held), votes, true).sum() > 0.95


@pytest.mark.parametrize("apart", [0.0, 3.0])
def test_intervals_of_four_arms_hold_their_true_chances(apart, length):
    chance, true, ways = np.random.default_rng(1), np.linspace(0, apart, 4), length(short=60, long=2000)
    held = np.zeros(4)
    for _ in range(ways):
        for arm, seen in enumerate(strengths(played(true, 10, chance))):
            held[arm] += seen.low <= expit(true[arm]) <= seen.high
    assert (held[1:] / ways > length(short=0.88, long=0.93)).all()


def test_an_arm_that_always_won_has_an_interval_too():
    _, seen = strengths(np.array([[0, 0], [8, 0.0]]))

    assert seen.value > 0.99
    assert 0.5 < seen.low < 0.75
    assert seen.high == 1.0


def test_an_arm_that_was_never_compared_with_the_others_is_not_known():
    seen = strengths(np.array([[0, 3, 0, 0], [5, 0, 0, 0], [0, 0, 0, 4], [0, 0, 2, 0.0]]))

    assert (seen[2].low, seen[2].high) == (0.0, 1.0)
    assert seen[1].low > 0.0
