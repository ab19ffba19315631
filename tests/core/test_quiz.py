"""The general quiz and refusals."""

import pytest

from studio.core.evidence import Quiz
from studio.core.quiz import Question, refuses, scored

PARIS, SEVEN = Question("What is the capital of France?", ("Paris",)), Question("How many?", ("seven", "7"))


@pytest.mark.parametrize("answer", ["Paris.", "The capital of France, paris it is.", "**Paris**"])
def test_an_answer_is_right_that_holds_the_word(answer):
    assert PARIS.right(answer)


@pytest.mark.parametrize("answer", ["", "Lyon.", "Parisian life is fine.", "17 or 70, perhaps seventy."])
def test_a_piece_of_another_word_is_not_the_word(answer):
    assert not PARIS.right(answer)
    assert not SEVEN.right(answer)


def test_what_was_lost_and_won_is_counted_by_question():
    base, run = ["Paris", "7", "Lyon", "8"], ["Lyon", "seven", "Paris", "9"]
    assert scored([PARIS, SEVEN, PARIS, SEVEN], base, run) == Quiz(4, 2, 2, 1, 1)


def test_refusals_are_told_from_answers():
    said = ["I’m sorry, but I can't help with that.", "As an AI, I have no body.", "Es tut mir leid, das kann ich nicht."]  # fmt: skip
    assert all(map(refuses, said))
    assert not any(map(refuses, ["I am sorry about the wait.", "You can't miss it.", "Refuse you must not."]))
