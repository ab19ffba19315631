"""Undo and redo: each is a step of its own that brings an earlier content back, so nothing is lost and a restart forgets nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import sqlalchemy as sa

from studio.core.errors import BadInput, NotFound
from studio.core.records import Conversation, Person
from studio.store import conversations
from studio.store.rows import content
from studio.store.schema import revisions

WALKED = ("undone", "redone")
Way = Literal["undone", "redone"]


def walk(db: sa.Connection, id: str, way: Way, person: Person, at: str) -> Conversation:
    """Go one step back ("undone") or on again ("redone"). Raises NotFound, BadInput where there is no such step."""
    newest = conversations.load(db, id)
    if newest.deleted:
        raise BadInput("This conversation is in the bin. Put it back first.")
    stands = step(db, id, newest.version)
    place = stands.restores if stands.kind in WALKED else stands.version
    target = place - 1 if way == "undone" else place + 1
    if target < 1:
        raise BadInput("There is nothing to undo: this is how the conversation began.")
    if target > end(db, id, stands):
        raise BadInput("There is nothing to redo: this is the newest text.")
    back = replace(newest, **content(step(db, id, target)), updated_at=at, updated_by=person.name)
    return conversations.advance(db, back, way, restores=target)


def end(db: sa.Connection, id: str, stands: Any) -> int:
    """The version up to which one can redo: the newest that was not itself an undo or a redo."""
    made = sa.select(sa.func.max(revisions.c.version)).where(
        revisions.c.conversation_id == id,
        revisions.c.kind.not_in((*WALKED, "kept aside")),
        revisions.c.version <= stands.version,
    )
    return int(db.execute(made).scalar_one() or 0)


def step(db: sa.Connection, id: str, version: int) -> Any:
    found = db.execute(
        sa.select(revisions).where(
            revisions.c.conversation_id == id,
            revisions.c.version == version,
            revisions.c.kind != "kept aside",
        )
    ).one_or_none()
    if found is None:
        raise NotFound("This version is not in the history. Open the conversation again.")
    return found
