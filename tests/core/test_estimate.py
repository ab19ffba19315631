import numpy as np
import pytest

from studio.core import estimate


def test_a_mean_lies_within_its_interval_and_more_conversations_make_it_narrower():
    few, many = (mean_of(np.tile([0.0, 1.0], count)) for count in (10, 160))

    assert few.value == many.value == 0.5
    assert few.low < 0.4 < 0.6 < few.high
    # 16 times as many: a quarter as wide
    assert 3.3 < (few.high - few.low) / (many.high - many.low) < 4.7


def test_answers_of_one_conversation_count_as_one_voice():
    values = np.repeat([0.0, 1.0] * 10, 8)
    alone, together = mean_of(values), mean_of(values, np.repeat(np.arange(20), 8))

    assert together.high - together.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize("count", [10, 40])
def test_the_interval_holds_the_truth_as_often_as_it_says(count):
    rng = np.random.default_rng(1)
    held = [(each := mean_of(rng.normal(0.3, 1, count))).low <= 0.3 <= each.high for _ in range(1000)]

    assert 0.93 <= np.mean(held) <= 0.97  # of 10, the plain percentiles hold it in 0.9


def test_the_same_numbers_give_the_same_interval():
    assert mean_of(np.arange(9.0)) == mean_of(np.arange(9.0))


def test_separation_counts_how_often_an_experts_answer_is_ahead():
    scores, experts = np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False])

    found = estimate.separation(scores, experts, np.array([0, 1, 0, 1]))

    assert found.value == (1 + 1 + 0.5 + 1) / 4  # a tie counts half


def test_separation_of_noise_is_not_sure_to_be_off_a_half():
    rng = np.random.default_rng(2)
    found = [
        estimate.separation(
            rng.normal(size=100), np.arange(100) % 2 == 0, estimate.groups([str(n // 2) for n in range(100)])
        )
        for _ in range(100)
    ]

    assert np.mean([each.low <= 0.5 <= each.high for each in found]) > 0.9


def test_draws_in_which_a_figure_cannot_be_made_are_left_out():
    assert estimate.estimate(1.0, [1.0, np.nan, 1.0], 3) == estimate.Estimate(1.0, 1.0, 1.0)


def mean_of(values, grouped=None):
    grouped = np.arange(len(values)) if grouped is None else grouped
    mean, drawn = estimate.means(values[:, None], grouped)
    return estimate.estimate(mean[0], drawn[:, 0], int(grouped.max()) + 1)
