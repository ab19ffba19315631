"""Files in and out of the Write tab: handlers called as the page calls them, on real files."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.records import Wanted
from studio.ui import write, write_files
from studio.work import import_desk, importing, serving, writing

ROW = json.dumps({"messages": [{"role": "user", "content": "<b>Hi</b>"}, {"role": "assistant", "content": "Yes."}]})  # fmt: skip
TABLE = "Frage;Unsere Antwort;Nr\nWo ist es?;Auf dem Schiff.;7\nWann?;Am Abend.;8\nWas?;;9\n"


def uploaded(studio, text, name="rows.jsonl"):
    folder = studio.home.temporary / "upload"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def given(studio, ada, project, text=ROW, name="rows.jsonl"):
    value, _ = write_files.on_upload(studio, ada, project, uploaded(studio, text, name))
    return value


def ended(studio, ada, value, attempt=None):
    """What came of an attempt, once it is over."""
    asking = {"file": value["file"], "attempt": attempt or value["attempt"]}
    for _ in range(1000):
        state = write_files.on_state(studio, ada, asking)
        if state["phase"] != "running":
            return state
        time.sleep(0.01)
    raise AssertionError("it never ended")


def taken(studio, ada, project, value, look=None, **choice):
    asking = {"project": project, "file": value["file"], "look": look or value["attempt"], **choice}
    return ended(studio, ada, value, write_files.on_take(studio, ada, asking)["attempt"])


def test_a_file_is_shown_before_anything_is_taken_and_forgotten_after(studio, ada, project):
    value = given(studio, ada, project, "\n".join([ROW, ROW, "{", json.dumps({"messages": []})]))

    found = ended(studio, ada, value)

    assert [found[each] for each in ("phase", "read", "fine", "duplicates", "refused")] == [
        "done",
        4,
        1,
        1,
        2,
    ]
    assert [(each["row"], each["repeats"]) for each in found["first"]] == [(1, ""), (2, "row 1")]
    assert found["first"][0]["turns"] == [["user", "<b>Hi</b>"], ["assistant", "Yes."]]
    assert found["rejected"][1] == [4, "There are no turns in it."]
    assert writing.count(studio, project) == 0

    done = taken(studio, ada, project, value)
    write_files.on_leave(studio, ada, {"file": value["file"]})

    assert (done["phase"], done["imported"]) == ("done", 1)
    assert writing.count(studio, project) == 1
    assert list(studio.home.temporary.rglob("*.jsonl")) == []


def test_a_table_is_taken_with_the_columns_that_a_person_chose(studio, ada, project):
    value = given(studio, ada, project, TABLE, "kunden.csv")
    found = ended(studio, ada, value)
    assert (found["complete"], found["plan"]["left"], found["refused"]) == (True, ["Nr"], 1)

    swapped = {"question": "Unsere Antwort", "answer": "Frage", "note": "Nr"}
    again = write_files.on_columns(
        studio, ada, {"project": project, "file": value["file"], "columns": swapped}
    )
    assert ended(studio, ada, value, again["attempt"])["fine"] == 2
    chosen = {"status": "draft", "tag": " from  Ben ", "rows": "2-3", "without": []}
    done = taken(studio, ada, project, value, again["attempt"], **chosen)

    (there,) = writing.all_conversations(studio, project)
    assert done["imported"] == 1
    assert [each.content for each in there.messages] == ["Am Abend.", "Wann?"]
    assert (there.status, there.tags, there.note) == ("draft", ("from Ben",), "8")


def test_columns_that_cannot_be_guessed_are_asked_for(studio, ada, project):
    found = ended(studio, ada, given(studio, ada, project, "x,y\n1,2\n", "some.csv"))

    assert (found["complete"], found["plan"]["names"]) == (False, ["x", "y"])


def test_rows_can_be_left_out(studio, ada, project):
    value = given(studio, ada, project, TABLE, "kunden.csv")
    ended(studio, ada, value)

    taken(studio, ada, project, value, without=[1])

    assert [each.messages[0].content for each in writing.all_conversations(studio, project)] == ["Wann?"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"status": "approved"}, "begins as one of"), ({"rows": "one to two"}, "no row numbers"), ({"rows": "1-2-3"}, "no row numbers")],
)  # fmt: skip
def test_what_is_not_to_be_chosen_is_refused(studio, ada, project, wrong, said):
    value = given(studio, ada, project)
    ended(studio, ada, value)

    with pytest.raises(BadInput, match=said):
        taken(studio, ada, project, value, **wrong)


def test_an_import_that_is_stopped_brings_nothing_in(studio, ada, project, monkeypatch):
    rows = (json.dumps({"prompt": f"q{number}", "completion": "a"}) for number in range(3000))
    value = given(studio, ada, project, "\n".join(rows))
    ended(studio, ada, value)
    slowly = importing.conversations.insert_many

    def insert(*given):
        time.sleep(0.05)
        return slowly(*given)

    monkeypatch.setattr(importing.conversations, "insert_many", insert)

    asking = {"project": project, "file": value["file"], "look": value["attempt"]}
    attempt = write_files.on_take(studio, ada, asking)["attempt"]
    write_files.on_stop(studio, ada, {"file": value["file"], "attempt": attempt})

    assert ended(studio, ada, value, attempt)["phase"] == "stopped"
    assert writing.count(studio, project) == 0
    assert importing.past(studio, project) == []


def test_an_attempt_whose_server_was_killed_is_not_told_as_alive(studio, ada, project):
    value = given(studio, ada, project)
    ended(studio, ada, value)
    desk = import_desk.desk_of(studio, value["file"])
    import_desk.write(desk / f"{'0' * 16}.json", {"phase": "running", "read": 0, "written": 0})

    state = write_files.on_state(studio, ada, {"file": value["file"], "attempt": "0" * 16})

    assert (state["phase"], "Nothing was imported" in state["message"]) == ("failed", True)
    with pytest.raises(NotFound, match="Choose it once more"):
        taken(studio, ada, project, value, "0" * 16)


def test_a_file_that_cannot_be_read_says_why(studio, ada, project):
    state = ended(studio, ada, given(studio, ada, project, "{not json", "bad.json"))

    assert state["phase"] == "failed"
    assert state["message"].startswith("bad.json is not JSON")


def test_only_an_uploaded_file_can_be_read_or_forgotten(studio, ada, project, tmp_path):
    private = tmp_path / "private.jsonl"
    private.write_text(ROW)
    link = studio.home.temporary / "link.jsonl"
    link.symlink_to(private)

    outside = f"{studio.home.temporary}/../studio.db"
    for path in (private, link, studio.home.database, studio.home.temporary, outside, "", None):
        with pytest.raises(BadInput, match="Choose it once more"):
            write_files.on_upload(studio, ada, project, str(path) if path else path)
    for file in ("..", "../../etc", "", "0" * 16, str(private)):
        for handler in (write_files.on_take, write_files.on_leave, write_files.on_state, write_files.on_stop):
            asking = {"project": project, "file": file, "attempt": "0" * 16, "look": "0" * 16}
            with pytest.raises(NotFound, match="Choose it once more"):
                handler(studio, ada, asking)

    assert private.read_text() == ROW
    assert studio.home.database.exists()


def test_an_import_is_undone_but_for_what_was_changed(studio, ada, project):
    value = given(studio, ada, project, TABLE, "kunden.csv")
    ended(studio, ada, value)
    taken(studio, ada, project, value)
    listed = write_files.on_past(studio, ada, {"project": project})
    assert [(each["file"], each["there"], each["by"]) for each in listed["imports"]] == [
        ("kunden.csv", 2, "Ada")
    ]
    changed = writing.read(studio, 1, project)
    write.on_save(studio, ada, {"request": "r", "project": project, "conversation": changed.id, "version": 1, "status": "approved", "messages": [{"role": "user", "content": "x"}]})  # fmt: skip

    undone = write_files.on_undo(studio, ada, {"project": project, "import": listed["imports"][0]["id"]})

    assert undone == {"gone": 1, "stay": 1}
    assert [each.number for each in writing.all_conversations(studio, project)] == [1]


def test_an_export_is_the_texts_as_they_came_in_a_folder_of_its_own(studio, ada, project):
    value = given(studio, ada, project)
    ended(studio, ada, value)
    taken(studio, ada, project, value)

    path = write_files.on_export(studio, ada, project, SimpleNamespace(kind="jsonl"))

    assert Path(path).read_text("utf-8") == ROW + "\n"
    assert serving.is_passed(studio, Path(path))
    assert path.endswith("/Harbour.jsonl")
    with pytest.raises(BadInput, match="nothing to export"):
        write_files.on_export(studio, ada, project, SimpleNamespace(kind="csv", status="approved"))
    with pytest.raises(BadInput, match="no such format"):
        write_files.on_export(studio, ada, project, SimpleNamespace(kind="../x"))


def test_an_empty_project_has_nothing_to_export(studio, project):
    with pytest.raises(BadInput, match="nothing to export"):
        write_files.exported(studio, Wanted(project))
