from dataclasses import replace
from pathlib import Path

import pytest

from studio.core.course import course
from studio.core.progress import Evaluated, Failed, Fetching, Planned, Resumed, Stepped, as_line
from studio.core.records import Run


def run(state, *events):
    lines = tuple(as_line(event, at) for at, event in enumerate(events))
    return Run("1", Path("1"), state, {}, None, lines)


PLANNED = Planned(10, 500, 4, 20, "fast")
STEPS = [Stepped(1, 3.0, 1e-4, 100, 2.0, 0.5), Stepped(2, 2.5, 2e-4, 300, 2.0, 0.5)]


def test_the_curves_and_the_best_point_come_from_the_events():
    seen = course(run("running", PLANNED, Evaluated(0, 3.5, 1.0, True), *STEPS, Evaluated(2, 2.9, 1.1, True)))

    assert seen.learned == ((1, 3.0), (2, 2.5))
    assert seen.held_out == ((0, 3.5), (2, 2.9))
    assert seen.best == (2, 2.9)
    assert (seen.done, seen.updates, seen.share) == (2, 10, 0.2)
    assert seen.tokens_a_second == 100


def test_the_time_left_carries_on_the_time_so_far():
    seen = course(run("running", PLANNED, Evaluated(0, 3.5, 1.0, True), *STEPS))

    assert seen.seconds_left == 8.0  # two updates took two seconds; eight are left


def test_a_resumed_run_is_one_curve_without_what_was_lost():
    lost = [Stepped(3, 2.4, 2e-4, 300, 2.0, 0.5), Evaluated(3, 2.8, 1.1, True)]
    again = [PLANNED, Resumed(2, 2), Stepped(3, 2.3, 2e-4, 300, 2.0, 0.5)]
    seen = course(
        run(
            "running",
            PLANNED,
            Evaluated(0, 3.5, 1.0, True),
            *STEPS,
            Evaluated(2, 2.9, 1.1, True),
            *lost,
            *again,
        )
    )

    assert seen.learned == ((1, 3.0), (2, 2.5), (3, 2.3))
    assert seen.held_out == ((0, 3.5), (2, 2.9))
    assert seen.seconds_left == 7.0  # one update took a second since then


def test_a_run_resumed_from_the_beginning_has_lost_all():
    seen = course(run("running", PLANNED, Evaluated(0, 3.5, 1.0, True), *STEPS, PLANNED, Resumed(0, -1)))

    assert (seen.done, seen.held_out, seen.seconds_left) == (0, (), None)


def test_a_loss_that_is_no_number_is_left_out_of_the_curve():
    seen = course(run("running", PLANNED, Evaluated(0, 3.5, float("nan"), True)))

    assert seen.general == ()
    assert seen.held_out == ((0, 3.5),)


def test_what_it_is_doing_is_said_before_the_first_update():
    assert "43 of 93 MB" in course(run("running", Fetching(43_000_000, 93_000_000))).doing
    assert course(run("starting")).doing == "starting"


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"code": -9, "memory": True}, "Memory ran out after 2 updates"),
        ({"code": -9, "memory": False}, "ended from outside after 2 updates"),
        ({"code": 3, "memory": False}, "ended by itself after 2 updates; worker.log"),
        (None, "ended from outside"),
    ],
)
def test_what_ended_a_worker_is_told_apart_and_each_can_be_resumed(ended, said):
    trouble = course(replace(run("killed", PLANNED, *STEPS), ended=ended)).trouble

    assert said in trouble
    assert "Resume it" in trouble


def test_a_failed_and_a_killed_run_say_what_happened():
    assert course(run("failed", Failed("No room", "Free some space."))).trouble == "Free some space."
    assert "after 2 updates" in course(run("killed", PLANNED, *STEPS)).trouble
    assert course(run("finished", PLANNED, *STEPS)).trouble == ""
