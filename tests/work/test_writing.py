from dataclasses import replace
from uuid import uuid4

import pytest

from studio.core.errors import BadInput, ChangedMeanwhile, NotFound
from studio.core.records import Change, Message
from studio.work import writing


@pytest.fixture
def project(studio):
    return writing.project(studio, "harbour")


def talk(question="Where is it?", answer="On the boat."):
    return (Message("user", question), Message("assistant", answer))


def change(project, question="Where is it?", of=None, **fields):
    made_from = {"conversation": of.id, "version": of.version} if of else {"conversation": "", "version": 0}
    return Change(
        **{"request": uuid4().hex, "project": project.id, **made_from, "messages": talk(question), **fields}
    )


# Projects


def test_a_project_is_made_on_its_first_use_and_found_from_then_on(studio):
    made = writing.project(studio, " Harbour  support ")

    assert (made.name, made.base, made.system) == ("Harbour support", "starter", "")
    assert writing.project(studio, "Harbour support") == made
    assert writing.projects(studio) == [made]
    assert writing.by_id(studio, made.id) == made


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\ud800", "a\0"])
def test_a_name_that_cannot_be_one_is_refused(studio, name):
    with pytest.raises(BadInput):
        writing.project(studio, name)
    assert writing.projects(studio) == []


def test_a_project_keeps_its_system_text(studio, ada, project):
    writing.set_system(studio, ada, project.id, "Be brief.\n")

    assert writing.by_id(studio, project.id).system == "Be brief.\n"
    with pytest.raises(NotFound):
        writing.set_system(studio, ada, "none", "Be brief.")


# Saving


def test_a_saved_conversation_is_read_as_it_was_written(studio, ada, project):
    messages = (
        Message("system", ""),
        Message("user", " a\r\n", name="Ben"),
        Message("assistant", "\u2028é", weight=0),
    )
    saved = writing.save(
        studio, ada, change(project, messages=messages, status="approved", tags=("x", "é"), note="n\n")
    )

    assert writing.read(studio, saved.id, project.id) == saved
    assert (saved.messages, saved.status, saved.tags, saved.note) == (messages, "approved", ("x", "é"), "n\n")
    assert (saved.number, saved.version, saved.updated_by, saved.deleted) == (1, 1, "Ada", False)


def test_each_save_is_a_version_and_none_is_forgotten(studio, ada, ben, project):
    first = writing.save(studio, ada, change(project, "one"))
    second = writing.save(studio, ben, change(project, "two", of=first))

    assert second.version == 2
    assert second.number == first.number
    steps = writing.history(studio, first.id)
    assert [(each.version, each.kind, each.by, each.messages) for each in steps] == [
        (2, "saved", "Ben", talk("two")),
        (1, "saved", "Ada", talk("one")),
    ]


def test_a_request_sent_again_is_done_once_and_answered_as_the_first_time(studio, ada, ben, project):
    asked = change(project, "one")
    first = writing.save(studio, ada, asked)
    edit = change(project, "two", of=first)
    second = writing.save(studio, ada, edit)
    writing.save(studio, ben, change(project, "three", of=second, status="approved", note="Ben's"))

    assert writing.save(studio, ada, asked) == first
    assert (
        writing.save(studio, ada, edit) == second
    )  # not the third: an edit of that would overwrite Ben's text
    assert writing.count(studio, project.id) == 1
    assert len(writing.history(studio, first.id)) == 3


def test_a_save_from_an_old_version_is_refused_and_kept(studio, ada, ben, project):
    first = writing.save(studio, ada, change(project, "one"))
    theirs = writing.save(studio, ben, change(project, "two", of=first))
    mine = change(project, "three", of=first)

    with pytest.raises(ChangedMeanwhile, match="Ben changed this") as refused:
        writing.save(studio, ada, mine)

    assert (refused.value.mine, refused.value.theirs) == (mine, theirs)
    assert writing.read(studio, first.id, project.id) == theirs
    kept = [each for each in writing.history(studio, first.id) if each.kind == "kept aside"]
    assert [(each.version, each.by, each.messages) for each in kept] == [(1, "Ada", talk("three"))]


def test_a_refused_save_sent_again_is_refused_again_and_kept_once(studio, ada, ben, project):
    first = writing.save(studio, ada, change(project, "one"))
    writing.save(studio, ben, change(project, "two", of=first))
    mine = change(project, "three", of=first)

    for _ in range(2):
        with pytest.raises(ChangedMeanwhile):
            writing.save(studio, ada, mine)

    assert [each.kind for each in writing.history(studio, first.id)] == ["kept aside", "saved", "saved"]


