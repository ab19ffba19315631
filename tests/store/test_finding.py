"""Finding: what is asked for and nothing else is found, and the index of words says what the conversations say."""

import random
import sqlite3
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from studio.core.errors import BadInput, NotFound
from studio.core.records import Change, Message, Place, Wanted
from studio.store import conversations, finding, marking, projects, search, undoing
from studio.store.database import Database
from tests.store.brought_in import bring_in

AT = "2026-01-01T00:00:00.000+00:00"
EXPECTED = search.FILL.replace("INSERT INTO words (rowid, text, facts)", "")


@pytest.fixture
def harbour(database):
    with database.writing() as db:
        return projects.ensure(db, "harbour", AT)


def talk(*turns):
    return tuple(Message("assistant" if place % 2 else "user", text) for place, text in enumerate(turns))


def write(database, project, person, *turns, at=AT, **fields):
    with database.writing() as db:
        change = Change(uuid4().hex, project.id, "", 0, talk(*turns), **fields)
        return conversations.add_revision(db, change, person, at)


def page(database, wanted, place=None, size=50):
    with database.reading() as db:
        return finding.page(db, wanted, place or Place(), size)


def found(database, project, said="", **wanted):
    return [each.number for each in page(database, Wanted(project.id, search=said, **wanted)).rows]


def differences(database):
    """Where the index says something else than the conversations do."""
    with database.writing() as db:
        there = set(db.exec_driver_sql("SELECT rowid, text, facts FROM words").all())
        wanted = set(db.exec_driver_sql(EXPECTED).all())
        db.exec_driver_sql("INSERT INTO words (words) VALUES ('integrity-check')")
        return there ^ wanted


HOSTILE = ['"', '""', "'", '" OR "', "AND", "NOT", "a AND", "(", ")", "*", "a*", "^a", "text:a", "{text} : x", "-a", "+", "a NEAR b",
           "NEAR(a b)", "\x1f".strip(), ";--", "facts : listed", "''; DROP TABLE words", "“a", "«»", "\\", "%", "_", "🙂", "a\u0300\u0300", "\u200b", "a" * 1000, "x " * 500]  # fmt: skip


@pytest.mark.parametrize("said", HOSTILE)
def test_nothing_that_is_typed_is_taken_as_syntax(database, harbour, ada, said):
    write(database, harbour, ada, "Where is it?", "On the boat.")

    assert found(database, harbour, said) in ([], [1])
    assert found(database, harbour, f"boat {said}") in ([], [1])


@pytest.mark.parametrize(
    ("said", "number"),
    [("東京", 1), ("京都", 1), ("都に", 1), ("届く", 1), ("東京都に届く", 1), ("東", 1), ("く", 1), ("สวัส", 2), ("พัสดุ", 2), ("택배", 3), ("ひらがな", 4), ("カタ", 4), ("ｶﾀ", 4)],
)  # fmt: skip
def test_languages_without_spaces_are_found_by_any_two_characters(database, harbour, ada, said, number):
    for text in ("荷物は東京都に届く", "สวัสดีพัสดุของฉันอยู่ที่ไหน", "제택배어디", "ひらがなとカタカナ"):
        write(database, harbour, ada, text, "はい")

    assert found(database, harbour, said) == [number]
    assert found(database, harbour, "都東") == []


def test_all_words_must_be_there_and_a_phrase_as_it_stands(database, harbour, ada):
    write(database, harbour, ada, "The late parcel", "Is it lost?", "No, but élite", "Good.")
    write(database, harbour, ada, "The parcel is late", "Yes.")

    assert found(database, harbour, "late parcel") == [2, 1]
    assert found(database, harbour, '"late parcel"') == [1]
    assert found(database, harbour, "elit") == [1]
    assert found(database, harbour, "late lost") == [1]
    assert found(database, harbour, "parcels") == []


