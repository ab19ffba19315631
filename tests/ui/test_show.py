"""What is displayed: every text stays text, numbers and words are right, and nothing is told by colour alone."""

import re

import pytest

from studio.core.records import Token
from studio.ui import show

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.mark.parametrize(
    "shown",
    [
        show.empty_state(HOSTILE, HOSTILE),
        show.note(HOSTILE, "warn"),
        show.plan_card([(HOSTILE, HOSTILE)]),
        show.table([HOSTILE], [[HOSTILE]], caption=HOSTILE),
        show.progress(0.5, HOSTILE),
        show.token(Token(1, HOSTILE, True, False)),
    ],
)
def test_a_persons_text_never_becomes_markup(shown):
    assert "<script" not in shown
    assert "<img" not in shown
    # In an attribute it cannot end the attribute either.
    assert HOSTILE not in shown
    assert not re.search(r'="[^"]*"\'>', shown)


def test_a_table_puts_numbers_to_the_right_and_says_what_it_is():
    shown = show.table(["Row", "Why"], [[3, "No answer."]], numeric=[0], caption="Refused rows")

    assert "<td class=num>3</td>" in shown
    assert "<td>No answer.</td>" in shown
    assert "Refused rows</caption>" in shown


@pytest.mark.parametrize(("share", "percent"), [(-1, "0"), (0.504, "50"), (7, "100")])
def test_progress_tells_its_share_in_numbers(share, percent):
    assert f'aria-valuenow="{percent}"' in show.progress(share, "Training")


def test_the_way_has_six_steps_and_marks_the_present_one():
    shown = show.stepper(1)

    assert shown.count("<li") == 6
    assert shown.count("aria-current=step") == 1
    assert "<li class=done><b>Write</b>" in shown
    assert "<li aria-current=step><b>Check</b>" in shown


@pytest.mark.parametrize(
    ("count", "said"),
    [(None, "not known"), (12, "12 bytes"), (2048, "2.0 KB"), (93 * 2**20, "93.0 MB"), (24 * 2**30, "24.0 GB"), (300 * 2**20, "300 MB")],
)  # fmt: skip
def test_sizes_have_a_unit_that_fits(count, said):
    assert show.size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "not known yet"), (40, "40 s"), (540, "9 min"), (7500, "2 h 5 min")]
)
def test_durations_are_said_as_a_person_would(seconds, said):
    assert show.duration(seconds) == said


def test_one_is_not_many():
    assert show.counted(1, "good row") == "1 good row"
    assert show.counted(1024, "good row") == "1,024 good rows"
    assert show.counted(2, "entry", "entries") == "2 entries"
