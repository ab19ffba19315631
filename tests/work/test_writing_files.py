import json
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.core.errors import BadInput, DoesNotFit, UnreadableFile
from studio.core.records import Change, Message, Wanted
from studio.core.split import held_out
from studio.work import importing, writing


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


def row(question="Where is it?", answer="On the boat."):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def file_of(folder, *rows, name="some.jsonl"):
    path = folder / name
    path.write_bytes(b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in rows))
    return path


def test_a_file_is_judged_row_by_row_before_anything_comes_in(studio, ada, project, tmp_path):
    writing.save(studio, ada, change(project, "known"))
    rows = [row("new"), row("known"), row("new"), row("bad", ""), row("newer")]

    reading = importing.read_file(studio, project.id, file_of(tmp_path, *rows))

    assert (reading.format, reading.read, reading.fine, reading.duplicates) == ("messages", 5, 2, 2)
    assert [(each.verdict.row, each.repeats) for each in reading.first] == [
        (1, ""),
        (2, "conversation 0001"),
        (3, "row 1"),
        (5, ""),
    ]
    assert reading.repeated == ((2, "conversation 0001"), (3, "row 1"))
    assert reading.rejected == ((4, "Turn 2 is empty."),)
    assert writing.count(studio, project.id) == 1
    dry = importing.seen_only(reading)
    assert (dry.read, dry.imported, dry.duplicates, dry.rejected) == (5, 0, 2, reading.rejected)


def test_what_is_taken_comes_in_once(studio, ada, project, tmp_path):
    reading = importing.read_file(
        studio, project.id, file_of(tmp_path, row("a"), row("b", ""), row("c"), row("a"))
    )

    first = importing.take(studio, ada, project.id, reading)
    second = importing.take(studio, ada, project.id, reading)

    assert (first.read, first.imported, first.duplicates, len(first.rejected), first.format) == (
        4,
        2,
        1,
        1,
        "messages",
    )
    assert (second.imported, second.duplicates) == (0, 3)
    assert [each.messages[0].content for each in writing.all_conversations(studio, project.id)] == ["a", "c"]


def test_two_homes_hold_out_the_same_rows_of_the_same_file(studio, ada, tmp_path):
    path = file_of(tmp_path, *(row(f"question {number}") for number in range(50)))

    def split(name):
        project = writing.project(studio, name)
        importing.take(studio, ada, project.id, importing.read_file(studio, project.id, path))
        there = writing.all_conversations(studio, project.id)
        apart = held_out([each.id for each in there])
        return {each.messages[0].content for each in there if each.id in apart}

    from studio.store.database import Database

    first = split("harbour")
    studio = replace(studio, database=Database.open(tmp_path / "elsewhere.db"))
    writing.project(studio, "something else first")
    assert split("harbour") == first
    assert 0 < len(first) < 50


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("messages", json.dumps([row()])),
        ("sharegpt", json.dumps([{"conversations": [{"from": "human", "value": "Where is it?"}, {"from": "gpt", "value": "On the boat."}]}])),
        ("alpaca", json.dumps([{"instruction": "Where is it?", "input": "", "output": "On the boat."}])),
        ("alpaca", "instruction,input,output\nWhere is it?,,On the boat.\n"),
        ("prompt", '{"prompt": "Where is it?", "completion": "On the boat."}'),
        ("prompt", "prompt;completion\nWhere is it?;On the boat.\n"),
        ("messages", 'messages\n"' + json.dumps(row()["messages"]).replace('"', '""') + '"\n'),
    ],
)  # fmt: skip
def test_every_shape_comes_in(studio, ada, project, tmp_path, format, content):
    path = tmp_path / "some file"
    path.write_text(content)

    for asked in ("auto", format):
        reading = importing.read_file(studio, project.id, path, asked)
        assert reading.format == format
        assert [each.verdict.messages for each in reading.first] == [talk()]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[]", "has no rows"),
        (b"", "is empty"),
        (b'[{"name": "Ada", "age": 36}]', "its first row has the fields `name`, `age`"),
        (b"{}", "its first row has the fields none"),
        (b'{"a": NaN}\n{"a": NaN}', "None of the rows of some file can be read. Row 1: This row is not JSON"),
    ],
)
def test_a_file_that_is_none_of_the_shapes_is_refused(studio, project, tmp_path, content, said):
    (tmp_path / "some file").write_bytes(content)

    with pytest.raises(UnreadableFile, match=said):
        importing.read_file(studio, project.id, tmp_path / "some file")


