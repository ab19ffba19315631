"""Files that are brought in, and taken back."""

import json
import threading

import pytest

from studio.core.columns import Columns
from studio.core.errors import NotFound, Stopped, UnreadableFile
from studio.core.reading import Choice
from studio.core.records import Change, Message
from studio.store import conversations
from studio.work import importing, writing


@pytest.fixture
def project(studio):
    return writing.project(studio, "harbour").id


def rows_in(folder, count, name="rows.jsonl", start=0):
    path = folder / name
    path.write_text("\n".join(json.dumps({"prompt": f"q{n}", "completion": f"a{n}"}) for n in range(start, start + count)))  # fmt: skip
    return path


def taken(studio, person, project, path):
    return importing.take(studio, person, project, importing.read_file(studio, project, path))


def test_an_import_is_taken_back_as_one_and_what_was_changed_stays(studio, ada, ben, project, tmp_path):
    done = taken(studio, ada, project, rows_in(tmp_path, 1200))
    one, gone = (writing.read(studio, number, project) for number in (1, 2))
    writing.save(studio, ben, Change("r", project, one.id, 1, (Message("user", "mine"),)))
    writing.delete(studio, ben, project, gone.id)
    (listed,) = importing.past(studio, project)
    assert (listed.file, listed.by, listed.there, listed.changed) == ("rows.jsonl", "Ada", 1199, 1)

    assert importing.undo(studio, ben, project, done.id) == (1198, 1)

    assert [each.number for each in writing.all_conversations(studio, project)] == [1]
    steps = writing.history(studio, writing.read(studio, 7, project).id)
    assert [(each.version, each.kind, each.by) for each in steps] == [
        (2, "deleted", "Ben"),
        (1, "imported", "Ada"),
    ]
    assert len(writing.history(studio, gone.id)) == 2
    assert importing.undo(studio, ben, project, done.id) == (0, 1)
    back = writing.restore(studio, ada, project, steps[0].conversation)
    assert (back.version, back.messages[0].content) == (3, "q6")
    assert (
        taken(studio, ada, project, tmp_path / "rows.jsonl").imported == 1199
    )  # all but the one that is there again


def test_an_import_of_another_project_cannot_be_undone(studio, ada, project, tmp_path):
    done = taken(studio, ada, project, rows_in(tmp_path, 2))

    with pytest.raises(NotFound):
        importing.undo(studio, ada, writing.project(studio, "other").id, done.id)

    assert writing.count(studio, project) == 2


def test_nothing_but_what_came_in_is_in_the_list_of_imports(studio, ada, project, tmp_path):
    taken(studio, ada, project, rows_in(tmp_path, 2))
    assert taken(studio, ada, project, rows_in(tmp_path, 2)).id == ""

    assert len(importing.past(studio, project)) == 1


def test_a_stopped_import_leaves_nothing(studio, ada, project, tmp_path):
    found = importing.read_file(studio, project, rows_in(tmp_path, 3 * importing.BATCH))

    def tell(read, written):
        if read > importing.BATCH:
            raise Stopped("Nothing was imported.")

    with pytest.raises(Stopped):
        importing.bring_in(studio, ada, project, found.source, Choice(), tell)

    assert (writing.count(studio, project), importing.past(studio, project)) == (0, [])


def test_a_file_that_was_changed_after_the_look_is_not_taken(studio, ada, project, tmp_path):
    found = importing.read_file(studio, project, rows_in(tmp_path, 2))
    rows_in(tmp_path, 3)

    with pytest.raises(UnreadableFile, match="was changed since"):
        importing.take(studio, ada, project, found)


def test_two_imports_of_one_file_at_once_bring_it_in_once(studio, ada, project, tmp_path):
    found = importing.read_file(studio, project, rows_in(tmp_path, 700))
    done = []
    threads = [threading.Thread(target=lambda: done.append(importing.take(studio, ada, project, found))) for _ in range(2)]  # fmt: skip
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted((each.imported, each.duplicates) for each in done) == [(0, 700), (700, 0)]


def test_a_row_that_stands_twice_far_apart_comes_in_once(studio, ada, project, tmp_path):
    path = rows_in(tmp_path, importing.BATCH + 10)
    path.write_text(path.read_text() + "\n" + json.dumps({"prompt": "q0", "completion": "a0"}))

    found = importing.read_file(studio, project, path)

    assert (found.duplicates, found.repeated) == (1, ((importing.BATCH + 11, "row 1"),))
    done = importing.take(studio, ada, project, found)
    assert (done.imported, done.duplicates) == (importing.BATCH + 10, 1)


def test_a_guess_from_the_content_is_for_a_person_and_not_for_a_script(studio, project, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("a,b\nWhere is it?,It is on the boat by now.\n")

    with pytest.raises(UnreadableFile, match="none of the known shapes"):
        importing.read_file(studio, project, path)

    assert importing.look(studio, project, path).source.plan.guessed
    chosen = importing.look(studio, project, path, columns=Columns(question="b", answer="a"))
    assert chosen.first[0].verdict.messages[0].content == "It is on the boat by now."


def test_what_is_not_kept_of_a_file_is_said(studio, project, tmp_path):
    turns = [{"role": "user", "content": "x", "at": 5}, {"role": "assistant", "content": "y"}]
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"messages": turns, "tags": ["late"], "source": "desk"}))

    found = importing.read_file(studio, project, path)

    assert found.source.plan.left == ("at of a turn", "source")
    assert found.first[0].verdict.tags == ("late",)


def test_ids_are_found_free_without_all_of_them_being_read(studio, ada, project, tmp_path, monkeypatch):
    asked = []
    there = conversations.there
    monkeypatch.setattr(conversations, "there", lambda db, ids: asked.append(len(ids)) or there(db, ids))

    taken(studio, ada, project, rows_in(tmp_path, 2 * importing.BATCH))

    assert asked == [importing.BATCH] * 2
