"""Who is where, the next one and the review queue, asked for as the page asks."""

from uuid import uuid4

import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.records import Change, Message
from studio.ui import write, write_history, write_together
from studio.work import writing


@pytest.fixture
def made(studio, ada, project):
    change = Change(uuid4().hex, project, "", 0, (Message("user", "Hi"),), "ready")
    return writing.save(studio, ada, change)


def here(studio, person, project, at, window):
    asked = {"project": project, "conversation": at, "window": window}
    return write_together.on_here(studio, person, asked)


def test_a_colleague_is_told_by_name_and_ones_own_other_window_without(studio, ada, ben, project, made):
    here(studio, ada, project, made.id, "a")

    assert here(studio, ben, project, made.id, "b")["here"] == {made.id: "Ada"}
    assert here(studio, ada, project, "", "c")["here"] == {made.id: ""}
    mine = here(studio, ada, project, made.id, "a")
    assert (mine["here"], mine["version"], mine["me"]) == ({}, 1, "Ada")


def test_next_is_handed_out_once(studio, ada, ben, project, made):
    asked = {"project": project, "ids": [made.id]}

    assert write_together.on_take(studio, ada, {**asked, "window": "a"}) == {"taken": made.id}
    assert write_together.on_take(studio, ben, {**asked, "window": "b"}) == {"taken": None}
    assert write_together.on_take_review(studio, ben, {"project": project, "window": "b"}) == {"taken": None}


def test_the_list_says_who_changed_a_conversation_last(studio, ada, ben, project, made):
    assert [each["updated_by"] for each in write.on_page(studio, ben, {"project": project})["rows"]] == [
        "Ada"
    ]
    assert write.on_review(studio, ben, {"project": project, "first": -3, "size": 10**9})["total"] == 1


def test_a_reason_is_saved_read_told_and_stands_once_in_the_history(studio, ada, ben, project, made):
    asked = {"project": project, "conversation": made.id}
    assert write_together.on_rejection(studio, ada, asked) == {}
    turns = [{"role": "user", "content": "Hi"}]
    change = {**asked, "version": 1, "messages": turns, "status": "rejected", "reason": "<b>too formal"}
    write.on_save(studio, ben, {**change, "request": "1"})
    write.on_save(studio, ada, {**change, "request": "2", "version": 2, "note": "why?"})

    assert write.on_read(studio, ada, asked)["conversation"]["reason"] == "<b>too formal"
    told = write_together.on_rejection(studio, ada, asked)
    assert (told["by"], told["reason"]) == ("Ben", "<b>too formal")
    steps = write_history.on_history(studio, ada, asked)["steps"]
    assert [each["reason"] for each in steps] == ["", "<b>too formal", ""]


def test_nonsense_is_refused(studio, ada, project, made):
    with pytest.raises(BadInput):
        here(studio, ada, project, made.id, "")
    with pytest.raises(NotFound):
        here(studio, ada, project, "nowhere", "a")
    with pytest.raises(NotFound):
        write_together.on_rejection(studio, ada, {"project": "other", "conversation": made.id})
