"""A model drafts answers: a real engine on the rehearsal model, and what a draft is kept out of until somebody has read it."""

import threading
import time
import uuid
from dataclasses import replace

import pytest

from studio.core import lint
from studio.core.errors import BadInput, ModelNotReady, NotFound
from studio.core.records import Change, Message, Wanted
from studio.work import checking, drafting, drafts, marking, models, planning, writing
from studio.work.studio import opened, owner

QUESTION = (Message("user", "Where is my parcel?"),)


@pytest.fixture
def studio(tmp_path):
    studio = opened(tmp_path / "home")
    yield studio
    for draft in list(studio.drafts.going.values()):
        draft.stopped = True
        until(lambda draft=draft: draft.done)
    studio.database.close()


@pytest.fixture
def project(studio):
    return writing.project(studio, "harbour").id


@pytest.fixture
def ready(studio, project):
    models.choose(studio, owner(), project, "rehearsal")
    models.ensure(studio, project, lambda done, total: None)
    return project


def until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def save(studio, project, *messages, status="approved", **more):
    change = Change(uuid.uuid4().hex, project, "", 0, messages, status, **more)
    return writing.save(studio, owner(), change)


def example(studio, project, question, drafted=None, status="approved"):
    answer = Message("assistant", "On the boat.", drafted=drafted)
    return save(studio, project, Message("user", question), answer, status=status)


def heard_out(studio, name):
    until(lambda: drafting.so_far(studio, name).done)
    return drafting.so_far(studio, name)


# Drafting


def test_a_draft_grows_under_the_prompt_and_ends(studio, ready):
    for number in range(12):
        example(studio, ready, f"Where is parcel {number}?")
    name = drafting.start(studio, ready, "", QUESTION, "base")
    seen = set()
    until(lambda: (seen.add(drafting.so_far(studio, name).text), drafting.so_far(studio, name).done)[1])

    draft = drafting.so_far(studio, name)
    assert len(seen) > 2
    assert len(draft.examples) == drafting.SHOTS
    assert draft.failure is None


def test_two_people_draft_at_once(studio, ready):
    names = [drafting.start(studio, ready, "", QUESTION, "base") for _ in range(2)]

    assert all(heard_out(studio, each).text for each in names)


def test_a_draft_that_is_stopped_or_that_nobody_asks_for_ends_and_lets_the_next_one_begin(
    studio, ready, monkeypatch
):
    monkeypatch.setattr(drafting, "DRAFT", replace(drafting.DRAFT, max_tokens=2000))
    monkeypatch.setattr(drafting, "unlooped", lambda text: None)
    stopped = drafting.start(studio, ready, "", QUESTION, "base")
    until(lambda: drafting.so_far(studio, stopped).text)
    draft = drafting.so_far(studio, stopped)
    drafting.stop(studio, stopped)
    until(lambda: draft.done, 2)
    assert draft.text
    with pytest.raises(NotFound, match="draft once more"):
        drafting.so_far(studio, stopped)

    monkeypatch.setattr(drafts, "LISTENED", 0.3)
    left = drafting.start(studio, ready, "", QUESTION, "base")
    draft = studio.drafts.going[left]
    until(lambda: draft.done, 10)
    assert left in studio.drafts.going
    drafting.start(studio, ready, "", QUESTION, "base")
    assert left not in studio.drafts.going


def test_nothing_waits_while_a_draft_is_written(studio, ready):
    began = time.monotonic()
    name = drafting.start(studio, ready, "", QUESTION, "base")

    assert time.monotonic() - began < 1  # the model is not even in memory yet
    assert example(studio, ready, "Meanwhile?").version == 1
    assert any(each.name == "draft" for each in threading.enumerate())
    heard_out(studio, name)


def test_a_missing_model_and_a_missing_question_are_told_with_the_next_step(studio, project):
    with pytest.raises(ModelNotReady, match="The Prompt tab has a button"):
        drafting.start(studio, project, "", QUESTION, "base")
    with pytest.raises(BadInput, match=r"Turn 1 is empty\. Mend that first"):
        drafting.start(studio, project, "", (Message("user", " "),), "base")
    with pytest.raises(BadInput, match="no question before it"):
        drafting.start(studio, project, "", (), "base")
    with pytest.raises(NotFound):
        drafting.start(studio, project, "", QUESTION, "run:99")


