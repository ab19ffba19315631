"""The seam: what handlers are given, what Gradio sees of them, and what a person reads when they fail."""

import gradio as gr
import pytest
from gradio.utils import check_function_inputs_match

from studio.core.errors import BadInput
from studio.ui import wire
from studio.work.studio import owner


def called(studio, person, first, second="two"):
    return studio, person, first, second


def streaming(studio, person, said):
    try:
        yield from said.split()
    finally:
        studio.append("closed")


def test_a_handler_gets_the_studio_the_person_and_its_inputs():
    assert wire.bind("the studio", called)(None, "one") == ("the studio", owner(), "one", "two")


@pytest.mark.parametrize(("inputs", "fits"), [([1], True), ([1, 2], True), ([], False), ([1, 2, 3], False)])
def test_gradio_counts_the_handlers_own_inputs(inputs, fits, recwarn):
    check_function_inputs_match(wire.bind(None, called), inputs, inputs_as_dict=False)

    assert (not recwarn.list) == fits


def test_what_gradio_gives_by_type_still_arrives():
    def chosen(studio, person, project, event: gr.SelectData):
        return project, event

    hints = wire.bind(None, chosen).__annotations__

    assert hints["event"] is gr.SelectData
    assert hints["request_"] is gr.Request


def test_a_foreseen_failure_becomes_its_own_sentence():
    def fails(studio, person):
        raise BadInput("Row 3 has no question. Write one.")

    with pytest.raises(gr.Error) as shown:
        wire.bind(None, fails)(None)

    assert "Row 3 has no question. Write one." in shown.value.message
    assert "This can&#x27;t be used" in shown.value.message
    assert not shown.value.print_exception


def test_a_persons_text_in_a_message_cannot_become_markup():
    def fails(studio, person):
        raise BadInput("“<img src=x onerror=alert(1)>” is no arm.")

    with pytest.raises(gr.Error) as shown:
        wire.bind(None, fails)(None)

    assert "<img" not in shown.value.message
    assert "&lt;img" in shown.value.message


def test_an_unforeseen_failure_is_logged_whole_and_shown_as_one_sentence(caplog):
    def fails(studio, person):
        raise KeyError("a secret detail")

    with pytest.raises(gr.Error) as shown:
        wire.bind(None, fails)(None)

    assert wire.UNFORESEEN in shown.value.message
    assert "secret" not in shown.value.message
    assert "KeyError: 'a secret detail'" in caplog.text
    assert "Traceback" in caplog.text


def test_a_stream_says_its_failure_like_any_other():
    def fails(studio, person):
        yield "so far"
        raise BadInput("No.")

    words = wire.bind(None, fails)(None)

    assert next(words) == "so far"
    with pytest.raises(gr.Error, match="No"):
        next(words)


def test_a_stream_is_closed_with_its_page():
    closed = []
    words = wire.bind(closed, streaming)(None, "one two three")
    next(words)

    words.close()

    assert closed == ["closed"]


def test_a_server_function_keeps_its_name_and_answers_a_failure():
    def on_save(studio, person, given):
        if "bad" in given:
            raise BadInput("Turn 1 is empty. Write it.")
        return {"by": person.name, **given}

    save = wire.bind_server(None, on_save)

    assert save.__name__ == "on_save"
    assert save({"text": "x"}, None) == {"by": owner().name, "text": "x"}
    assert save({"bad": 1}, None) == {
        "error": {"title": "This can't be used", "message": "Turn 1 is empty. Write it."}
    }


def test_a_server_function_given_nonsense_answers_one_sentence(caplog):
    def on_save(studio, person, given):
        return given["text"]

    assert wire.bind_server(None, on_save)("nonsense", None)["error"]["message"] == wire.UNFORESEEN
    assert "TypeError" in caplog.text
