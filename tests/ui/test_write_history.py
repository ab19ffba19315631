"""A conversation's history as the editor asks for it."""

import pytest

from studio.core.errors import ChangedMeanwhile, NotFound
from studio.core.records import Change, Message
from studio.ui import write_history
from studio.work import writing


@pytest.fixture
def conversation(studio, ada, project):
    def save(request, version, text, id=""):
        talk = (Message("user", "Where?"), Message("assistant", text))
        return writing.save(studio, ada, Change(request, project, id, version, talk))

    first = save("1", 0, "It is here.")
    save("2", 1, "It is there.", first.id)
    with pytest.raises(ChangedMeanwhile):
        save("3", 1, "It was here.", first.id)
    return first.id


def asked(project, conversation, **more):
    return {"project": project, "conversation": conversation, **more}


def test_the_steps_come_newest_first_with_person_and_time(studio, ada, project, conversation):
    steps = write_history.on_history(studio, ada, asked(project, conversation))["steps"]

    assert [(each["place"], each["version"], each["kind"]) for each in steps] == [
        (2, 1, "kept aside"),
        (1, 2, "saved"),
        (0, 1, "saved"),
    ]
    assert {each["by"] for each in steps} == {ada.name}


@pytest.mark.parametrize(
    ("place", "gone", "new"), [(0, "", "Where?It is here."), (1, "here", "there"), (2, "is", "was")]
)
def test_a_step_tells_what_it_changed_of_the_version_it_was_made_from(
    studio, ada, project, conversation, place, gone, new
):
    told = write_history.on_step(studio, ada, asked(project, conversation, place=place))
    parts = [part for turn in told["turns"] for part in turn[3]]

    assert "".join(text for kind, text in parts if kind == "gone") == gone
    assert "".join(text for kind, text in parts if kind == "new") == new
    assert told["content"]["messages"][1]["role"] == "assistant"


@pytest.mark.parametrize("place", [-1, 3])
def test_a_step_that_is_not_there_is_refused(studio, ada, project, conversation, place):
    with pytest.raises(NotFound):
        write_history.on_step(studio, ada, asked(project, conversation, place=place))


def test_another_projects_history_is_not_told(studio, ada, project, conversation):
    other = writing.project(studio, "Other").id
    for handler in (write_history.on_history, write_history.on_step):
        with pytest.raises(NotFound):
            handler(studio, ada, asked(other, conversation, place=0))
