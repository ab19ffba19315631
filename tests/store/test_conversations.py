from dataclasses import replace

import pytest

from studio.core.errors import NotFound
from studio.core.formats import content_hash
from studio.core.records import Change, Message
from studio.store import conversations, projects
from tests.store.brought_in import bring_in

AT = "2026-01-01T00:00:00.000+00:00"


def talk(question, answer="On the boat."):
    return (Message("user", question), Message("assistant", answer))


@pytest.fixture
def harbour(database):
    with database.writing() as db:
        return projects.ensure(db, "harbour", AT)


def taken_in(database, project, person, *questions):
    with database.writing() as db:
        bring_in(db, project, [talk(each) for each in questions], person, AT)
        return [each.id for each in conversations.load_all(db, project.id)]


def test_many_are_imported_in_their_order_with_a_revision_each(database, harbour, ada):
    questions = [f"question {number}" for number in range(2 * conversations.BATCH + 3)]

    ids = taken_in(database, harbour, ada, *questions)

    with database.reading() as db:
        there = conversations.load_all(db, harbour.id)
        steps = conversations.history(db, ids[-1])
    assert [each.messages[0].content for each in there] == questions
    assert [each.number for each in there] == list(range(1, len(questions) + 1))
    assert [(each.version, each.kind, each.by, each.messages) for each in steps] == [(1, "imported", "Ada", talk(questions[-1]))]  # fmt: skip


def test_the_same_content_in_a_project_of_the_same_name_has_the_same_ids_everywhere(
    database, harbour, ada, tmp_path
):
    from studio.store.database import Database

    elsewhere = Database.open(tmp_path / "elsewhere" / "studio.db")
    with elsewhere.writing() as db:
        projects.ensure(db, "another", AT)
        same = projects.ensure(db, "harbour", AT)

    assert taken_in(database, harbour, ada, "a", "b", "a") == taken_in(elsewhere, same, ada, "a", "b", "a")


def test_ids_differ_between_projects_and_between_equal_contents(database, harbour, ada):
    with database.writing() as db:
        other = projects.ensure(db, "other", AT)

    ids = [*taken_in(database, harbour, ada, "a", "a"), *taken_in(database, other, ada, "a")]

    assert len(set(ids)) == 3


def test_content_comes_in_again_after_its_first_copy_was_edited_or_binned(database, harbour, ada):
    first, second = taken_in(database, harbour, ada, "a", "b")
    with database.writing() as db:
        edit = Change("r", harbour.id, first, 1, talk("edited"))
        conversations.add_revision(db, edit, ada, AT)
        conversations.mark_deleted(db, second, True, ada, AT)
        hashes = [content_hash(talk(each)) for each in ("a", "b", "edited")]
        assert conversations.numbers_of(db, harbour.id, hashes) == {hashes[2]: 1}

    assert len(set(taken_in(database, harbour, ada, "a", "b"))) == 3


def test_a_number_is_never_given_twice(database, harbour, ada):
    with database.writing() as db:
        assert projects.take_numbers(db, harbour.id, 3) == 1
        assert projects.take_numbers(db, harbour.id) == 4
        with pytest.raises(NotFound):
            projects.take_numbers(db, "none")


def test_a_request_that_names_nothing_is_never_taken_for_one_sent_before(database, harbour, ada):
    change = Change("", harbour.id, "", 0, talk("a"))
    with database.writing() as db:
        first = conversations.add_revision(db, change, ada, AT)
        second = conversations.add_revision(db, replace(change, messages=talk("b")), ada, AT)

    assert first.id != second.id
