"""What the editor asks of a drafting model, and what comes back to it."""

import time

import pytest
from made import finished, write_many

from studio.core.errors import BadInput, NotFound
from studio.core.records import Message
from studio.ui import write, write_draft
from studio.work import marking, writing

ASKED = [{"role": "user", "content": "Where is my parcel?"}]


def drafted(studio, ada, project, messages=None, **more):
    """A whole draft, as the page follows it."""
    given = {"project": project, "conversation": "", "messages": messages or ASKED, **more}
    name = write_draft.on_draft(studio, ada, given)["draft"]
    deadline = time.monotonic() + 30
    while not (found := write_draft.on_drafted(studio, ada, {"draft": name}))["done"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def test_the_base_and_the_tuned_runs_can_draft_newest_first(studio, ada, project):
    finished(studio, project)
    newest = finished(studio, project)
    finished(studio, writing.project(studio, "other").id)
    arms = write_draft.on_arms(studio, ada, {"project": project})["arms"]

    assert [name for name, _ in arms] == ["base", f"run:{newest.name}", "run:1"]
    assert arms[0][1] == "the base model"
    assert arms[1][1].startswith("Run 2 (standard")


def test_a_draft_comes_with_the_examples_that_stood_before_it(studio, ada, project, engine):
    saved = write_many(studio, ada, project, 12)
    marking.set_status(studio, ada, project, [each.id for each in saved], "approved")
    writing.set_system(studio, ada, project, "Be kind.")
    engine.script = ["\n On the boat. "]
    found = drafted(studio, ada, project)

    (ask,) = engine.asked[0]
    assert (found["text"], found["ended"], found["dropped"]) == ("On the boat.", "", 0)
    assert len(found["examples"]) == 4
    assert ask.messages[0] == Message("system", "Be kind.")
    assert len(ask.messages) == 1 + 2 * 4 + 1
    assert ask.messages[-1].content == ASKED[0]["content"]


def test_examples_that_find_no_room_are_dropped_and_the_conversations_own_system_text_counts(
    studio, ada, project, engine
):
    saved = write_many(studio, ada, project, 12)
    marking.set_status(studio, ada, project, [each.id for each in saved], "approved")
    writing.set_system(studio, ada, project, "Be kind.")
    engine.longest = 300 + 12
    found = drafted(studio, ada, project, [{"role": "system", "content": "Be brief."}, *ASKED])

    (ask,) = engine.asked[0]
    assert (len(found["examples"]), found["dropped"]) == (1, 3)
    assert ask.messages[0].content == "Be brief."


def test_a_tuned_run_drafts_with_its_adapter(studio, ada, project, engine):
    run = finished(studio, project)
    drafted(studio, ada, project, arm=f"run:{run.name}")

    assert engine.asked[0][0].adapter == run / "adapter"


def test_a_model_in_a_loop_is_stopped(studio, ada, project, engine):
    engine.script = ["It hums. " + "You own the lamp. " * 50]
    found = drafted(studio, ada, project)

    assert found["text"] == "It hums. You own the lamp."
    assert "repeat itself" in found["ended"]
    assert engine.closed == 1


def test_failures_are_told_to_who_follows_the_draft(studio, ada, project, engine):
    engine.failure = BadInput("The conversation is too long. Shorten it.")
    with pytest.raises(BadInput, match="Shorten it"):
        drafted(studio, ada, project)
    engine.failure, engine.script = None, [" "]
    with pytest.raises(BadInput, match="no answer to this"):
        drafted(studio, ada, project)
    with pytest.raises(NotFound):
        write_draft.on_drafted(studio, ada, {"draft": "of nobody"})
    assert write_draft.on_undraft(studio, ada, {"draft": "of nobody"}) == {}


def test_the_mark_is_saved_read_and_shown_in_the_history_and_refused_where_it_is_none(studio, ada, project):
    given = {"request": "r", "project": project, "conversation": "", "version": 0, "status": "draft",
             "messages": [*ASKED, {"role": "assistant", "content": "Here.", "drafted": "base"}]}  # fmt: skip
    saved = write.on_save(studio, ada, given)["conversation"]
    asking = {"project": project, "conversation": saved["id"], "place": 0}

    assert saved["messages"] == given["messages"]
    assert write.on_read(studio, ada, asking)["conversation"]["messages"] == given["messages"]
    assert write.write_history.on_step(studio, ada, asking)["content"]["messages"] == given["messages"]
    given["messages"][1]["drafted"] = "<img>"
    with pytest.raises(BadInput, match="Turn 2"):
        write.on_save(studio, ada, {**given, "request": "s"})
