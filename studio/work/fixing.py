"""The way from an answer that is not right yet to Write: one answer, or one for each question that an arm lost.

A question that a person typed becomes a new conversation, with the model's answer in it as a draft. A question that is held
out never does, for it would be learned and could no longer measure: then it is its own conversation that is tagged and
opened, where a person reads their own answer to it and may write another conversation like it.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.core import judging
from studio.core.errors import BadInput, NotFound
from studio.core.judging import Round, titled
from studio.core.records import Change, Conversation, Message, Person
from studio.core.text import made
from studio.store import conversations, rounds
from studio.work import comparing, planning, writing
from studio.work.evaluation_plan import first_answer
from studio.work.judging import TYPED, all_of
from studio.work.studio import Studio

TAG = "fix"
Lost = tuple[tuple[str, str], str]  # a pair of arms, and which of them lost


@dataclass(frozen=True)
class Fix:
    """An arm's answer to be mended, with what stood before it. `asked_from`: the conversation of the question, "" for none."""

    project: str
    arm: str
    turns: tuple[Message, ...]
    asked_from: str = ""
    fingerprint: str = ""

    @property
    def request(self) -> str:
        """The same for what was sent already, so that it is sent once."""
        what = self.asked_from or [self.arm, [each.content for each in self.turns]]
        return f"fix-{hashlib.sha256(json.dumps([self.project, what]).encode()).hexdigest()[:32]}"


@dataclass(frozen=True)
class Sent:
    """Where the answer can be mended. `own`: the question's own conversation, which is held out."""

    conversation: Conversation
    own: bool


def answer(studio: Studio, person: Person, project_id: str, arm: str, turns: Sequence[Message]) -> Sent:
    """Send a chat with an arm to Write, up to and with its last answer. Raises BadInput, NotFound."""
    if not turns:
        raise BadInput("There is no answer to fix yet. Ask something first.")
    name = comparing.arm(studio, project_id, arm, anywhere=True).name
    return send(studio, person, project_id, [Fix(project_id, name, tuple(turns))])[0]


def of_round(studio: Studio, person: Person, project_id: str, id: str, side: str) -> Sent:
    """Send one side of a judge's own round to Write, once they were told which arm it was. Raises BadInput, NotFound."""
    with studio.database.reading() as db:
        found = rounds.load(db, project_id, person.name, id)
    if not found.revealed or side not in ("left", "right"):
        raise BadInput("Vote first. When you have been told whose answer it is, it can be fixed.")
    return send(studio, person, project_id, [as_fix(found, getattr(found, side).arm)])[0]


def lost(studio: Studio, project_id: str) -> dict[Lost, list[Fix]]:
    """What each arm but the base lost, or was as bad as the other at, by what most judges of a question chose.

    Of the base that was judged last; without what was sent already, and without rounds whose judge is still blind.
    """
    asked = judging.by_question(judging.on_last_base(all_of(studio, project_id)))
    found: dict[Lost, list[Fix]] = defaultdict(list)
    for (_, pair, _), voted in asked.items():
        chosen = judging.most(voted)
        told = next((each for each in voted if each.revealed), None)
        for arm in pair if told else ():
            if told and arm != "base" and chosen in {*pair, "bad"} - {arm}:
                found[pair, arm].append(as_fix(told, arm))
    return {key: unsent(studio, each) for key, each in found.items()}


def unsent(studio: Studio, fixes: Sequence[Fix]) -> list[Fix]:
    """Without those that were sent already, and those whose conversation is gone or in the bin."""
    with studio.database.reading() as db:
        done = conversations.done(db, [each.request for each in fixes])
        there = conversations.outside_bin(db, [each.asked_from for each in fixes])
    return [each for each in fixes if each.request not in done and each.asked_from in {"", *there}]


def send_lost(studio: Studio, person: Person, project_id: str, one: str, two: str, arm: str) -> list[Sent]:
    """Send all that an arm lost against the other to Write; what was sent already is not sent twice."""
    return send(studio, person, project_id, lost(studio, project_id).get(((one, two), arm), []))


def send(studio: Studio, person: Person, project_id: str, fixes: Sequence[Fix]) -> list[Sent]:
    """All of them or none, in one transaction."""
    held = {} if all(each.asked_from for each in fixes) else held_out(studio, project_id)
    at, found = writing.now(), []
    with studio.database.writing() as db:
        for fix in fixes:
            source = fix.asked_from or asked_from(fix, held)
            change = tagged(fix, conversations.load(db, source)) if source else draft(fix)
            found.append(Sent(conversations.add_revision(db, change, person, at), bool(source)))
    return found


def asked_from(fix: Fix, held: dict[str, str]) -> str:
    """The held-out conversation whose question a person put themselves, "" for none."""
    asked = (held.get(folded(each.content), "") for each in fix.turns if each.role == "user")
    return next(filter(None, asked), "")


def tagged(fix: Fix, own: Conversation) -> Change:
    """The question's own conversation as it is, with the tag. Raises NotFound."""
    if own.deleted:
        raise NotFound(f"This question is conversation {own.number:04}'s, which is in the bin. Put it back in Write first.")  # fmt: skip
    tags = tuple(dict.fromkeys((*own.tags, TAG)))
    return Change(
        fix.request, fix.project, own.id, own.version, own.messages, own.status, tags, own.note, own.reason
    )


def draft(fix: Fix) -> Change:
    """A new conversation. What the model said in it is marked as a draft, so that none of it is learned unread."""
    model = "base" if fix.arm.startswith("prompt:") else fix.arm.partition("+")[0]
    turns = tuple(
        replace(each, content=made(each.content), drafted=model)
        if each.role == "assistant" and made(each.content)
        else each
        for each in fix.turns
    )
    known = f", fingerprint {fix.fingerprint}" if fix.fingerprint else ""
    note = f"From Compare: the answer of {titled(fix.arm)}{known}."
    return writing.checked_change(Change(fix.request, fix.project, "", 0, turns, "draft", (TAG,), note))


def as_fix(round: Round, arm: str) -> Fix:
    """Without system texts, which were the arm's: the project's stands before what is written."""
    shown = round.left if round.left.arm == arm else round.right
    before = [each for each in round.messages if each.role != "system"]
    source = "" if round.question.startswith(TYPED) else round.question
    turns = (*before, Message("assistant", shown.answer))
    return Fix(round.project, arm, turns, source, shown.fingerprint)


def held_out(studio: Studio, project_id: str) -> dict[str, str]:
    """The conversation of each held-out question, by its words."""
    found = planning.sides(studio, project_id).held_out
    return {folded(each.messages[first_answer(each.messages) - 1].content): each.id for each in found}


def folded(text: str) -> str:
    """The same for a question that was copied with other spaces or capitals."""
    return " ".join(text.casefold().split())
