"""Who is at which conversation: until when, and handed out to one window only."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from studio.core.records import Message, Person
from studio.store import conversations, leases, projects
from studio.store.database import Database
from tests.store.brought_in import bring_in

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def harbour(database):
    with database.writing() as db:
        return projects.ensure(db, "harbour", leases.stamp(NOON))


@pytest.fixture
def ids(database, harbour, ada):
    with database.writing() as db:
        talks = [(Message("user", str(number)),) for number in range(40)]
        bring_in(db, harbour, talks, ada, leases.stamp(NOON))
        return [each.id for each in conversations.load_all(db, harbour.id)]


def be_at(database, harbour, id, person, window, at=NOON):
    with database.writing() as db:
        leases.be_at(db, harbour.id, id, person, window, at)


def take(database, harbour, ids, person, window, at=NOON):
    with database.writing() as db:
        return leases.take_first(db, harbour.id, ids, person, window, at)


def present(database, harbour, at=NOON):
    with database.reading() as db:
        found = leases.present(db, harbour.id, at)
        return sorted((each.conversation, each.person) for each in found)


def test_a_window_is_at_one_conversation_and_leaves_it_by_going_to_another(database, harbour, ids, ada):
    be_at(database, harbour, ids[0], ada, "a")
    be_at(database, harbour, ids[1], ada, "a")
    assert present(database, harbour) == [(ids[1], "Ada")]

    be_at(database, harbour, "", ada, "a")
    assert present(database, harbour) == []


def test_it_runs_out_after_two_minutes_unless_it_is_said_again(database, harbour, ids, ada, ben):
    be_at(database, harbour, ids[0], ada, "a")
    be_at(database, harbour, ids[0], ada, "a", NOON + 100 * SECOND)

    assert take(database, harbour, ids[:1], ben, "b", NOON + 219 * SECOND) is None
    assert present(database, harbour, NOON + 219 * SECOND) == [(ids[0], "Ada")]
    assert present(database, harbour, NOON + 220 * SECOND) == []
    assert take(database, harbour, ids[:1], ben, "b", NOON + 220 * SECOND) == ids[0]


def test_who_comes_second_locks_nobody_out_and_follows_when_the_first_has_gone(
    database, harbour, ids, ada, ben
):
    be_at(database, harbour, ids[0], ada, "a")
    be_at(database, harbour, ids[0], ben, "b")
    assert present(database, harbour) == [(ids[0], "Ada")]

    be_at(database, harbour, ids[1], ada, "a")
    be_at(database, harbour, ids[0], ben, "b")
    assert present(database, harbour) == sorted([(ids[0], "Ben"), (ids[1], "Ada")])


def test_the_next_is_the_first_in_the_order_asked_that_nobody_else_is_at(database, harbour, ids, ada, ben):
    be_at(database, harbour, ids[5], ada, "a")

    assert take(database, harbour, [ids[5], ids[3], ids[4]], ben, "b") == ids[3]
    assert take(database, harbour, [ids[5], ids[3]], ada, "a") == ids[5]
    assert take(database, harbour, [ids[3]], ada, "a") is None


def test_what_was_handed_out_stays_though_the_window_says_where_it_was_before(
    database, harbour, ids, ada, ben, monkeypatch
):
    def handed_twice():
        be_at(database, harbour, ids[0], ada, "a")
        handed = take(database, harbour, ids[1:], ada, "a")
        be_at(database, harbour, ids[0], ada, "a")  # sent before the answer above had come
        return take(database, harbour, ids[1:], ben, "b") == handed

    assert not handed_twice()
    be_at(database, harbour, ids[1], ada, "a")
    assert (ids[1], "Ada") in present(database, harbour, NOON + 100 * SECOND)
    # The control: without time to get there it is given to the next who asks.
    monkeypatch.setattr(leases, "ON_THE_WAY", -SECOND)
    be_at(database, harbour, "", ada, "a")
    assert handed_twice()


def test_what_is_in_the_bin_or_elsewhere_is_not_handed_out(database, harbour, ids, ada):
    with database.writing() as db:
        conversations.mark_deleted(db, ids[0], True, ada, leases.stamp(NOON))
        other = projects.ensure(db, "other", leases.stamp(NOON))

    assert take(database, harbour, [ids[0], "nowhere", ""], ada, "a") is None
    assert take(database, other, [ids[1]], ada, "a") is None
    be_at(database, other, ids[1], ada, "a")
    assert present(database, harbour) == []


def all_taken(home, harbour, ids):
    """What 4 windows, two at each of two servers, are handed out when all press at once again and again."""
    taken, together = [], threading.Barrier(4)
    servers = [Database.open(home.database) for _ in range(2)]

    def press(number):
        together.wait()
        for turn in range(10):
            window = f"{number}-{turn}"
            taken.append(take(servers[number % 2], harbour, ids, Person(str(number)), window))

    threads = [threading.Thread(target=press, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for each in servers:
        each.close()
    return taken


def test_two_that_press_at_once_never_get_the_same(home, harbour, ids):
    assert sorted(all_taken(home, harbour, ids)) == sorted(ids)


def test_without_the_condition_they_do(home, harbour, ids, monkeypatch):
    monkeypatch.setattr(leases, "held_by_others", lambda *_: set())

    assert sorted(all_taken(home, harbour, ids)) != sorted(ids)
