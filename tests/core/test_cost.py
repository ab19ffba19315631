from dataclasses import replace
from pathlib import Path

import pytest

from studio.core.cost import Work, cost, evaluations
from studio.core.progress import (
    Discarded,
    Evaluated,
    Finished,
    Loading,
    Paused,
    Planned,
    Resumed,
    Sampled,
    Saved,
    Stepped,
    as_line,
)
from studio.core.recipe import Recipe
from studio.core.records import Run

MB = 2**20
LOADING = (0, Loading("starter", "cpu", "bf16", ""))
PLANNED = Planned(
    4, 500, 4, 20, "fast", held_out_tokens=300, gauge_tokens=700, row=800, row_limit=2048, token_bytes=MB, memory_mb=600
)  # fmt: skip
MEASURED = [
    LOADING,
    (10, PLANNED),
    (15, Evaluated(0, 3.5, 1.0, True)),
    (17, Sampled(0, ("Yes.",))),
    (26, Stepped(1, 3.0, 1e-4, 700, 9.0, 0.5, 900)),
    (30, Stepped(2, 2.5, 2e-4, 800, 4.0, 0.5, 1000)),
    (36, Saved(2, "best-2")),
    (36, Evaluated(2, 2.9, 1.1, True)),
    (38, Sampled(2, ("Yes.",))),
    (39, Discarded(2)),
]


def run(events, card=None, batch=4):
    lines = tuple(as_line(event, at, at) for at, event in events)
    return Run("1", Path("1"), "finished", {"recipe": {"batch": batch}}, card, lines)


def test_what_a_run_took_is_told_part_by_part():
    spent = cost(run(MEASURED))

    assert (spent.precision, spent.start, spent.length) == ("bf16", 10, 200)
    assert spent.token == 4 / 800  # the first update warms up
    assert spent.measured_token == (5 + 6) / 2 / 1000
    assert spent.besides == (2 + 2 + 1) / 2  # the answers to the watch-prompts, and the saving at the end


def test_a_forecast_is_the_sum_of_its_parts():
    work = Work(updates=100, evaluations=7, tokens=1600, row=800, held_out=1300)
    measured = 0.0055

    assert cost(run(MEASURED)).seconds(work) == pytest.approx(
        10 + 100 * 8 + 7 * (2000 * measured + 2.5) + 2 * 1300 * measured
    )


def test_memory_grows_with_the_longest_row_and_is_never_below_what_loading_takes():
    spent = cost(run(MEASURED))
    work = Work(100, 7, 1600, 800, 1300)

    assert spent.memory(work) == 1000 * MB
    assert spent.memory(replace(work, row=1000)) == 1200 * MB
    assert spent.memory(replace(work, row=100)) == 600 * MB
    assert cost(run(MEASURED, card={"peak_memory_mb": 1100})).memory(work) == 1100 * MB


def test_a_measurement_of_a_few_updates_has_not_met_the_worst_and_a_whole_run_has():
    reckoned = [*MEASURED[:1], (10, replace(PLANNED, needed_mb=1300)), *MEASURED[2:]]
    work = Work(100, 7, 1600, 850, 1300)

    assert (
        cost(run(reckoned)).memory(work) == 1200 * MB
    )  # between the 1,000 that were held and the 1,300 reckoned
    assert cost(run(reckoned, card={"peak_memory_mb": 1100})).memory(work) == 1150 * MB


def test_what_was_saved_between_updates_counts_and_what_came_after_the_last_evaluation_is_the_end():
    """A run that was kept reads its held-out conversations again, which is foretold by itself."""
    events = [*MEASURED[:-1], (48, Stepped(3, 2.4, 2e-4, 800, 4.0, 0.5, 1000)), (50, Finished("finished"))]

    assert cost(run(events)).besides == (2 + 2 + 6) / 2


def test_the_time_in_which_no_worker_was_there_is_not_counted():
    again = [(1000, LOADING[1]), (1010, PLANNED), (1011, Resumed(2, 2)), (1015, Stepped(3, 2.4, 2e-4, 800, 4.0, 0.5, 900))]  # fmt: skip
    spent = cost(run([*MEASURED[:-1], (40, Paused(2)), *again]))

    assert (spent.start, spent.token, spent.most) == (10, 4 / 800, 1000 * MB)
    assert spent.besides == (2 + 2) / 2


@pytest.mark.parametrize("jump", [3600, -3600, 1e9, -1e9])
def test_what_a_run_took_does_not_depend_on_the_machines_clock(jump):
    """It is set forward or back in the middle of an update, and of an evaluation."""
    calm = run(MEASURED)
    for moment in range(1, len(MEASURED)):
        lines = tuple(
            {**each, "at": each["at"] + jump * (at >= moment)} for at, each in enumerate(calm.events)
        )
        assert cost(replace(calm, events=lines)) == cost(calm)


def test_a_resumed_run_counts_by_the_clock_of_each_of_its_workers():
    """The machine was started anew meanwhile, so its steady clock began again."""
    again = [
        (0, LOADING[1]),
        (10, PLANNED),
        (11, Resumed(2, 2)),
        (15, Stepped(3, 2.4, 2e-4, 800, 4.0, 0.5, 900)),
    ]
    lines = (
        *(as_line(event, at, at + 1e6) for at, event in MEASURED[:-1]),
        *(as_line(event, at, at) for at, event in again),
    )
    spent = cost(Run("1", Path("1"), "finished", {"recipe": {"batch": 4}}, None, lines))

    assert (spent.start, spent.token, spent.besides) == (10, 4 / 800, (2 + 2) / 2)


@pytest.mark.parametrize("events", [MEASURED[:2], MEASURED[:4], [LOADING], [LOADING, (10, Planned(4, 500, 4, 20, "fast")), *MEASURED[2:]]])  # fmt: skip
def test_a_run_without_an_update_or_of_an_older_studio_tells_nothing(events):
    assert cost(run(events)) is None


def test_a_run_is_measured_before_on_the_way_and_at_its_end():
    assert evaluations(Recipe(evaluations=6), 100) == 7
    assert evaluations(Recipe(evaluations=6), 3) == 4
    assert evaluations(Recipe(evaluations=4), 10) == 5