def test_what_fails_within_a_draft_is_told_to_who_asks_for_it(studio, ready):
    long = (Message("user", "Where is my parcel? " * 2000),)
    name = drafting.start(studio, ready, "", long, "base")

    with pytest.raises(BadInput, match="shorten"):
        heard_out(studio, name)


# The examples before it


def test_examples_are_approved_nearest_first_and_never_held_out_drafted_or_the_conversation_itself(
    studio, project
):
    kept = [example(studio, project, f"Where is parcel {number}?") for number in range(60)]
    example(studio, project, "Where is parcel 70?", status="ready")
    example(studio, project, "Where is parcel 70?", drafted="base", status="draft")
    apart = {each.id for each in planning.sides(studio, project).held_out}
    own = next(each for each in kept if each.id not in apart)
    found = drafting.nearest(studio, project, own.id, "Where is parcel 70?", 100)

    assert apart
    assert {each.id for each in found} == {each.id for each in kept} - apart - {own.id}
    near = next(each for each in kept if each.id not in apart | {own.id})
    assert drafting.nearest(studio, project, own.id, near.messages[0].content, 1) == [near]


def test_the_index_is_read_anew_when_something_changed_and_only_then(studio, project):
    for number in range(20):
        example(studio, project, f"Where is parcel {number}?")
    held = drafting.approved_of(studio, project)
    assert drafting.approved_of(studio, project) is held

    added = [example(studio, project, f"A lamp hums, number {number}.") for number in range(20)]
    lamps = {each.id for each in drafting.nearest(studio, project, "", "My lamp hums", 3)}
    assert lamps <= {each.id for each in added}
    marking.set_status(studio, owner(), project, [each.id for each in added], "rejected")
    assert not lamps & {each.id for each in drafting.nearest(studio, project, "", "My lamp hums", 3)}


# What a draft is kept out of


@pytest.mark.parametrize("status", ["ready", "approved"])
def test_a_conversation_with_a_draft_is_not_made_ready_or_approved(studio, project, status):
    with pytest.raises(
        BadInput, match=f"Turn 2 is a model's draft.*accept or edit it. Then it can be {status}"
    ):
        example(studio, project, "Where is it?", drafted="base", status=status)
    drafted, other = (
        example(studio, project, "Where is it?", drafted=each, status="draft") for each in ("base", None)
    )
    with pytest.raises(BadInput, match=f"In conversation {drafted.number:04}: Turn 2 is a model's draft"):
        marking.set_status(studio, owner(), project, [other.id, drafted.id], status)

    assert [each.status for each in writing.all_conversations(studio, project)] == ["draft", "draft"]
    assert marking.set_status(studio, owner(), project, [other.id], status)


def test_undo_brings_the_mark_back(studio, project):
    drafted = example(studio, project, "Where is it?", drafted="run:7", status="draft")
    accepted = tuple(replace(each, drafted=None) for each in drafted.messages)
    change = Change("a", project, drafted.id, 1, accepted, "approved")
    writing.save(studio, owner(), change)
    back = writing.undo(studio, owner(), project, drafted.id)

    assert back.messages[1].drafted == "run:7"
    assert back.status == "draft"


def sides_of(studio, project):
    found = planning.sides(studio, project)
    return {each.id for each in (*found.learned, *found.held_out)}, found.left_out


def test_a_draft_is_neither_learned_nor_held_out_nor_exported_and_each_says_so(
    studio, project, tmp_path, monkeypatch
):
    kept = [example(studio, project, f"Where is parcel {number}?", status="draft") for number in range(20)]
    drafted = example(studio, project, "Where is it?", drafted="base", status="draft")
    used, left_out = sides_of(studio, project)

    assert used == {each.id for each in kept}
    assert left_out == ((drafted.number, lint.unread(1)),)
    assert [each.rule for each in checking.findings(studio, project) if each.rule != "duplicate"] == ["draft"]
    for status in ("", "draft"):
        wanted = Wanted(project, status=status)
        assert writing.export_file(studio, wanted, tmp_path / "out.jsonl") == (len(kept), 1)

    # The control: without the rule the draft is learned and exported, and the tests above would be red.
    monkeypatch.setattr(lint, "drafts", lambda messages: [])
    assert drafted.id in sides_of(studio, project)[0]
    assert writing.export_file(studio, Wanted(project), tmp_path / "out.jsonl") == (len(kept) + 1, 0)
    assert b"drafted" not in (tmp_path / "out.jsonl").read_bytes()
