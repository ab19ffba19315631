"""The Prompt tab: the base under a system text and the nearest examples."""

import warnings

import gradio as gr
import pytest
from made import built, write_many

from studio.core.errors import BadInput, ModelNotReady
from studio.core.records import Message
from studio.ui import prompt, talk
from studio.work import planning, writing

(
    REST,
    SYSTEM,
    SAID,
    PANE,
    TURNS,
    CHOSEN,
    SHOWN,
    K,
    PINS,
    KEPT,
    VERSION,
    NAME,
    LISTED,
    OTHER,
    DIFFERENCE,
    WRITE,
) = range(16)


def ask(
    studio, person, project, message, turns=(), system="", k=0, pins=None, longest=256, vary=False, seed=0
):
    return prompt.on_ask(
        studio, person, lambda: False, project, system, k, pins, message, list(turns), longest, vary, seed
    )


def last(steps):
    *_, step = steps
    return step


def test_the_tab_is_wired_without_a_warning(studio):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert built(prompt, studio).label == "Prompt"


def test_the_projects_system_text_is_there_at_first_and_what_was_tried_stays(studio, ada, project):
    writing.set_system(studio, ada, project, "You are Harbour.")
    first = prompt.on_open(studio, ada, project, {})
    again = prompt.on_open(studio, ada, project, first[SHOWN])

    assert (first[REST]["visible"], first[SYSTEM]) == (True, "You are Harbour.")
    assert len(first) == len(again) == WRITE + 1
    assert again[SYSTEM] == gr.skip()


def test_without_the_base_nothing_can_be_asked_yet(studio, ada, project, engine):
    engine.path = None

    assert prompt.on_open(studio, ada, project, {})[REST]["visible"] is False


def test_the_model_is_given_system_text_examples_history_and_question_in_that_order(
    studio, ada, project, engine
):
    write_many(studio, ada, project, 12)
    before = [talk.turn("First?") | {"answer": "One."}]
    steps = list(ask(studio, ada, project, "Question 3?", before, "Be kind.", k=2))
    _, turns, box, chosen = steps[-1]
    given = engine.asked[0][0].messages

    assert given[0] == Message("system", "Be kind.")
    assert len(given) == 1 + 2 * 2 + 2 + 1
    assert [each.content for each in given[-3:]] == ["First?", "One.", "Question 3?"]
    assert [each["question"] for each in turns] == ["First?", "Question 3?"]
    assert (steps[0][2], box) == ("", gr.skip())  # emptied once: what is typed meanwhile stays
    assert (
        len([each for each in planning.sides(studio, project).learned if f"{each.number:04}" in chosen]) == 2
    )


def test_held_out_examples_are_never_shown_to_the_model(studio, ada, project, engine):
    write_many(studio, ada, project, 40)
    held_out = {each.messages[0].content for each in planning.sides(studio, project).held_out}
    for question in sorted(held_out):
        last(ask(studio, ada, project, question, k=8))

    shown = {message.content for (asked,) in engine.asked for message in asked.messages[:-1]}
    assert held_out
    assert not shown & held_out


def test_examples_that_find_no_room_are_dropped_and_counted(studio, ada, project, engine):
    write_many(studio, ada, project, 12)
    engine.longest = 256 + 10
    _, _, _, chosen = last(ask(studio, ada, project, "Question 3?", k=5))

    assert "examples found no room" in chosen
    assert len(engine.asked[0][0].messages) < 1 + 2 * 5


def test_no_examples_are_said_to_be_none(studio, ada, project):
    assert "No examples were shown" in last(ask(studio, ada, project, "Hello"))[3]


def test_questions_and_examples_are_shown_as_text(studio, ada, project):
    pane, *_ = last(ask(studio, ada, project, "<img src=x onerror=alert(1)>"))

    assert "<img" not in pane
    assert "&lt;img src=x onerror=alert(1)&gt;" in pane


def test_a_closed_page_stops_the_model(studio, ada, project, engine):
    engine.script, engine.pause = ["a b c d"], talk.PAUSE * 1.2
    asking = ask(studio, ada, project, "Go")
    next(asking)
    next(asking)
    asking.close()

    assert engine.closed == 1


def test_a_refusal_gives_the_question_back(studio, ada, project, engine):
    engine.failure = ModelNotReady("The model is not here. Fetch it first.")
    asking = ask(studio, ada, project, "Precious words")
    next(asking)
    _, turns, box, _ = next(asking)

    assert (turns, box) == ([], "Precious words")
    with pytest.raises(ModelNotReady):
        next(asking)


def test_an_empty_message_is_refused_with_a_sentence(studio, ada, project):
    with pytest.raises(BadInput, match="There is no question yet"):
        list(ask(studio, ada, project, " "))


def test_what_is_no_conversation_is_refused(studio, ada, project):
    with pytest.raises(BadInput, match="Start again"):
        list(
            prompt.on_ask(
                studio, ada, lambda: False, project, "", 0, None, "Hello", [{"question": "x"}], 256, False, 0
            )
        )


def test_start_again_and_stop_leave_a_plain_state(studio, ada):
    assert prompt.emptied()[1] == []
    assert "Half an" in prompt.on_stop(studio, ada, [talk.turn("Q") | {"answer": "Half an"}])[0]
