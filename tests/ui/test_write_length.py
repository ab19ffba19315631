"""How long a conversation is, told while it is being written."""

import pytest

from studio.core.errors import BadInput
from studio.ui import write_length
from studio.work import serving, writing


def given(project, *contents):
    roles = ("user", "assistant")
    return {
        "project": project,
        "messages": [{"role": roles[n % 2], "content": each} for n, each in enumerate(contents)],
    }


def test_each_turn_and_the_whole_are_counted(studio, ada, project):
    writing.set_system(studio, ada, project, "You are Harbour.")

    told = write_length.on_length(studio, ada, given(project, "Where is it?", "On the boat, I think."))

    assert told == {"turns": (3, 5), "whole": 11, "limit": 2048}


def test_a_conversation_without_an_answer_yet_has_only_its_turns(studio, ada, project):
    told = write_length.on_length(studio, ada, given(project, "Where is it?", ""))

    assert (told["turns"], told["whole"]) == ((3, 0), None)


def test_nothing_is_told_without_the_model_or_while_the_libraries_come(
    studio, ada, project, engine, monkeypatch
):
    engine.path = None
    assert write_length.on_length(studio, ada, given(project, "Where?")) == {}
    monkeypatch.setattr(serving, "warming", lambda: True)
    assert write_length.on_length(studio, ada, given(project, "Where?")) == {"later": True}


def test_what_is_no_conversation_is_refused(studio, ada, project):
    with pytest.raises(BadInput):
        write_length.on_length(
            studio, ada, {"project": project, "messages": [{"role": "narrator", "content": "x"}]}
        )
