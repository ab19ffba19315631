"""Who is where, and the next that nobody else is at, through the verbs and between processes."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.records import Change, Message
from studio.store import environment
from studio.work import marking, reviewing, together, writing

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TAKER = Path(__file__).parent / "taker.py"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def project(studio):
    return writing.project(studio, "harbour").id


def write(studio, person, project, count=1, status="ready"):
    return [
        writing.save(
            studio, person, Change(uuid4().hex, project, "", 0, (Message("user", str(number)),), status)
        )
        for number in range(count)
    ]


def test_each_sees_where_the_other_is_and_that_there_are_two(studio, ada, ben, project):
    (made,) = write(studio, ada, project)
    assert not together.be_at(studio, ada, project, made.id, "a", NOON).several

    seen = together.be_at(studio, ben, project, "", "b", NOON + timedelta(seconds=119))

    assert [(each.conversation, each.person) for each in seen.others] == [(made.id, "Ada")]
    assert (seen.several, seen.to_review) == (True, 1)
    assert together.be_at(studio, ada, project, made.id, "a", NOON).others == ()
    assert together.be_at(studio, ben, project, "", "b", NOON + timedelta(seconds=300)).others == ()


def test_what_waits_is_counted_again_only_when_something_was_changed(studio, ada, ben, project):
    write(studio, ada, project)
    first = together.be_at(studio, ben, project, "", "b", NOON)
    assert together.be_at(studio, ben, project, "", "b", NOON, first.step).to_review is None

    write(studio, ada, project)
    again = together.be_at(studio, ben, project, "", "b", NOON, first.step)
    assert (first.to_review, again.to_review) == (1, 2)


def test_the_next_to_review_is_the_first_behind_that_nobody_else_reviews(studio, ada, ben, project):
    one, two, three = write(studio, ada, project, 3)
    together.be_at(studio, ada, project, two.id, "a", NOON)
    write(studio, ben, project)

    assert together.next_to_review(studio, ben, project, three.number, "b", NOON) == one.id
    assert together.next_to_review(studio, ben, project, one.number, "b", NOON) == three.id
    marking.set_status(studio, ben, project, [one.id, three.id], "approved")
    assert together.next_to_review(studio, ben, project, three.number, "b", NOON) is None


@pytest.mark.parametrize("window", ["", "x" * 101, "\x00"])
def test_a_window_without_a_proper_name_is_refused(studio, ada, project, window):
    for deed in (
        lambda: together.be_at(studio, ada, project, "", window),
        lambda: together.take_next(studio, ada, project, [], window),
        lambda: together.next_to_review(studio, ada, project, 0, window),
    ):
        with pytest.raises(BadInput):
            deed()


def test_too_many_to_choose_from_are_refused(studio, ada, project):
    with pytest.raises(BadInput):
        together.take_next(studio, ada, project, ["x"] * (together.MOST + 1), "a")


def test_where_nothing_is_nobody_is(studio, ada, project):
    with pytest.raises(NotFound):
        together.be_at(studio, ada, project, "nowhere", "a")
    other = writing.project(studio, "other").id
    (made,) = write(studio, ada, project)
    with pytest.raises(NotFound):
        together.be_at(studio, ada, other, made.id, "a")


def test_many_are_rejected_with_one_reason_and_it_is_taken_back_and_undone(studio, ada, ben, project):
    ids = [each.id for each in write(studio, ada, project, 2)]
    marking.set_status(studio, ben, project, ids, "rejected", "  too formal ")
    assert marking.set_status(studio, ada, project, ids, "rejected") == []

    found = reviewing.rejection(studio, project, ids[0])
    assert (found.by, found.reason) == ("Ben", "too formal")
    back = writing.undo(studio, ada, project, ids[0])
    assert (back.status, back.reason) == ("ready", "")
    again = writing.redo(studio, ada, project, ids[0])
    assert (again.status, again.reason) == ("rejected", "too formal")


def test_a_reason_that_cannot_be_kept_is_refused(studio, ada, project):
    (made,) = write(studio, ada, project)
    for reason in ("\x00", "x" * (writing.REASON + 1)):
        with pytest.raises(BadInput):
            marking.set_status(studio, ada, project, [made.id], "rejected", reason)
        change = Change("r", project, made.id, 1, made.messages, "rejected", reason=reason)
        with pytest.raises(BadInput):
            writing.save(studio, ada, change)
    assert reviewing.rejection(studio, project, made.id) is None


def handed_out(home, *broken):
    command = [sys.executable, str(TAKER), str(home.root)]
    own = environment.for_child(PYTHONPATH=str(ROOT))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": own}
    takers = [subprocess.Popen([*command, name, *broken], **pipes) for name in ("Ada", "Ben")]
    for each in takers:
        assert each.stdout.readline() == "ready\n"
    for each in takers:
        each.stdin.write("go\n")
        each.stdin.flush()
    return [line for each in takers for line in each.communicate(timeout=60)[0].split()]


def test_two_processes_are_never_handed_the_same(home, studio, ada, project):
    write(studio, ada, project, 40)
    taken = handed_out(home)

    assert len(taken) == len(set(taken)) == 40


def test_two_processes_that_look_before_their_turn_are(home, studio, ada, project):
    write(studio, ada, project, 40)
    taken = handed_out(home, "broken")

    assert len(taken) == 40 > len(set(taken))
