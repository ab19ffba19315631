"""Krippendorff's alpha, by his own example."""

import pytest

from studio.core.agreement import alpha

# Four observers, twelve units (Krippendorff 2011); "." is a unit that one did not see. For names, alpha is 0.743.
OBSERVERS = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]


def test_the_published_example_has_the_published_alpha():
    units = [[each for each in unit if each != "."] for unit in zip(*OBSERVERS, strict=True)]

    assert alpha([unit for unit in units if len(unit) > 1]) == pytest.approx(0.743, abs=5e-4)


def test_judges_who_always_agree_and_judges_who_never_do():
    assert alpha([["left", "left"], ["tie", "tie"]]) == 1.0
    assert alpha([["left", "tie"], ["tie", "left"]]) < 0


def test_where_nobody_chose_another_thing_or_nobody_judged_twice_nothing_is_shown():
    assert alpha([["left", "left"], ["left", "left"]]) is None
    assert alpha([]) is None
