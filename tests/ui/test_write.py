"""The Write tab's handlers, called as the page calls them, on a real database and real files."""

import pytest
from scripted import ScriptedEngine

from studio.core.errors import BadInput, NotFound
from studio.ui import write, write_files
from studio.work import writing
from studio.work.jobs import Jobs
from studio.work.studio import Studio


@pytest.fixture
def studio(home, database):
    return Studio(home, database, ScriptedEngine(), Jobs(home))


@pytest.fixture
def project(studio):
    return writing.project(studio, "default").id


def given(project, **changes):
    turns = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "  Yes.\n"}]
    made = {
        "request": "r1",
        "project": project,
        "conversation": "",
        "version": 0,
        "messages": turns,
        "status": "draft",
    }
    return {**made, **changes}


def test_a_saved_conversation_comes_back_to_the_byte(studio, ada, project):
    saved = write.on_save(studio, ada, given(project))["conversation"]

    read = write.on_read(studio, ada, {"project": project, "conversation": saved["id"]})["conversation"]

    assert read == saved
    assert read["messages"] == given(project)["messages"]
    assert (read["number"], read["version"], read["deleted"]) == (1, 1, False)


def test_an_answer_that_is_not_learned_and_a_name_are_kept(studio, ada, project):
    turns = [
        {"role": "user", "content": "a", "name": "Ben"},
        {"role": "assistant", "content": "b", "weight": 0},
    ]

    assert write.on_save(studio, ada, given(project, messages=turns))["conversation"]["messages"] == turns


def test_the_same_save_sent_twice_is_done_once(studio, ada, project):
    first = write.on_save(studio, ada, given(project))["conversation"]

    assert write.on_save(studio, ada, given(project))["conversation"] == first
    assert writing.count(studio, project) == 1


@pytest.mark.parametrize(("other", "said"), [("ben", "Ben changed"), ("ada", "in another window")])
def test_a_save_from_an_old_version_answers_the_newest_and_says_who_was_first(
    studio, request, ada, project, other, said
):
    first = write.on_save(studio, ada, given(project))["conversation"]
    theirs = [{"role": "user", "content": "theirs"}]
    changed = given(project, request="r2", conversation=first["id"], version=1, messages=theirs)
    write.on_save(studio, request.getfixturevalue(other), changed)

    refused = write.on_save(studio, ada, given(project, request="r3", conversation=first["id"], version=1))

    assert said in refused["conflict"]["message"]
    assert refused["conflict"]["theirs"]["messages"] == theirs
    assert "kept aside" in [each.kind for each in writing.history(studio, first["id"])]


@pytest.mark.parametrize(
    "changes",
    [{"status": "perfect"}, {"messages": [{"role": "wizard", "content": "x"}]}, {"messages": [{"role": "user", "content": "\ud800"}]},
     {"messages": [{"role": "user", "content": None}]}, {"messages": ["x"]}, {"messages": []}, {"tags": [" "]}],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_a_sentence(studio, ada, project, changes):
    with pytest.raises(BadInput, match=r"\.$"):
        write.on_save(studio, ada, given(project, **changes))

    assert writing.count(studio, project) == 0


def test_a_conversation_of_another_project_cannot_be_read_or_deleted(studio, ada, project):
    mine = write.on_save(studio, ada, given(project))["conversation"]["id"]
    asking = {"project": writing.project(studio, "other").id, "conversation": mine}

    for handler in (write.on_read, write.on_delete, write.on_restore):
        with pytest.raises(NotFound):
            handler(studio, ada, asking)


def test_a_deleted_conversation_is_in_the_bin_and_comes_back(studio, ada, project):
    asking = {
        "project": project,
        "conversation": write.on_save(studio, ada, given(project))["conversation"]["id"],
    }

    assert write.on_delete(studio, ada, asking)["conversation"]["deleted"]
    assert write.on_page(studio, ada, {"project": project})["total"] == 0
    assert write.on_page(studio, ada, {"project": project, "binned": True})["total"] == 1
    assert not write.on_restore(studio, ada, asking)["conversation"]["deleted"]
    assert write.on_page(studio, ada, {"project": project})["total"] == 1


def test_the_list_is_searched_filtered_and_paged_on_the_server(studio, ada, project):
    write.on_starter(studio, ada, project)
    page = write.on_page(studio, ada, {"project": project, "first": 51, "size": 50})

    assert (page["first"], len(page["rows"]), page["total"]) == (51, 10, 60)
    assert len(write.on_page(studio, ada, {"project": project, "size": 10**9})["rows"]) == 60
    found = write.on_page(studio, ada, {"project": project, "search": "GUARANTEE"})
    assert 0 < found["total"] < 60
    assert write.on_page(studio, ada, {"project": project, "status": "approved"})["total"] == 0


def test_the_system_text_is_the_projects(studio, ada, project):
    assert write.on_system(studio, ada, {"project": project, "text": "Be kind."}) == {"system": "Be kind."}

    _, _, _, editor = write.on_open(studio, ada, project)

    assert editor["system"] == "Be kind."


def test_an_empty_project_says_what_to_do_first_and_a_filled_one_does_not(studio, ada, project):
    first, work, *_ = write.on_open(studio, ada, project)
    assert (first["visible"], work["elem_classes"]) == (True, ["gone"])

    first, work, listed, _ = write.on_starter(studio, ada, project)
    assert (first["visible"], work["elem_classes"]) == (False, [])
    assert listed["project"] == project


def test_the_starter_examples_come_in_once(studio, ada, project):
    write.on_starter(studio, ada, project)
    write.on_starter(studio, ada, project)

    assert writing.count(studio, project) == 60
    assert write_files.starter_label().startswith("Load 60 starter examples")


def test_a_project_whose_conversations_are_all_in_the_bin_still_shows_its_list(studio, ada, project):
    saved = write.on_save(studio, ada, given(project))["conversation"]
    write.on_delete(studio, ada, {"project": project, "conversation": saved["id"]})

    first, work, *_ = write.on_open(studio, ada, project)

    assert (first["visible"], work["elem_classes"]) == (False, [])