def test_two_refused_saves_from_one_version_are_both_kept(studio, ada, ben, project):
    first = writing.save(studio, ada, change(project, "one"))
    writing.save(studio, ben, change(project, "two", of=first))

    for question in ("three", "four"):
        with pytest.raises(ChangedMeanwhile):
            writing.save(studio, ada, change(project, question, of=first))

    kept = [each.messages for each in writing.history(studio, first.id) if each.kind == "kept aside"]
    assert kept == [talk("four"), talk("three")]


def test_a_draft_may_be_unfinished_but_not_without_turns(studio, ada, project):
    messages = (Message("assistant", ""), Message("assistant", ""), Message("user", ""))

    assert writing.save(studio, ada, change(project, messages=messages)).messages == messages
    with pytest.raises(BadInput, match="nothing to save"):
        writing.save(studio, ada, change(project, messages=()))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"messages": talk("a\ud800")}, "Turn 1 holds half of a character"),
        ({"messages": talk("a", "b\0")}, "Turn 2 holds an invisible control character"),
        ({"messages": talk("x" * 1_000_001)}, "Turn 1 is 1,000,001 characters long"),
        ({"messages": (Message("user", None),)}, "Turn 1 is not text"),
        ({"messages": (Message("robot", "x"),)}, "Turn 1 has an unknown role"),
        ({"messages": (Message("user", "x", weight=float("nan")),)}, "The weight of turn 1"),
        ({"messages": (Message("user", "x", name="\x07"),)}, "The name in turn 1"),
        ({"messages": talk() * 501}, "may have 1,000 turns"),
        ({"status": "done"}, "There is no status named “done”"),
        ({"status": ""}, "There is no status named"),
        ({"tags": (" ",)}, "A tag is empty"),
        ({"tags": ("\ud800",)}, "A tag holds half of a character"),
        ({"note": "x" * 10_001}, "The note is 10,001 characters long"),
        ({"request": "\ud800"}, "The request's id holds"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_saved(studio, ada, project, fields, said):
    with pytest.raises(BadInput, match=said):
        writing.save(studio, ada, change(project, **fields))

    assert writing.count(studio, project.id) == 0


def test_a_change_to_what_is_not_there_or_elsewhere_is_refused(studio, ada, project):
    saved = writing.save(studio, ada, change(project))
    other = writing.project(studio, "other")

    for wrong in (
        change(project, conversation="none"),
        replace(change(project), project="none"),
        change(other, of=saved),
    ):
        with pytest.raises(NotFound):
            writing.save(studio, ada, wrong)
    assert writing.read(studio, saved.id, project.id) == saved


# The bin


def test_a_deleted_conversation_lies_in_the_bin_until_it_is_restored(studio, ada, ben, project):
    saved = writing.save(studio, ada, change(project))

    binned = writing.delete(studio, ben, project.id, saved.id)

    assert (binned.deleted, binned.version, binned.updated_by) == (True, 2, "Ben")
    assert (writing.count(studio, project.id), writing.all_conversations(studio, project.id)) == (0, [])
    assert [each.id for each in writing.page(studio, project.id, binned=True).rows] == [saved.id]

    restored = writing.restore(studio, ada, project.id, saved.id)

    assert writing.page(studio, project.id).total == 1
    assert (restored.deleted, restored.messages, restored.version) == (False, saved.messages, 3)
    assert [each.kind for each in writing.history(studio, saved.id)] == ["restored", "deleted", "saved"]


def test_deleting_twice_is_deleting_once(studio, ada, project):
    saved = writing.save(studio, ada, change(project))
    binned = writing.delete(studio, ada, project.id, saved.id)

    assert writing.delete(studio, ada, project.id, saved.id) == binned


def test_a_save_from_before_a_deletion_is_refused_and_says_that_it_lies_in_the_bin(studio, ada, ben, project):
    saved = writing.save(studio, ada, change(project))
    writing.delete(studio, ben, project.id, saved.id)

    with pytest.raises(ChangedMeanwhile) as refused:
        writing.save(studio, ada, change(project, "more", of=saved))

    assert refused.value.theirs.deleted


def test_only_what_is_in_the_project_can_be_deleted(studio, ada, project):
    saved = writing.save(studio, ada, change(project))

    with pytest.raises(NotFound):
        writing.delete(studio, ada, writing.project(studio, "other").id, saved.id)
    assert writing.count(studio, project.id) == 1
