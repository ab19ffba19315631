"""The drawing of a run's losses: what it shows, and what it says to those who do not see it."""

import re

import pytest

from studio.core.course import Course
from studio.ui import charts


def course(learned=(), held_out=(), updates=40, **more):
    best = min(held_out, key=lambda point: point[1], default=None)
    done = learned[-1][0] if learned else 0
    return Course(
        done,
        updates,
        0.0,
        None,
        tuple(learned),
        tuple(held_out),
        tuple(more.pop("general", ())),
        best,
        "",
        "",
        None,
        **more,
    )


LEARNED = [(n, 3.5 - n / 20) for n in range(1, 31)]
HELD_OUT = [(0, 3.6), (10, 3.0), (20, 2.41), (30, 2.5)]


def test_nothing_is_drawn_before_the_first_number():
    assert charts.curve(course()) == ""


def test_the_drawing_says_its_numbers_in_words():
    drawn = charts.curve(course(LEARNED, HELD_OUT))

    assert "held-out from 3.60 to 2.50, best held-out 2.41 at update 20" in drawn
    assert "30 of 40 updates" in drawn


def test_the_best_point_is_marked_where_it_lies():
    told = course(LEARNED, HELD_OUT)
    frame = charts.framed(told, charts.smoothed(told.learned), 760, 280)

    assert f'class="best" cx="{frame.x(20):.1f}" cy="{frame.y(2.41):.1f}"' in charts.curve(told)


def test_the_base_itself_is_never_marked_as_the_best():
    assert 'class="best"' not in charts.curve(course(LEARNED, [(0, 3.0), (10, 3.2)]))


@pytest.mark.parametrize("losses", [[2.0, 2.0], [0.01, 0.02], [1.0, 9.0], [3.31, 3.58]])
def test_every_point_lies_inside_the_frame(losses):
    told = course([(1, losses[0]), (2, losses[1])], [(0, losses[0]), (2, losses[1])], updates=2)
    frame = charts.framed(told, told.learned, 760, 280)

    for update, loss in told.learned:
        assert frame.left <= frame.x(update) <= frame.width - frame.right
        assert frame.top - 0.01 <= frame.y(loss) <= frame.height - frame.bottom + 0.01


def test_a_long_run_is_thinned_and_keeps_its_last_point():
    points = [(n, 1.0) for n in range(1, 10_001)]
    drawn = charts.smoothed(points)

    assert len(drawn) <= charts.MOST + 1
    assert drawn[-1][0] == 10_000


def test_a_long_line_is_the_mean_of_neighbours_and_a_short_one_is_as_it_is():
    zigzag = [(n, float(n % 2)) for n in range(1, 41)]

    assert charts.smoothed(zigzag[:10]) == zigzag[:10]
    assert all(0.3 < loss < 0.7 for _, loss in charts.smoothed(zigzag))


def test_the_lines_between_losses_are_round_numbers_and_few():
    for low, high in ((1.8, 3.6), (0.0, 0.3), (2.0, 11.0)):
        lines = charts.ticks(low, high)
        assert 2 <= len(lines) <= 7
        assert all(
            re.fullmatch(r"\d+\.\d", f"{line:.1f}") and abs(line * 10 - round(line * 10)) < 1e-6
            for line in lines
        )


def test_a_thumbnail_needs_two_measurements():
    assert charts.spark([(0, 3.6)], 40) == ""
    assert "<path" in charts.spark([(0, 3.6), (10, 3.0)], 40)


def test_the_gauge_has_a_drawing_of_its_own_from_the_second_measurement_on():
    assert charts.gauge(course(general=[(0, 0.95)])) == ""

    drawn = charts.gauge(course(general=[(0, 0.95), (20, 0.96), (40, 1.1)]))

    assert "Loss on general text from 0.95 to 1.10." in drawn
    assert heights(drawn)[0] > heights(drawn)[2] > 0  # a rise goes up
    calm = heights(charts.gauge(course(general=[(0, 0.95), (40, 0.951)])))
    assert abs(calm[0] - calm[1]) < 3  # and a line that hardly moves looks calm


def heights(drawn):
    """Of the first drawing's line."""
    line = re.search(r'class="general" d="([^"]*)"', drawn).group(1)
    return [float(each.split()[1]) for each in re.split("[ML]", line) if each.strip()]
