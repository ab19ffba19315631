"""Leases: who is at which conversation. They lock nothing; they keep two people from being handed the same one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from studio.core.records import Lease, Person
from studio.store.conversations import listed
from studio.store.schema import conversations as heads
from studio.store.schema import leases

LASTS = timedelta(minutes=2)
ON_THE_WAY = timedelta(seconds=20)  # in which a window opens what it was handed


def present(db: sa.Connection, project_id: str, at: datetime) -> list[Lease]:
    """Every lease of the project that has not run out at the time `at`."""
    query = sa.select(leases).where(within(project_id), leases.c.until > stamp(at))
    return [Lease(row.conversation_id, row.person, row.window, row.until) for row in db.execute(query)]


def within(project_id: str) -> sa.ColumnElement[bool]:
    """That a lease is in this project. Not a join: SQLite would begin one at the conversations, of which there are many."""
    return sa.exists().where(heads.c.id == leases.c.conversation_id, *listed(project_id))


def be_at(
    db: sa.Connection, project_id: str, conversation: str, person: Person, window: str, at: datetime
) -> None:
    """This window is at this conversation now, and no longer at another; "" and strange ids: at none.

    Where another window holds the lease it stays the holder.
    """
    leave(db, window, at)
    if conversation in free(db, project_id, [conversation], window, at):
        put(db, conversation, person, window, at + LASTS)


def leave(db: sa.Connection, window: str, at: datetime) -> None:
    """This window is nowhere, but what it was handed a moment ago it keeps: it may have said where it is before it knew."""
    mine = sa.and_(leases.c.window == window, leases.c.until > stamp(at + ON_THE_WAY))
    db.execute(leases.delete().where(sa.or_(mine, leases.c.until <= stamp(at))))


def put(db: sa.Connection, conversation: str, person: Person, window: str, until: datetime) -> None:
    db.execute(leases.delete().where(leases.c.conversation_id == conversation))
    row = {"conversation_id": conversation, "person": person.name, "window": window}
    db.execute(leases.insert().values(**row, until=stamp(until)))


def take_first(
    db: sa.Connection, project_id: str, ids: Sequence[str], person: Person, window: str, at: datetime
) -> str | None:
    """Hand out the first of `ids` at which no other window is, and be on the way to it; None where there is none.

    Two that ask at the same time never get the same one, if each asks within a writing transaction of its own.
    """
    found = free(db, project_id, ids, window, at)
    taken = next((each for each in ids if each in found), None)
    if taken is not None:
        leave(db, window, at)
        put(db, taken, person, window, at + ON_THE_WAY)
    return taken


def free(db: sa.Connection, project_id: str, ids: Sequence[str], window: str, at: datetime) -> set[str]:
    """Those of `ids` that are conversations of the project, not in the bin, and not held by another window."""
    # By their ids alone: asked for the project too, SQLite goes through all of its conversations instead.
    there = sa.select(heads.c.id, heads.c.project_id, heads.c.deleted).where(heads.c.id.in_(ids))
    found = {row.id for row in db.execute(there) if row.project_id == project_id and not row.deleted}
    return found - held_by_others(db, ids, window, at)


def held_by_others(db: sa.Connection, ids: Sequence[str], window: str, at: datetime) -> set[str]:
    query = sa.select(leases.c.conversation_id).where(
        leases.c.conversation_id.in_(ids), leases.c.window != window, leases.c.until > stamp(at)
    )
    return set(db.execute(query).scalars())


def stamp(at: datetime) -> str:
    """ISO 8601 in UTC with a fixed number of digits, so that texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
