import math

import pytest

from studio.core.errors import BadRecipe
from studio.core.recipe import Recipe, general_wanted, kept, planned_updates, preset


def test_small_sets_get_enough_updates_and_large_ones_few_passes():
    assert planned_updates(preset("standard", 60), 60) >= 120
    assert preset("standard", 132).passes == 4
    assert planned_updates(preset("standard", 132), 132) == 132
    assert preset("standard", 400).passes == 3
    assert preset("standard", 5000).passes == 1


def test_a_handful_of_examples_is_not_seen_more_than_eight_times():
    assert preset("standard", 5).passes == 8


def test_updates_asked_for_outrank_the_passes():
    assert planned_updates(preset("standard", 132, updates=7), 132) == 7


def test_general_examples_follow_their_share():
    assert general_wanted(Recipe(general=0.5), 10) == 5
    assert general_wanted(Recipe(general=0.0), 10) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 1.0),
        ("learning_rate", math.nan),
        ("rank", 0),
        ("rank", 2.5),
        ("passes", True),
        ("general", -1),
        ("quantization", "int3"),
    ],
)
def test_a_setting_outside_its_range_is_refused_by_its_label(name, value):
    with pytest.raises(BadRecipe, match="must"):
        Recipe(**{name: value})


def test_unknown_presets_and_settings_are_refused():
    with pytest.raises(BadRecipe, match="gentle, standard, strong"):
        preset("wild", 10)
    with pytest.raises(BadRecipe, match="epochs"):
        preset("standard", 10, epochs=3)


def test_a_refused_setting_names_its_limits_as_one_writes_numbers():
    with pytest.raises(BadRecipe, match=r"must lie between 0\.000001 and 0\.01\."):
        Recipe(learning_rate=1.0)
    with pytest.raises(BadRecipe, match="between 0 and 2,147,483,647"):
        Recipe(seed=-1)


def test_a_run_that_another_version_planned_is_not_guessed_at():
    assert kept({"rank": 8}) == Recipe(rank=8)
    with pytest.raises(BadRecipe, match=r"not known here \(novel\).*repeat it here"):
        kept({"rank": 8, "novel": 1})
    with pytest.raises(BadRecipe, match="between 1 and 256"):
        kept({"rank": 800})