def test_a_number_finds_its_conversation_first_of_all(database, harbour, ada):
    for number in range(1, 8):
        write(database, harbour, ada, f"Order 2 of {number}", "Here.")

    for said in ("2", "0002", " 2 "):
        assert found(database, harbour, said)[0] == 2
    whole = page(database, Wanted(harbour.id, search="2"), size=3)
    assert ([each.number for each in whole.rows], whole.total) == ([2, 7, 6, 5], 7)
    after = page(database, Wanted(harbour.id, search="2"), Place(whole.end, "after"), 3)
    assert ([each.number for each in after.rows], after.first, after.following) == ([4, 3, 1], 5, False)
    assert found(database, harbour, "0009") == []


def test_only_what_is_in_the_project_and_out_of_the_bin_is_found(database, harbour, ada):
    with database.writing() as db:
        other = projects.ensure(db, "other", AT)
    mine = write(database, harbour, ada, "parcel", "Yes.")
    write(database, other, ada, "parcel", "No.")
    with database.writing() as db:
        conversations.mark_deleted(db, mine.id, True, ada, AT)

    assert found(database, harbour, "parcel") == []
    assert found(database, harbour, "parcel", binned=True) == [1]
    assert found(database, other, "parcel") == [1]
    assert page(database, Wanted("none", search="parcel")).rows == ()


def test_lists_are_narrowed_by_what_is_so_of_a_conversation(database, harbour, ada, ben):
    write(database, harbour, ada, "short", "Yes.", tags=("late", 'a "b"'), status="approved")
    write(database, harbour, ben, "middle", "x" * 600, tags=("later",))
    write(database, harbour, ada, "long [NAME]", "x" * 2500)
    write(database, harbour, ada, "No answer")
    with database.writing() as db:
        db.exec_driver_sql("UPDATE conversations SET imported = 'i1' WHERE number = 2")

    for wanted, numbers in (
        ({"status": "approved"}, [1]), ({"tag": "late"}, [1]), ({"tag": 'a "b"'}, [1]), ({"person": "Ben"}, [2]),
        ({"length": "short"}, [4, 1]), ({"length": "middle"}, [2]), ({"length": "long"}, [3]),
        ({"finding": "placeholder"}, [3]), ({"finding": "structure"}, [4]), ({"finding": "any"}, [4, 3]),
        ({"imported": "i1"}, [2]), ({"tag": "late", "length": "long"}, []),
    ):  # fmt: skip
        assert found(database, harbour, **wanted) == numbers, wanted
    with database.reading() as db:
        assert finding.people(db, harbour.id) == ["Ada", "Ben"]
        assert finding.tags(db, harbour.id) == ['a "b"', "late", "later"]


SORTS = {
    "newest": lambda row: (-row.number,),
    "oldest": lambda row: (row.number,),
    "changed": lambda row: (-row.number % 3, -row.number),
    "longest": lambda row: (-len(row.question), -row.number),
    "shortest": lambda row: (len(row.question), row.number),
}


@pytest.fixture
def forty(database, harbour, ada):
    draw = random.Random(1)
    for number in range(1, 41):
        at = f"2026-01-01T00:00:0{9 - -number % 3}.000+00:00"
        write(database, harbour, ada, "word " + "x" * draw.randint(1, 9), "", at=at, tags=("t",))
    return harbour


