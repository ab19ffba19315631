"""What a run that has nothing to offer says of it."""

import re

import pytest

from studio.engine.finishing import nothing_kept
from studio.engine.loop import Standing, measured

BASE = (3.6, 1.8)  # held-out and general loss
FAR = 0.1  # the forgetting limit


@pytest.mark.parametrize(
    ("held_out", "general", "said"),
    [
        (2.6, 2.6, "loss on general text rose by 44%.*Mix in general examples, or choose a gentler strength"),
        (5.4, 1.8, "ended 50% above it.*Choose a gentler strength"),
        (3.6, 1.8, "never fell below.*Try the strong preset"),
        (3.61, 1.8, "never fell below.*Try the strong preset"),
    ],
)
def test_a_run_that_keeps_nothing_says_why_and_advises_nothing_that_makes_it_worse(held_out, general, said):
    at = Standing(row=64)
    measured(at, *BASE, FAR)
    at.done = 24
    assert not measured(at, held_out, general, FAR)

    assert re.search(said, str(nothing_kept(at, "")))
