"""Answers that are sent to Write to be mended: as drafts with where they came from, once, and never a held-out question."""

import harbour
import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.judging import Judging
from studio.core.records import Message, Person
from studio.core.text import made as text_of
from studio.work import fixing, judging, planning, writing

ADA, BEN = Person("Ada"), Person("Ben")
ARMS = ("base", "prompt:brief@1")
TALK = (Message("user", "Do you post to the moon?"), Message("assistant", "No."), Message("user", "Why?"), Message("assistant", "So far."))  # fmt: skip


@pytest.fixture
def project(studio):
    return harbour.project(studio, ADA, held_out=3).id


def judged(studio, project, choice, questions=(), judge=ADA):
    """Every question voted on the same way, by which arm it is; the judge is told at the end."""
    match = Judging(("base", "prompt:brief"), questions)
    while found := judging.next_round(studio, judge, project, match):
        sides = {found.left.arm: "left", found.right.arm: "right"}
        judging.vote(studio, judge, project, found.id, sides.get(choice, "left" if choice in ARMS else choice))  # fmt: skip
    judging.reveal(studio, judge, project, last=True)
    return [each for each in judging.all_of(studio, project) if not each.calibrates]


def texts(studio, project):
    return [each.messages for each in writing.all_conversations(studio, project)]


def test_a_chat_becomes_a_draft_with_its_history_its_arm_and_a_tag(studio, project):
    sent = fixing.answer(studio, ADA, project, "base+prompt:brief", TALK)

    made = writing.read(studio, sent.conversation.id, project)
    assert [(each.role, each.content, each.drafted) for each in made.messages] == [
        ("user", "Do you post to the moon?", None),
        ("assistant", "No.", "base"),
        ("user", "Why?", None),
        ("assistant", "So far.", "base"),
    ]
    assert (made.status, made.tags, sent.own) == ("draft", ("fix",), False)
    assert made.note == "From Compare: the answer of the prompt “brief”."
    assert made.number in dict(planning.sides(studio, project).left_out)  # nothing is learned unread


def test_the_same_answer_sent_twice_is_one_draft(studio, project):
    first = fixing.answer(studio, ADA, project, "base", TALK)

    assert fixing.answer(studio, BEN, project, "base", TALK).conversation.id == first.conversation.id
    assert fixing.answer(studio, ADA, project, "base", TALK[:2]).conversation.id != first.conversation.id


def test_a_held_out_question_is_never_made_into_something_to_learn(studio, project):
    own = planning.sides(studio, project).held_out[0]
    before = texts(studio, project)
    question = f"  {own.messages[0].content.upper()} "
    sent = fixing.answer(studio, ADA, project, "base", (Message("user", question), *TALK[1:]))

    assert (sent.conversation.id, sent.own) == (own.id, True)
    assert texts(studio, project) == before
    assert writing.read(studio, own.id, project).tags == ("fix",)


def test_without_that_rule_the_held_out_question_would_be_learned(studio, project, monkeypatch):
    own = planning.sides(studio, project).held_out[0]
    monkeypatch.setattr(fixing, "asked_from", lambda fix, held: "")
    sent = fixing.answer(studio, ADA, project, "base", (own.messages[0], TALK[1]))

    assert not sent.own
    assert [each[0].content for each in texts(studio, project)].count(own.messages[0].content) == 2


def test_a_round_is_fixed_only_by_its_judge_and_once_they_were_told(studio, project):
    found = judging.next_round(studio, ADA, project, Judging(("base", "prompt:brief"), ("To the moon?",)))
    with pytest.raises(BadInput, match="Vote first"):
        fixing.of_round(studio, ADA, project, found.id, "left")
    judging.vote(studio, ADA, project, found.id, "left")
    with pytest.raises(BadInput, match="Vote first"):
        fixing.of_round(studio, ADA, project, found.id, "left")
    judging.reveal(studio, ADA, project, last=True)
    with pytest.raises(NotFound):
        fixing.of_round(studio, BEN, project, found.id, "left")

    made = fixing.of_round(studio, ADA, project, found.id, "left").conversation
    assert made.messages[-1].content == text_of(found.left.answer)
    assert found.left.fingerprint in made.note


def test_what_an_arm_lost_is_sent_once(studio, project):
    rounds = judged(studio, project, "base", ("To the moon?", "To Mars?", "To the sun?"))
    key = (ARMS, ARMS[1])
    assert len(fixing.lost(studio, project)[key]) == len(rounds) == 3

    assert [each.own for each in fixing.send_lost(studio, ADA, project, *ARMS, ARMS[1])] == [False] * 3
    assert fixing.send_lost(studio, ADA, project, *ARMS, ARMS[1]) == []
    drafts = [each for each in writing.all_conversations(studio, project) if "fix" in each.tags]
    answers = {each.messages[-1].content for each in drafts}
    assert answers == {text_of((one.left if one.left.arm == ARMS[1] else one.right).answer) for one in rounds}


def test_what_an_arm_won_is_not_sent_and_what_was_bad_is(studio, project):
    judged(studio, project, ARMS[1], ("To the moon?",))
    judged(studio, project, "bad", ("To Mars?",))

    assert [each.turns[0].content for each in fixing.lost(studio, project)[ARMS, ARMS[1]]] == ["To Mars?"]


def test_held_out_questions_that_were_lost_are_tagged_and_change_no_text(studio, project):
    before = texts(studio, project)
    judged(studio, project, "bad")
    gone = planning.sides(studio, project).held_out[0]
    writing.delete(studio, ADA, project, gone.id)
    sent = fixing.send_lost(studio, ADA, project, *ARMS, ARMS[1])

    assert len(sent) == 2
    assert all(each.own for each in sent)
    writing.restore(studio, ADA, project, gone.id)
    assert texts(studio, project) == before


def test_nobody_who_is_still_blind_gives_anything_away(studio, project):
    found = judging.next_round(studio, ADA, project, Judging(("base", "prompt:brief"), ("To the moon?",)))
    judging.vote(studio, ADA, project, found.id, "bad")

    assert not any(fixing.lost(studio, project).values())