@pytest.mark.parametrize(
    "counted", [finding.COUNTED, 5]
)  # 5: what is done with many answers, which counts no further
@pytest.mark.parametrize("asked", [{}, {"search": "word"}, {"tag": "t"}, {"search": "word", "tag": "t"}])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_go_through_all_rows_in_order_and_back(database, forty, monkeypatch, sort, asked, counted):
    monkeypatch.setattr(finding, "COUNTED", counted)
    wanted = Wanted(forty.id, sort=sort, **asked)
    ordered = [each.number for each in sorted(page(database, wanted, size=500).rows, key=SORTS[sort])]
    assert sorted(ordered) == list(range(1, 41))

    pages, place = [], Place()
    while True:
        pages.append(page(database, wanted, place, 7))
        if not pages[-1].following:
            break
        place = Place(pages[-1].end, "after", pages[-1].first + 7)
    assert [row.number for each in pages for row in each.rows] == ordered
    assert [each.first for each in pages] == [1, 8, 15, 22, 29, 36]
    assert {(each.total, each.more) for each in pages} == {
        (5, True) if asked and counted == 5 else (40, False)
    }
    for before, each in zip(pages[-2::-1], pages[:0:-1], strict=True):
        assert page(database, wanted, Place(each.start, "before", before.first), 7) == before
        assert page(database, wanted, Place(each.start, "from", each.first), 7) == each


def test_a_page_stays_though_rows_above_it_come_and_go(database, forty, ada):
    second = page(
        database, Wanted(forty.id), Place(page(database, Wanted(forty.id), size=10).end, "after"), 10
    )
    write(database, forty, ada, "new")
    write(database, forty, ada, "new")
    with database.writing() as db:
        conversations.mark_deleted(db, conversations.load_numbered(db, forty.id, 35).id, True, ada, AT)
        conversations.mark_deleted(db, conversations.load_numbered(db, forty.id, 30).id, True, ada, AT)

    again = page(database, Wanted(forty.id), Place(second.start, "from"), 10)

    assert [each.number for each in again.rows] == list(range(29, 19, -1))
    assert again.first == 12
    end = page(database, Wanted(forty.id), Place("[0, 0]", "from"), 10)
    assert [each.number for each in end.rows] == list(range(10, 0, -1))


@pytest.mark.parametrize(
    "at", ["x", "[]", "[1]", "{}", "[[1],1]", "[1,-1]", '[1,"1"]', "[1,99999999999]", "[" * 200]
)
def test_a_place_that_no_page_gave_is_refused(database, harbour, at):
    with pytest.raises(BadInput, match="Open the list again"):
        page(database, Wanted(harbour.id), Place(at))


def edited_at_random(database, harbour, ada, draw):
    """Saves, imports, marks, undos and the bin, one after the other."""
    with database.writing() as db:
        bring_in(db, harbour, [talk(f"imported {draw.random()} 東京都", "Yes.") for _ in range(20)], ada, AT)
    for step in range(120):
        with database.writing() as db:
            one = conversations.load_numbered(db, harbour.id, draw.randint(1, 20))
            deed = draw.randrange(5)
            if deed == 0:
                change = Change(
                    uuid4().hex,
                    harbour.id,
                    one.id,
                    one.version,
                    talk(f"edited {step} [NAME]", "Ja."),
                    "draft",
                    ("t",),
                )
                conversations.add_revision(db, change, ada, AT)
            elif deed == 1:
                conversations.mark_deleted(db, one.id, not one.deleted, ada, AT)
            elif deed == 2:
                marking.change(
                    db, harbour.id, [one.id], lambda each: replace(each, status="approved"), ada, AT
                )
            elif deed == 3 and one.version > 1 and not one.deleted:
                undoing.walk(db, one.id, "undone", ada, AT)
            elif deed == 4:
                bring_in(db, harbour, [talk(f"more {step}", "Yes.")], ada, AT)


def test_the_index_says_what_the_conversations_say_after_any_edits(database, harbour, ada):
    edited_at_random(database, harbour, ada, random.Random(5))

    assert differences(database) == set()
    with database.writing() as db:
        db.exec_driver_sql("DELETE FROM revisions")
        db.exec_driver_sql("DELETE FROM conversations WHERE number < 10")
    assert differences(database) == set()


