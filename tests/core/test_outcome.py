"""What is said of a finished run follows fixed rules."""

import pytest

from studio.core.course import Course
from studio.core.outcome import distance, told
from studio.core.stats import change_interval


def course(held_out=(), watched=(), best=None):
    return Course(0, 0, 0.0, None, (), tuple(held_out), (), best, "", "", None, watched=tuple(watched))


def card(before=3.0, best=2.0, last=2.0, interval=(-0.4, -0.2)):
    return {
        "held_out_loss": {"before": before, "best": best, "last": last},
        "held_out_change": interval,
    }


def said(*args):
    return " ".join(sentence for sentence, _ in told(*args))


@pytest.mark.parametrize(
    ("given", "learned", "words"),
    [
        (
            card(best=2.9),
            40,
            "The style hardly moved. Try the next stronger setting, or write 60 more examples.",
        ),
        (card(best=2.9), 400, "or more passes"),
        (card(interval=(-0.4, 0.1)), 40, "It is not sure that the style moved at all"),
        (card(), 40, "fallen by 20 % to 40 % (95 %)"),
        (card(last=2.1), 40, "began to learn your examples by heart"),
    ],
)
def test_whether_the_style_moved_is_said_with_the_next_step(given, learned, words):
    assert words in said(given, course(), learned)


def test_a_run_that_was_still_getting_better_is_told_so():
    assert "more passes would teach more" in said(card(), course([(0, 3.0), (5, 2.2), (10, 2.0)]), 90)
    assert "more passes" not in said(card(), course([(0, 3.0), (5, 2.01), (10, 2.0)]), 90)


def test_what_the_answers_to_the_watch_prompts_are_from_the_bases():
    base, tuned = ("It sails at six.", "Yes."), ("At six it sails, it does.", "Yes.")
    heard = said(card(), course(watched=[(0, base), (4, tuned)], best=(4, 2.0)), 90)

    assert "1 of 2 answers to the watch-prompts are other than the base's" in heard
    assert "word for word" in said(card(), course(watched=[(0, base), (4, base)], best=(4, 2.0)), 90)
    assert distance("a b c", "a b c") == 0
    assert distance("a b", "c d") == 1


def test_an_interval_is_narrow_for_what_all_conversations_say_and_wide_for_what_one_does():
    alike = change_interval([10, 12, 9, 11] * 5, [7, 8.4, 6.3, 7.7] * 5)
    assert alike == pytest.approx((-0.3, -0.3))
    low, high = change_interval([10] * 10, [1, *[10] * 9])
    assert low < -0.09 < high == 0
