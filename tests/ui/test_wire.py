"""The seam: what handlers are given, what Gradio sees of them, and what a person reads when they fail."""

import gradio as gr
import pytest
from gradio.utils import check_function_inputs_match
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

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


def asking(cookies):
    """A request as a server function gets it, and the same as Gradio wraps it for an event."""
    header = [(b"cookie", cookies.encode("latin-1"))] if cookies is not None else []
    plain = Request({"type": "http", "headers": header})
    return plain, gr.Request(plain)


@pytest.mark.parametrize(
    ("cookies", "name"),
    [("studio_name=Ada", "Ada"), ("a=b; studio_name=Ad%C3%A8le%20B.; c=d", "Adèle B."), ("studio_name=%3Cscript%3E", "<script>"),
     # Other programs of this machine may set cookies for its name: one called like a method of Gradio's wrapper breaks that.
     ("keys=1; __class__=x; __dict__=y; studio_name=Ada", "Ada")],
)  # fmt: skip
def test_a_person_is_who_the_cookie_says(cookies, name):
    for request in asking(cookies):
        assert wire.who(request).name == name


@pytest.mark.parametrize(
    "cookies",
    [None, "", "studio_name", "studio_name=", "studio_name=%20%20", "studio_name=%00", "studio_name=a%0Ab%1B", "studio_name=%ED%A0%80",
     "studio_name=%FF%FE", "studio_name=%E2%80%AEadA", "studio_name=" + "x" * 61, "studio_name=" + "%41" * 100_000,
     "Studio_Name=Ada", "=;;;=", "studio_name=\xff\x80", 'studio_name="\\000"'],
)  # fmt: skip
def test_a_cookie_that_is_odd_in_any_way_is_the_owner(cookies):
    for request in asking(cookies):
        assert wire.who(request) == owner()


@given(st.text(st.characters(codec="latin-1"), max_size=200))
def test_no_cookie_breaks_or_brings_in_what_a_name_may_not_hold(cookies):
    for request in (*asking(cookies), *asking("studio_name=" + cookies)):
        name = wire.who(request).name
        assert name == owner().name or (name.isprintable() and 0 < len(name) <= 60)


def test_every_way_in_knows_the_person():
    def told_by(studio, person, *values):
        return person.name

    def streams(studio, person):
        yield person.name

    plain, wrapped = asking("studio_name=Ben")
    assert wire.bind(None, told_by)(wrapped) == "Ben"
    assert list(wire.bind(None, streams)(wrapped)) == ["Ben"]
    assert wire.bind_server(None, told_by)("given", plain) == "Ben"