@pytest.mark.parametrize("dropped", ["words_changed", "words_removed"])
def test_an_index_that_misses_a_change_is_seen(database, harbour, ada, dropped):
    """The red control of the test above: without one of the triggers the two differ."""
    edited_at_random(database, harbour, ada, random.Random(5))
    with database.writing() as db:
        db.exec_driver_sql(f"DROP TRIGGER {dropped}")
        db.exec_driver_sql("DELETE FROM revisions")
        db.exec_driver_sql("UPDATE conversations SET status = 'rejected' WHERE number = 1")
        db.exec_driver_sql("DELETE FROM conversations WHERE number = 2")

    assert differences(database)


def test_a_change_that_is_undone_leaves_the_index_as_it_was(database, harbour, ada):
    write(database, harbour, ada, "parcel", "Yes.")
    impossible = Change(uuid4().hex, harbour.id, "none", 1, talk("x"))
    with pytest.raises(NotFound), database.writing() as db:  # noqa: PT012
        bring_in(db, harbour, [talk("zebra", "Yes.")], ada, AT)
        conversations.add_revision(db, impossible, ada, AT)

    assert found(database, harbour, "zebra") == []
    write(database, harbour, ada, "giraffe", "Yes.")  # its trigger is there again
    assert found(database, harbour, "giraffe") == [2]
    assert differences(database) == set()


def test_the_index_survives_vacuum(database, harbour, ada):
    for number in range(1, 6):
        write(database, harbour, ada, f"word{number}", "Yes.")
    with database.writing() as db:
        db.exec_driver_sql("DELETE FROM revisions")
        db.exec_driver_sql("DELETE FROM conversations WHERE number IN (1, 3)")
    database.close()
    with sqlite3.connect(database.path, isolation_level=None) as raw:
        raw.execute("VACUUM")

    assert found(database, harbour, "word5") == [5]
    assert differences(database) == set()


def test_an_older_database_is_indexed_when_it_is_opened(home, database, harbour, ada):
    write(database, harbour, ada, "parcel", "Yes.")
    with database.writing() as db:
        for name in search.TRIGGERS:
            db.exec_driver_sql(f"DROP TRIGGER {name}")
        db.exec_driver_sql("DROP TABLE words")
    database.close()

    again = Database.open(home.database)

    assert found(again, harbour, "parcel") == [1]
    assert differences(again) == set()
    again.close()


def test_a_database_of_the_third_migration_keeps_its_conversations_and_gets_lengths(tmp_path):
    from alembic import command
    from alembic.config import Config

    from studio.store import database as databases

    path = tmp_path / "studio.db"
    config = Config()
    config.set_main_option("script_location", str(databases.MIGRATIONS))
    made = sa.create_engine(f"sqlite:///{path}")
    with made.begin() as db:
        config.attributes["connection"] = db
        command.upgrade(config, "0003")
        for id in ("b", "a"):
            db.exec_driver_sql(
                "INSERT INTO projects (id, name, system, base, numbered, created_at) VALUES (?, ?, '', '', 1, '')",
                (id, id),
            )
        row = {"id": "c", "project_id": "a", "number": 1, "version": 1, "messages": '[{"role": "user", "content": "Päckchen"}, {"role": "assistant", "content": "Ja."}]',
               "status": "draft", "tags": "[]", "note": "", "question": "Päckchen", "answer": "Ja.", "turns": 2, "searchable": "x",
               "content_hash": "", "deleted": False, "created_at": "", "updated_at": "", "updated_by": "Ada"}  # fmt: skip
        db.exec_driver_sql(
            f"INSERT INTO conversations ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            tuple(row.values()),
        )
    made.dispose()

    opened = Database.open(path)
    with opened.reading() as db:
        assert db.exec_driver_sql("SELECT size FROM conversations").scalar() == 11
        assert sorted(db.exec_driver_sql("SELECT place FROM projects").scalars()) == [1, 2]
        (row,) = finding.page(db, Wanted("a", search="packchen", length="short"), Place(), 10).rows
    assert row.number == 1
    opened.close()
