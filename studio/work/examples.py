"""Which conversations stand before a question: those pinned by hand, and those nearest to it. Never held-out ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from studio.core.alike import likeness, shared
from studio.core.errors import NotFound
from studio.core.nearest import Index, Nearest, asked
from studio.core.records import Conversation, Message
from studio.store import conversations
from studio.work import planning
from studio.work.drafts import Learned
from studio.work.studio import Studio


@dataclass(frozen=True)
class Example:
    """A conversation before the question, and why: it is pinned, or so much alike (0 to 1), also by these words."""

    conversation: Conversation
    pinned: bool = False
    likeness: float = 0.0
    words: tuple[str, ...] = ()


def nearest(
    studio: Studio, project_id: str, question: str, k: int, without: Collection[str] = ()
) -> list[Example]:
    """The `k` learned conversations in which the user asks most alike, nearest first, without those of some ids."""
    if k <= 0:
        return []
    learned = learned_of(studio, project_id)
    ids = [each for each in learned.nearest.ids(question, k + len(without)) if each not in without][:k]
    with studio.database.reading() as db:
        found = [conversations.load(db, id) for id in ids]
    return [because(question, each, learned.nearest.index) for each in found]


def because(question: str, conversation: Conversation, index: Index) -> Example:
    text = asked(conversation.messages)
    alike = likeness(question, text, index.rarity), shared(question, text, index.rarity)
    return Example(conversation, False, *alike)


def pinned(studio: Studio, project_id: str, ids: Sequence[str]) -> tuple[list[Example], list[str]]:
    """The pinned conversations that can be shown, in their order, and a sentence for each one that cannot just now."""
    looked = look(studio, project_id, ids)
    shown = [Example(each, pinned=True) for each, why in looked if each and not why]
    left_out = [
        f"Conversation {each.number:04} is pinned and left out: {why}."
        if each
        else f"A pinned conversation is left out: {why}."
        for each, why in looked
        if why
    ]
    return shown, left_out


def look(studio: Studio, project_id: str, ids: Sequence[str]) -> list[tuple[Conversation | None, str]]:
    """Each conversation, None where it is gone, and why it cannot be shown to a model just now; "" where it can."""
    if not ids:
        return []
    learned = learned_of(studio, project_id)
    looked: list[tuple[Conversation | None, str]] = []
    with studio.database.reading() as db:
        for id in ids:
            try:
                found = conversations.load(db, id)
            except NotFound:
                looked.append((None, "it is not there any more"))
                continue
            there = found.project == project_id and id in learned.ids
            looked.append((found, "" if there else hindered(found, learned)))
    return looked


def hindered(found: Conversation, learned: Learned) -> str:
    if found.deleted:
        return "it lies in the bin"
    if found.id in learned.held_out:
        return "it is held out now, to measure on"
    return "it was rejected" if found.status == "rejected" else "it is not one that can be learned"


def learned_of(studio: Studio, project_id: str) -> Learned:
    """What can be shown, read anew only when something in the project has changed."""
    with studio.database.reading() as db:
        state = conversations.state(db, project_id)
    held = studio.drafts.learned.get(project_id)
    if held and held.state == state:
        return held
    sides = planning.sides(studio, project_id)
    ids, apart = (frozenset(each.id for each in side) for side in (sides.learned, sides.held_out))
    held = Learned(state, ids, apart, Nearest.of(sides.learned, held.nearest if held else None))
    studio.drafts.learned[project_id] = held
    return held


def shots(examples: Sequence[Example]) -> tuple[tuple[Message, ...], ...]:
    """As an arm takes them, what stands nearest to the question first: the pinned ones begin, whatever is asked."""
    chosen = [each.conversation.messages for each in examples if not each.pinned]
    always = [each.conversation.messages for each in examples if each.pinned]
    return (*chosen, *reversed(always))
