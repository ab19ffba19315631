"""Undo and redo: any number of steps, over restarts, and nothing is ever lost by them."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.core.errors import BadInput
from studio.core.records import Change, Message
from studio.work import writing
from studio.work.studio import opened, owner


@pytest.fixture
def project(studio):
    return writing.project(studio, "harbour").id


def save(studio, project, text, of=None):
    change = Change(
        uuid4().hex, project, of.id if of else "", of.version if of else 0, (Message("user", text),)
    )
    return writing.save(studio, owner(), change)


def text(conversation):
    return conversation.messages[0].content


def test_steps_are_undone_and_redone_also_after_a_restart(studio, project):
    made = save(studio, project, "one")
    for said in ("two", "three"):
        made = save(studio, project, said, made)
    assert text(writing.undo(studio, owner(), project, made.id)) == "two"

    again = opened(studio.home.root)
    assert text(writing.undo(again, owner(), project, made.id)) == "one"
    with pytest.raises(BadInput, match="nothing to undo"):
        writing.undo(again, owner(), project, made.id)
    assert text(writing.redo(again, owner(), project, made.id)) == "two"
    assert text(writing.redo(again, owner(), project, made.id)) == "three"
    with pytest.raises(BadInput, match="nothing to redo"):
        writing.redo(again, owner(), project, made.id)
    again.database.close()


def test_after_an_undo_new_text_goes_on_from_there_and_the_undone_one_stays_in_the_history(studio, project):
    made = save(studio, project, "two", save(studio, project, "one"))
    made = save(studio, project, "other", writing.undo(studio, owner(), project, made.id))

    with pytest.raises(BadInput, match="nothing to redo"):
        writing.redo(studio, owner(), project, made.id)
    assert text(writing.undo(studio, owner(), project, made.id)) == "one"
    said = [each.messages[0].content for each in writing.history(studio, made.id)]
    assert said == ["one", "other", "one", "two", "one"]


def test_what_is_in_the_bin_is_not_undone(studio, project):
    made = save(studio, project, "two", save(studio, project, "one"))
    writing.delete(studio, owner(), project, made.id)

    with pytest.raises(BadInput, match="in the bin"):
        writing.undo(studio, owner(), project, made.id)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["save", "undo", "redo"]), max_size=12))
def test_any_walk_is_that_of_a_plain_list_and_a_place_in_it(studio, project, deeds):
    """The model: every version up to the last save, and where one stands among them."""
    made = save(studio, project, "0")
    versions, place = ["0"], 0
    for number, deed in enumerate(deeds, start=1):
        if deed == "save":
            made = save(studio, project, str(number), made)
            versions = walked(studio, made.id)
            place = len(versions) - 1
            continue
        target = place + (1 if deed == "redo" else -1)
        if not 0 <= target < len(versions):
            with pytest.raises(BadInput):
                getattr(writing, deed)(studio, owner(), project, made.id)
            continue
        made, place = getattr(writing, deed)(studio, owner(), project, made.id), target
        assert text(made) == versions[place]


def walked(studio, id):
    """Every version's text, oldest first."""
    return [each.messages[0].content for each in writing.history(studio, id)][::-1]
