"""The Write tab's handlers, called as the page calls them, on a real database and real files."""

import json
import re
from pathlib import Path

import pytest
from scripted import ScriptedEngine

from studio.core.errors import BadInput, NotFound, UnreadableFile
from studio.ui import write, write_files
from studio.work import serving, writing
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


def uploaded(studio, rows, name="rows.jsonl"):
    folder = studio.home.temporary / "upload"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(rows))
    return str(folder / name)


ROW = json.dumps(
    {"messages": [{"role": "user", "content": "<b>Hi</b>"}, {"role": "assistant", "content": "Yes."}]}
)


def test_a_file_is_shown_before_anything_is_taken_and_forgotten_after(studio, ada, project):
    path = uploaded(studio, [ROW, ROW, "{", json.dumps({"messages": []})])

    place, said, take, held, _ = write_files.on_upload(studio, ada, project, path)

    assert place["visible"]
    assert (
        "4 rows. 1 good row to import, 1 that say the same as one that is there already, 2 that cannot be used."
        in said
    )
    assert "&lt;b&gt;Hi&lt;/b&gt;" in said
    assert "There are no turns in it." in said
    assert take["value"] == "Import the 1 good row"
    assert writing.count(studio, project) == 0

    write_files.on_take(studio, ada, project, held)

    assert writing.count(studio, project) == 1
    assert list(studio.home.temporary.rglob("*.jsonl")) == []


def test_cancelling_takes_nothing_and_forgets_the_file(studio, ada, project):
    *_, held, _ = write_files.on_upload(studio, ada, project, uploaded(studio, [ROW]))

    write_files.on_leave(studio, ada, held)

    assert writing.count(studio, project) == 0
    assert list(studio.home.temporary.rglob("*.jsonl")) == []
    with pytest.raises(BadInput, match="Choose it once more"):
        write_files.on_take(studio, ada, project, held)


def test_a_file_with_no_good_row_offers_no_import(studio, ada, project):
    _, said, take, *_ = write_files.on_upload(
        studio, ada, project, uploaded(studio, [json.dumps({"messages": []})])
    )

    assert take["visible"] is False
    assert "0 good rows" in said


def test_a_file_that_cannot_be_read_is_refused_and_forgotten(studio, ada, project):
    with pytest.raises(UnreadableFile):
        write_files.on_upload(studio, ada, project, uploaded(studio, ["{not json"], "bad.json"))

    assert list(studio.home.temporary.rglob("*.json")) == []


def test_only_an_uploaded_file_can_be_read_or_forgotten(studio, ada, project, tmp_path):
    private = tmp_path / "private.jsonl"
    private.write_text(ROW)
    link = studio.home.temporary / "link.jsonl"
    link.symlink_to(private)

    for path in (
        private,
        link,
        studio.home.database,
        studio.home.temporary,
        f"{studio.home.temporary}/../studio.db",
        "",
        None,
    ):
        for handler in (write_files.on_upload, write_files.on_take):
            with pytest.raises(BadInput, match="Choose it once more"):
                handler(studio, ada, project, str(path) if path else path)
        write_files.on_leave(studio, ada, str(path) if path else "")

    assert private.read_text() == ROW
    assert studio.home.database.exists()


def test_an_export_is_the_texts_as_they_came_in_a_folder_of_its_own(studio, ada, project):
    write.on_save(studio, ada, given(project))

    path = write.on_export(studio, ada, project)

    with Path(path).open("rb") as lines:
        assert [json.loads(each)["messages"] for each in lines] == [given(project)["messages"]]
    assert path.startswith(str(studio.home.temporary))
    assert path.endswith("/default.jsonl")


def test_an_empty_project_has_nothing_to_export(studio, ada, project):
    with pytest.raises(BadInput, match="nothing to export"):
        write.on_export(studio, ada, project)


def test_a_project_whose_conversations_are_all_in_the_bin_still_shows_its_list(studio, ada, project):
    saved = write.on_save(studio, ada, given(project))["conversation"]
    write.on_delete(studio, ada, {"project": project, "conversation": saved["id"]})

    first, work, *_ = write.on_open(studio, ada, project)

    assert (first["visible"], work["elem_classes"]) == (False, [])


@pytest.mark.parametrize("scripts", [write.LIST_SCRIPTS, write.EDITOR_SCRIPTS])
def test_scripts_that_share_a_scope_do_not_take_each_others_names(scripts):
    """Of two functions of one name the later silently stands for both."""
    together = "\n".join(serving.asset(f"{each}.js").read_text("utf-8") for each in scripts)
    names = re.findall(r"^(?:async )?function (\w+)", together, re.MULTILINE)

    assert len(names) > 10
    assert [each for each in set(names) if names.count(each) > 1] == []
