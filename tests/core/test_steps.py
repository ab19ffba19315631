from dataclasses import replace
from itertools import islice

from studio.core.recipe import Recipe
from studio.core.steps import cut, extent, steps


def test_a_pass_holds_every_own_conversation_once_and_general_ones_in_turn():
    own, general = [1, 2, 3, 4, 5, 6], [10, 20, 30]
    taken = [each for step in islice(steps(own, general, 6, 4, 6, seed=1), 3) for each in step]

    assert sorted(taken) == [*own, 10, 10, 20, 20, 30, 30]


def test_the_same_seed_gives_the_same_steps_and_another_one_others():
    def order(seed):
        return list(steps(range(8), [], 0, 2, 6, seed))

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert len(order(1)) == 6


def test_without_general_examples_there_are_only_own_ones():
    assert len(list(steps([1] * 4, [], 0, 8, 5, seed=0))) == 5


def test_rows_are_cut_evenly_and_a_long_conversation_stands_alone():
    assert cut([4, 4, 30, 4], 10) == [(0, 2), (2, 3), (3, 4)]
    assert cut([4, 4, 4, 4], 13) == [(0, 2), (2, 4)]
    assert cut([], 10) == []


RECIPE = Recipe(batch=2, general=1.0)


def test_the_extent_of_a_run_is_that_of_its_updates():
    """With an update at the end of each pass that is not full, and no general ones where there are none to mix in."""
    assert extent([100, 100, 100], [], RECIPE, 2, 2048) == (150, 200)
    assert extent([100, 100, 100], [300], RECIPE, 3, 2048) == (400, 600)
    assert extent([100, 100, 900], [], replace(RECIPE, batch=3), 4, 500) == (1100, 900)
