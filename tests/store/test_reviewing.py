"""What waits for a second pair of eyes, and who said what of a conversation."""

from dataclasses import replace

import pytest

from studio.core.records import Change, Message
from studio.store import conversations, projects, reviewing

AT = "2026-01-01T00:00:00.000+00:00"


@pytest.fixture
def harbour(database):
    with database.writing() as db:
        return projects.ensure(db, "harbour", AT).id


def save(database, project, person, text="Hi", of=None, **more):
    change = Change("", project, of.id if of else "", of.version if of else 0, (Message("user", text),), **more)  # fmt: skip
    with database.writing() as db:
        return conversations.add_revision(db, change, person, AT)


def queue(database, project, person, **more):
    with database.reading() as db:
        page = reviewing.queue(db, project, person, **more)
        return [each.number for each in page.rows], page.total


def test_who_is_alone_reviews_all_that_is_ready(database, harbour, ada):
    save(database, harbour, ada, status="ready")
    save(database, harbour, ada, status="draft")

    assert queue(database, harbour, ada) == ([1], 1)


def test_of_two_each_reviews_what_the_other_changed_last(database, harbour, ada, ben):
    first = save(database, harbour, ada, status="ready")
    save(database, harbour, ada, status="ready")
    save(database, harbour, ben, status="ready")
    save(database, harbour, ben, status="approved")
    assert (queue(database, harbour, ada), queue(database, harbour, ben)) == (([3], 1), ([2, 1], 2))

    save(database, harbour, ben, "better", of=first, status="ready")

    assert (queue(database, harbour, ada), queue(database, harbour, ben)) == (([3, 1], 2), ([2], 1))


def test_it_is_paged_and_a_page_beyond_the_end_is_the_last(database, harbour, ada):
    for _ in range(5):
        save(database, harbour, ada, status="ready")

    assert queue(database, harbour, ada, first=3, size=2) == ([3, 2], 5)
    assert queue(database, harbour, ada, first=9, size=2) == ([1], 5)


def test_in_turn_they_begin_behind_the_one_that_is_open_and_come_round(database, harbour, ada):
    ids = [save(database, harbour, ada, status="ready").id for _ in range(4)]

    with database.reading() as db:
        assert reviewing.in_turn(db, harbour, ada, 3, 10) == [ids[1], ids[0], ids[3]]
        assert reviewing.in_turn(db, harbour, ada, 0, 2) == [ids[3], ids[2]]


def test_a_rejection_is_that_of_the_step_that_rejected_until_it_is_ready_again(database, harbour, ada, ben):
    def rejection(of):
        with database.reading() as db:
            found = reviewing.rejection(db, of.id)
            return found and (found.by, found.reason, found.version)

    made = save(database, harbour, ada, status="ready")
    assert rejection(made) is None
    made = save(database, harbour, ben, of=made, status="rejected", reason="too formal")
    made = save(database, harbour, ada, "hey", of=made, status="rejected", reason="too formal")
    assert rejection(made) == ("Ben", "too formal", 2)

    made = save(database, harbour, ada, "hey you", of=made, status="ready", reason="too formal")
    assert rejection(made) is None
    assert made.reason == ""
    assert [each.reason for each in history(database, made)] == ["", "too formal", "too formal", ""]


def history(database, of):
    with database.reading() as db:
        return conversations.history(db, of.id)


def test_a_reason_is_kept_by_a_repeated_request(database, harbour, ben):
    change = Change("once", harbour, "", 0, (Message("user", "x"),), "rejected", reason="too long")
    with database.writing() as db:
        first = conversations.add_revision(db, change, ben, AT)
        again = conversations.add_revision(db, replace(change), ben, AT)

    assert first == again
    assert again.reason == "too long"
