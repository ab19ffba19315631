"""Which examples stand before a question, and what an arm's name means: a real engine's tokenizer, a real database."""

import uuid
from dataclasses import replace

import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.records import Arm, Change, Message, Sampling
from studio.work import comparing, drafting, examples, models, planning, prompting, prompts, writing
from studio.work.studio import opened, owner

SAMPLING = Sampling(max_tokens=20)


@pytest.fixture
def studio(tmp_path):
    studio = opened(tmp_path / "home")
    yield studio
    studio.database.close()


@pytest.fixture
def project(studio):
    made = writing.project(studio, "harbour").id
    models.choose(studio, owner(), made, "rehearsal")
    models.ensure(studio, made, lambda done, total: None)
    for number in range(40):
        save(studio, made, f"Where is parcel {number}?")
    save(studio, made, "My lamp hums.")
    return made


def save(studio, project, question, status="approved", **more):
    messages = (Message("user", question), Message("assistant", "On the boat."))
    return writing.save(studio, owner(), Change(uuid.uuid4().hex, project, "", 0, messages, status, **more))


def learned(studio, project, count):
    return [each for each in planning.sides(studio, project).learned if "parcel" in each.messages[0].content][:count]  # fmt: skip


def asked(studio, project, question, k, pinned=(), arm=None, sampling=SAMPLING):
    return prompting.prompted(studio, project, arm or Arm(), k, pinned, (), question, sampling)


def numbers(prompted):
    return [each.conversation.number for each in prompted.examples]


def test_pinned_examples_begin_in_their_order_and_the_nearest_stands_before_the_question(studio, project):
    first, second = learned(studio, project, 2)
    found = asked(studio, project, "Does a lamp hum?", 2, [second.id, first.id])
    told = [shot[0].content for shot in reversed(found.arm.shots)]  # as the model reads them

    assert [each.pinned for each in found.examples] == [True, True, False, False]
    assert told[:2] == [second.messages[0].content, first.messages[0].content]
    if "My lamp hums." in told:  # unless it is held out
        assert told[-1] == "My lamp hums."


def test_a_pinned_example_is_not_shown_twice(studio, project):
    (one,) = learned(studio, project, 1)
    found = asked(studio, project, one.messages[0].content, 3, [one.id])

    assert len(numbers(found)) == len(set(numbers(found))) == 4


def test_pinned_ones_that_may_not_be_shown_are_left_out_and_told_why(studio, project):
    sides = planning.sides(studio, project)
    apart, (gone, bad) = sides.held_out[0], learned(studio, project, 2)
    writing.delete(studio, owner(), project, gone.id)
    writing.save(studio, owner(), Change(uuid.uuid4().hex, project, bad.id, 1, bad.messages, "rejected"))
    found = asked(studio, project, "Where?", 0, [apart.id, gone.id, bad.id, "nobody"])

    assert found.examples == ()
    assert [f"{each.number:04}" in told for each, told in zip((apart, gone, bad), found.left_out, strict=False)] == [True] * 3  # fmt: skip
    for told, word in zip(found.left_out, ("held out", "bin", "rejected", "not there"), strict=True):
        assert word in told


def test_the_reason_for_an_example_is_its_likeness_and_the_telling_words_that_are_shared(studio, project):
    number = learned(studio, project, 1)[0].messages[0].content.split()[-1].rstrip("?")
    best = asked(studio, project, f"Where is my parcel {number} now?", 1).examples[0]

    assert best.words == (number,)  # the other words stand in almost every conversation
    assert 0.3 < best.likeness < 1
    assert asked(studio, project, "Zebra crossing!", 1).examples[0].words == ()


def test_the_likeness_told_is_what_the_examples_are_ordered_by(studio, project):
    told = [each.likeness for each in asked(studio, project, "Where is parcel 12 or 13?", 8).examples]

    assert told == sorted(told, reverse=True)


