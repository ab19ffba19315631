from dataclasses import replace
from pathlib import Path

import pytest

from studio.core.course import course
from studio.core.progress import (
    Evaluated,
    Failed,
    Fetching,
    Halved,
    Loading,
    Planned,
    Resumed,
    Skipped,
    Stepped,
    as_line,
)
from studio.core.records import Run


def run(state, *events):
    lines = tuple(as_line(event, at, at) for at, event in enumerate(events))
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


def test_what_a_run_coped_with_is_told_in_sentences():
    skipped = [
        Skipped(3, "the loss was nan and the gradient nan"),
        Skipped(4, "the loss was inf and the gradient inf"),
    ]
    seen = course(
        run("running", PLANNED, *STEPS, *skipped, Halved(5, 512), Resumed(4, -1, "torch 2.13.0 to 2.14.0", 1))
    )

    assert seen.remarks == (
        "2 updates of the plan could not be made (the last of them, update 4): the loss was inf and the gradient inf.",
        "Memory ran short at update 5, so it goes on in rows of 512 tokens: the same updates, more slowly.",
        "It was resumed after 4 updates. 1 of its saved states could not be read, and was passed over. "
        "Since it was planned something else is installed (torch 2.13.0 to 2.14.0), so it may end a little differently "
        "than uninterrupted.",
    )
    assert course(run("running", PLANNED, *STEPS)).remarks == ()


def test_an_update_that_a_resumed_run_makes_after_all_is_no_matter():
    seen = course(run("running", PLANNED, *STEPS, Skipped(3, "the loss was nan"), Resumed(2, -1)))

    assert seen.remarks == ("It was resumed after 2 updates.",)


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


@pytest.mark.parametrize("jump", [3600, -3600, 1e9, -1e9])
def test_the_time_left_does_not_care_about_the_machines_clock(jump):
    """It is set forward or back in the middle of an update, and of an evaluation."""
    events = [Loading("b", "cpu", "bf16", ""), PLANNED, Evaluated(0, 3.5, 1.0, True), *STEPS, Evaluated(2, 2.9, 1.1, True), Stepped(3, 2.4, 2e-4, 300, 2.0, 0.5)]  # fmt: skip
    calm = run("running", *events)
    for moment in range(1, len(events)):
        lines = tuple(
            {**each, "at": each["at"] + jump * (at >= moment)} for at, each in enumerate(calm.events)
        )
        moved = replace(calm, events=lines)

        assert course(moved).seconds_left == course(calm).seconds_left == pytest.approx(28 / 3)

    # Runs from before events told of a steadier clock go by the time that they have.
    old = replace(calm, events=tuple({k: v for k, v in each.items() if k != "clock"} for each in calm.events))
    assert course(old).seconds_left == pytest.approx(28 / 3)


def test_a_resumed_run_counts_by_the_clock_of_its_own_worker():
    """The machine was started anew meanwhile, so its steady clock began again."""
    before = [
        as_line(each, at, at + 1e6) for at, each in enumerate([PLANNED, Evaluated(0, 3.5, 1.0, True), *STEPS])
    ]
    again = [PLANNED, Resumed(2, 0), Stepped(3, 2.3, 2e-4, 300, 2.0, 0.5), Evaluated(3, 2.8, 1.1, True)]
    lines = (*before, *(as_line(each, at, at) for at, each in enumerate(again)))

    assert course(Run("1", Path("1"), "running", {}, None, lines)).seconds_left == 7.0
