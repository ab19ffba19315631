"""Many conversations changed as one: a status, a tag or the bin, in one transaction, and taken back as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa

from studio.core.errors import NotFound
from studio.core.records import Conversation, Person
from studio.store import conversations, undoing
from studio.store.rows import content


def change(
    db: sa.Connection,
    project_id: str,
    ids: Sequence[str],
    wanted: Callable[[Conversation], Conversation],
    person: Person,
    at: str,
) -> list[Conversation]:
    """Make each conversation what `wanted` makes of it; returns those that it changed. Raises NotFound, changing none."""
    made = []
    for newest in each(db, project_id, ids):
        changed = wanted(newest)
        if changed != newest:
            made.append(step(db, newest, changed, person, at))
    return made


def take_back(
    db: sa.Connection, project_id: str, made: Sequence[tuple[str, int]], person: Person, at: str
) -> list[Conversation]:
    """Undo changes that made these versions, for those that nobody has changed since; returns these."""
    versions = dict(made)
    back = []
    for newest in each(db, project_id, list(versions)):
        if newest.version == versions[newest.id] > 1:
            before = undoing.step(db, newest.id, newest.version - 1)
            earlier = replace(newest, **content(before), deleted=before.deleted)
            back.append(step(db, newest, earlier, person, at))
    return back


def each(db: sa.Connection, project_id: str, ids: Sequence[str]) -> Iterator[Conversation]:
    for id in dict.fromkeys(ids):
        newest = conversations.load(db, id)
        if newest.project != project_id:
            raise NotFound("One of these conversations belongs to another project. Open it there.")
        yield newest


def step(db: sa.Connection, newest: Conversation, changed: Conversation, person: Person, at: str) -> Conversation:  # fmt: skip
    kind = "saved" if changed.deleted == newest.deleted else "deleted" if changed.deleted else "restored"
    return conversations.advance(db, replace(changed, updated_at=at, updated_by=person.name), kind)