def test_the_farthest_go_first_and_the_pinned_ones_last(studio, project):
    pins = [each.id for each in learned(studio, project, 2)]
    whole = asked(studio, project, "Where is it?", 3, pins)
    limit = studio.engine.limit("rehearsal")

    def room(tokens):
        return asked(studio, project, "Where is it?", 3, pins, sampling=Sampling(limit - tokens))

    kept = [room(tokens) for tokens in range(10, 400, 15)]
    assert {len(each.examples) for each in kept} == set(range(6))
    for each in kept:
        assert each.examples == whole.examples[: len(each.examples)]
        assert each.dropped == 5 - len(each.examples)


def test_a_system_text_that_leaves_no_room_is_told_with_its_tokens(studio, project):
    with pytest.raises(BadInput, match=r"The system text has [\d,]+ tokens, and the model takes .* Shorten"):
        asked(studio, project, "Where?", 2, arm=Arm(system="Be kind. " * 5000))


def test_arms_are_read_from_their_names_and_named_as_they_are_read(studio, project):
    prompts.keep(studio, owner(), project, "calm voice", "Be calm.", 2)
    prompts.keep(studio, owner(), project, "calm voice", "Be calmer.", 1)
    older = comparing.arm(studio, project, "prompt:calm voice@1")

    assert (older.system, older.name) == ("Be calm.", "prompt:calm voice@1")
    assert comparing.arm(studio, project, "prompt:calm voice").name == "prompt:calm voice@2"
    assert comparing.arm(studio, project, "base").name == "base"
    assert replace(older, run="7").name == "run:7+prompt:calm voice@1"
    assert len(prompting.under(studio, project, older, (), "Where is it?", SAMPLING).arm.shots) == 2
    for name in ("", "prompt:nobody", "run:9+prompt:calm voice", "base+run:1", "prompt:", "calm voice"):
        with pytest.raises((BadInput, NotFound), match=r"\.$"):
            comparing.arm(studio, project, name)


def test_arms_without_a_prompt_stand_under_the_one_that_is_given_or_under_the_words(studio, project):
    kept = prompts.keep(studio, owner(), project, "calm", "Be calm.", 2)
    prompts.keep(studio, owner(), project, "other", "Be other.", 0)
    names = ["base", "prompt:other"]
    given = prompting.arms(studio, project, names, "", 0, "Where?", SAMPLING, kept)
    plain = prompting.arms(studio, project, names, "Be plain.", 3, "Where?", SAMPLING)

    assert [(each.name, each.system, len(each.shots)) for each in given] == [("prompt:calm@1", "Be calm.", 2), ("prompt:other@1", "Be other.", 0)]  # fmt: skip
    assert [(each.name, each.system, len(each.shots)) for each in plain] == [("base", "Be plain.", 3), ("prompt:other@1", "Be other.", 0)]  # fmt: skip


def test_drafts_are_shown_the_examples_of_the_projects_prompt(studio, project):
    first, second = learned(studio, project, 2)
    question = "Does a lamp hum?"
    assert len(drafting.shown(studio, project, "", question)) == drafting.SHOTS

    kept = prompts.keep(studio, owner(), project, "calm", "Be calm.", 1, [first.id, second.id])
    prompts.make_default(studio, owner(), project, kept.id, 1)
    told = [(each.conversation.id, each.pinned) for each in drafting.shown(studio, project, "", question)]
    assert told[:2] == [(first.id, True), (second.id, True)]
    assert len(told) == 3
    assert drafting.shown(studio, project, first.id, question)[0].conversation.id == second.id


def test_the_learned_side_is_read_anew_only_when_something_has_changed(studio, project):
    held = examples.learned_of(studio, project)
    assert examples.learned_of(studio, project) is held

    added = [save(studio, project, f"The kettle leaks, number {each}.", "ready") for each in range(20)]
    found = asked(studio, project, "My kettle leaks", 3)
    assert set(numbers(found)) <= {each.number for each in added}
