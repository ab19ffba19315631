"""What a page asks: one thing at a time, and nothing is drawn of what was left."""

import copy
import threading
import time

import gradio as gr
import pytest

from studio.core.errors import BadInput
from studio.ui.asking import Asking, asks, leaves


@pytest.fixture
def page():
    return Asking()


def asked(page, pressed, handler, instead=False, question="question"):
    """The drawings of an event: (what the page shows, what it keeps)."""
    return asks(handler, 0, 1, instead)(None, None, page, pressed, question)


def left(page, pressed, kept="what the page sent"):
    """What the handler of an event that ends answers is given of what the page keeps."""
    return leaves(lambda studio, person, given: given, 0)(None, None, page, pressed, kept)


def until(true):
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def leaving(page, pressed):
    """(a thread that leaves what the page asked, what that comes to when it is done)"""
    over = []
    thread = threading.Thread(target=lambda: over.append(left(page, pressed)))
    thread.start()
    until(lambda: page.left == pressed)
    return thread, over


def growing(studio, person, is_left, question):
    for count in range(1, 4):
        yield f"{question} {count}", [count]


def test_an_answer_is_drawn_as_it_grows_and_last_nothing(page):
    assert list(asked(page, 1, growing)) == [
        ("question 1", [1]), ("question 2", [2]), ("question 3", [3]), gr.skip()
    ]  # fmt: skip
    assert len(list(asked(page, 2, growing, question="another"))) == 4


def test_a_key_pressed_twice_asks_once_however_late_the_second_comes(page):
    assert len(list(asked(page, 1, growing))) == 4
    assert list(asked(page, 2, growing)) == [gr.skip()]
    left(page, 3)  # begun anew, the same may be asked
    assert len(list(asked(page, 4, growing))) == 4


def test_a_question_sent_at_an_answers_last_word_waits_for_its_end(page):
    first = asked(page, 1, growing)
    next(first)
    answered = []
    second = threading.Thread(target=lambda: answered.extend(asked(page, 2, growing, question="and this")))
    second.start()
    time.sleep(0.1)
    assert not answered
    list(first)
    second.join(10)
    assert answered[0] == ("[3] 1", [1])  # it is asked with what was drawn last
    assert len(answered) == 4


def test_where_nothing_is_kept_the_last_drawing_is_the_last(page):
    """Gradio's page would lose the updates in it if another came at once."""
    drawings = asks(growing, None, None, False)(None, None, page, 1, "question")
    assert list(drawings)[-1] == ("question 3", [3])


def test_of_what_was_left_nothing_is_drawn(page):
    drawings = asked(page, 1, growing)
    next(drawings)
    thread, _ = leaving(page, 2)
    assert list(drawings) == [gr.skip()]
    thread.join(10)


def test_what_comes_after_is_drawn_when_the_last_drawing_is_on_its_way(page):
    drawings = asked(page, 1, growing)
    next(drawings)
    thread, over = leaving(page, 2)
    time.sleep(0.1)
    assert not over  # Gradio has not asked for the next drawing: the last may not be on its way yet
    assert next(drawings) == gr.skip()
    thread.join(10)
    assert over == [[1]]


def test_what_was_drawn_last_counts_where_the_page_sent_what_it_had_before(page):
    drawings = asked(page, 1, growing)
    next(drawings), next(drawings)
    thread, over = leaving(page, 2)
    list(drawings)
    thread.join(10)
    assert over == [[2]]
    assert left(page, 3) == "what the page sent"  # nothing is being answered any more


def test_a_closed_page_lets_go_of_what_it_asked(page):
    drawings = asked(page, 1, growing)
    next(drawings)
    drawings.close()
    assert left(page, 2) == "what the page sent"
    assert len(list(asked(page, 3, growing))) == 4


def test_what_was_left_before_it_began_is_not_asked(page):
    left(page, 2)
    assert list(asked(page, 1, growing)) == [gr.skip()]
    assert len(list(asked(page, 3, growing))) == 4


def test_while_one_is_answered_another_is_not_asked_but_instead_of_it(page):
    first = asked(page, 1, growing)
    next(first)
    assert list(asked(page, 2, growing)) == [gr.skip()]  # a key pressed twice
    second, began = asked(page, 3, growing, instead=True), []
    beginning = threading.Thread(target=lambda: began.append(next(second)))
    beginning.start()
    until(lambda: page.is_left(1))
    assert list(first) == [gr.skip()]
    beginning.join(10)
    assert began == [("[1] 1", [1])]  # its value is what the first had drawn
    assert list(asked(page, 4, growing)) == [gr.skip()]  # the second is still being answered


def test_the_model_is_told_at_once_that_it_was_left(page):
    told = []

    def waiting(studio, person, is_left, question):
        yield question, []
        told.append(is_left())
        left(page, 2)
        told.append(is_left())
        yield "late", []

    assert list(asked(page, 1, waiting)) == [("question", []), gr.skip()]
    assert told == [False, True]


def test_what_goes_wrong_is_told_but_not_of_what_was_left(page):
    def failing(studio, person, is_left, question):
        yield question, []
        if question == "question":
            raise BadInput("No.")

    drawings = asked(page, 1, failing)
    next(drawings)
    with pytest.raises(BadInput):
        next(drawings)
    assert len(list(asked(page, 2, growing))) == 4  # what was refused may be asked once more

    left(page, 3)
    drawings = asked(page, 4, failing)
    next(drawings)
    thread, _ = leaving(page, 5)
    assert list(drawings) == [gr.skip()]
    thread.join(10)


def test_what_comes_after_a_later_question_draws_nothing_over_it(page):
    list(asked(page, 2, growing))
    assert left(page, 1) == gr.skip()
    assert left(page, 3) == "what the page sent"


def test_each_page_has_its_own(page):
    page.left = 5
    assert copy.deepcopy(page).left == 0
