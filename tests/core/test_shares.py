"""Intervals hold what they say, and agree with scipy's own."""

import random

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from studio.core.shares import MOST, against, lasting, share, sign_test, votes_to_settle

COUNTS = [(wins, losses) for wins in range(0, 41, 5) for losses in (0, 1, 3, 8, 17, 40) if wins + losses]
TRUE = np.arange(0.5, 0.951, 0.05)


@pytest.mark.parametrize(("wins", "losses"), COUNTS)
def test_share_and_sign_test_are_those_of_scipy(wins, losses):
    exact = binomtest(wins, wins + losses)
    low, high = exact.proportion_ci(0.95, method="exact")

    seen = share(wins, losses)
    assert (seen.value, seen.low, seen.high) == pytest.approx((exact.statistic, low, high), abs=1e-9)
    assert sign_test(wins, losses) == pytest.approx(exact.pvalue, abs=1e-12)


@pytest.mark.parametrize("votes", [10, 30, 100])
@pytest.mark.parametrize("interval", [share, lasting])
def test_intervals_hold_the_true_share_at_least_as_often_as_they_say(interval, votes):
    found = [interval(wins, votes - wins) for wins in range(votes + 1)]
    for true in TRUE:
        held = [each.low <= true <= each.high for each in found]
        assert binom.pmf(np.flatnonzero(held), votes, true).sum() > 0.95


def looks(settled, votes=300, ways=400):
    """How often equally good arms are called different by somebody who looks after each vote and stops when it pleases."""
    chance, called = random.Random(7), 0
    for _ in range(ways):
        wins = 0
        for seen in range(1, votes + 1):
            wins += chance.random() < 0.5
            if settled(wins, seen - wins):
                called += 1
                break
    return called / ways


def test_looking_after_every_vote_does_not_make_a_winner_of_nothing():
    assert looks(lambda wins, losses: against(wins, losses, 0.5) >= np.log(20)) < 0.05
    # The plain test, looked at as often, does.
    assert looks(lambda wins, losses: sign_test(wins, losses) < 0.05) > 0.15


def test_the_lasting_interval_ends_where_the_evidence_does():
    for wins, losses in ((0, 7), (7, 0), (17, 6), (300, 200)):
        seen = lasting(wins, losses)
        for end in (seen.low, seen.high):
            assert end in (0.0, 1.0) or against(wins, losses, end) == pytest.approx(np.log(20), abs=1e-6)


def test_without_votes_nothing_is_known():
    assert (share(0, 0).low, share(0, 0).high) == (lasting(0, 0).low, lasting(0, 0).high) == (0.0, 1.0)
    assert sign_test(0, 0) == 1.0


def test_as_many_votes_as_it_says_settle_it_in_half_of_the_ways():
    assert votes_to_settle(30, 2) == 0
    assert votes_to_settle(200, 200) is None
    more = votes_to_settle(17, 6)
    assert 0 < more < MOST

    chance, settled = np.random.default_rng(3), 0
    for _ in range(500):
        wins, losses, true = 17, 6, chance.beta(18, 7)
        for _ in range(more):
            won = chance.random() < true
            wins, losses = wins + won, losses + (not won)
            if against(wins, losses, 0.5) >= np.log(20):
                settled += 1
                break
    assert settled / 500 == pytest.approx(0.5, abs=0.08)
