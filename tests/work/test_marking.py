"""Many conversations marked as one: all of them or none, and undone as one."""

from uuid import uuid4

import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.records import Change, Message
from studio.work import marking, writing


@pytest.fixture
def project(studio):
    return writing.project(studio, "harbour").id


@pytest.fixture
def three(studio, ada, project):
    def save(number):
        change = Change(uuid4().hex, project, "", 0, (Message("user", f"question {number}"),), tags=("old",))
        return writing.save(studio, ada, change).id

    return [save(number) for number in range(3)]


def now(studio, project, ids):
    return [writing.read(studio, id, project) for id in ids]


def test_a_status_a_tag_and_the_bin_are_set_and_taken_back_as_one(studio, ada, project, three):
    marking.set_status(studio, ada, project, three, "approved")
    assert [each.status for each in now(studio, project, three)] == ["approved"] * 3
    marking.add_tag(studio, ada, project, three[:2], " late   refund ")
    assert now(studio, project, three)[0].tags == ("old", "late refund")
    gone = marking.set_deleted(studio, ada, project, three, True)
    assert writing.count(studio, project) == 0

    marking.take_back(studio, ada, project, gone)
    assert writing.count(studio, project) == 3
    assert [each.tags for each in now(studio, project, three)] == [("old", "late refund")] * 2 + [("old",)]


def test_what_is_so_already_is_no_change(studio, ada, project, three):
    assert len(marking.add_tag(studio, ada, project, three, "old")) == 0
    assert {each.version for each in now(studio, project, three)} == {1}


def test_what_somebody_changed_since_is_not_taken_back(studio, ada, project, three):
    made = marking.set_status(studio, ada, project, three, "rejected")
    changed = now(studio, project, three)[0]
    writing.save(
        studio, ada, Change("r", project, changed.id, changed.version, (Message("user", "mine"),), "ready")
    )

    assert [id for id, _ in marking.take_back(studio, ada, project, made)] == three[1:]
    assert [each.status for each in now(studio, project, three)] == ["ready", "draft", "draft"]


def test_of_a_choice_with_a_stranger_nothing_is_changed(studio, ada, project, three):
    other = writing.project(studio, "other").id
    stranger = writing.save(studio, ada, Change("s", other, "", 0, (Message("user", "x"),))).id

    for ids in ([*three, stranger], [*three, "nowhere"]):
        with pytest.raises(NotFound):
            marking.set_status(studio, ada, project, ids, "approved")
    assert {each.status for each in now(studio, project, three)} == {"draft"}


@pytest.mark.parametrize(("deed", "value"), [("set_status", "wild"), ("add_tag", "  "), ("add_tag", "\x00")])
def test_what_is_no_status_or_tag_is_refused(studio, ada, project, three, deed, value):
    with pytest.raises(BadInput):
        getattr(marking, deed)(studio, ada, project, three, value)


@pytest.mark.parametrize("count", [0, marking.MOST + 1])
def test_none_and_too_many_are_refused(studio, ada, project, count):
    with pytest.raises(BadInput, match="between 1 and 1,000"):
        marking.set_deleted(studio, ada, project, ["x"] * count, True)