def test_an_unknown_format_is_refused(studio, project, tmp_path):
    with pytest.raises(BadInput, match="no format named “xml”"):
        importing.read_file(studio, project.id, file_of(tmp_path, row()), "xml")


def test_a_lone_surrogate_in_a_file_is_a_reason_and_the_rest_comes_in(studio, ada, project, tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_text(
        json.dumps(row("a\ud800")) + "\n" + json.dumps(row("a\U0001f600")) + "\n"
    )  # as \ud800 and a pair

    taken = importing.take(studio, ada, project.id, importing.read_file(studio, project.id, path))

    assert taken.imported == 1
    assert taken.rejected[0][1].startswith("Turn 1 holds half of a character (U+D800)")


def test_an_import_that_does_not_fit_brings_nothing_in(studio, ada, project, tmp_path):
    reading = importing.read_file(
        studio, project.id, file_of(tmp_path, *(row(f"{n} {'x' * 500}") for n in range(2000)))
    )
    with studio.database.writing() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")

    with pytest.raises(DoesNotFit):
        importing.take(studio, ada, project.id, reading)

    assert writing.count(studio, project.id) == 0


def test_the_starter_examples_are_good_from_the_first_to_the_last(studio, project):
    reading = importing.starter_examples(studio, project.id)

    assert reading.rejected == ()
    assert reading.duplicates == 0
    assert reading.fine >= 50


# Out by file

# All of Unicode but for what no file can hold (surrogates) and what is refused (control characters below U+0020).
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="".join(map(chr, (*range(9), 11, 12, *range(14, 32))))), min_size=1)  # fmt: skip
SPOKEN = ANY_TEXT.filter(str.strip)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(SPOKEN, SPOKEN), min_size=1, max_size=4, unique=True),
    st.none() | ANY_TEXT,
    st.sampled_from([None, 0, 1, 0.5]),
)
def test_texts_go_out_to_the_byte_as_they_came_in(studio, ada, tmp_path, rounds, system, weight):
    project = writing.project(studio, uuid4().hex)
    rows = [row(*each) for each in rounds]
    for each in rows:
        if system is not None:
            each["messages"].insert(0, {"role": "system", "content": system})
        if weight is not None:
            each["messages"][-1]["weight"] = weight
    path = file_of(tmp_path, *rows)

    taken = importing.take(studio, ada, project.id, importing.read_file(studio, project.id, path))
    writing.export_file(studio, Wanted(project.id), tmp_path / "out.jsonl")

    assert taken.imported == len(rows)
    assert (tmp_path / "out.jsonl").read_bytes() == path.read_bytes()


def test_an_export_leaves_out_the_bin_and_other_statuses(studio, ada, project, tmp_path):
    kept = writing.save(studio, ada, change(project, "kept", status="approved"))
    writing.save(studio, ada, change(project, "draft"))
    gone = writing.save(studio, ada, change(project, "gone", status="approved"))
    writing.delete(studio, ada, project.id, gone.id)

    written = writing.export_file(studio, Wanted(project.id, status="approved"), tmp_path / "out.jsonl")

    assert written == (1, 0)
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()] == [row("kept")]
    assert writing.export_file(studio, Wanted(project.id), tmp_path / "out.jsonl") == (2, 0)
    assert kept.number == 1


def test_an_empty_set_goes_out_as_an_empty_file(studio, project, tmp_path):
    assert writing.export_file(studio, Wanted(project.id), tmp_path / "out.jsonl") == (0, 0)
    assert (tmp_path / "out.jsonl").read_bytes() == b""
