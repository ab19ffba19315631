"""The review queue: what is ready and was changed last by somebody else, and who said what of a conversation."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from studio.core.records import Page, Person, Revision
from studio.store.conversations import history, listed
from studio.store.rows import as_row
from studio.store.schema import conversations as heads
from studio.store.schema import leases, revisions

LATEST = 1000  # steps in which names are looked for: there is no index of names
LOOKED = 10_000  # conversations of a queue that are looked at, so that its length costs the same however large the set is


def others(db: sa.Connection, project_id: str, person: Person) -> set[str]:
    """Who else wrote one of the latest steps in this project, or is at one of its conversations."""
    steps = sa.select(revisions.c.conversation_id, revisions.c.by.label("person"))
    latest = steps.order_by(revisions.c.id.desc()).limit(LATEST).subquery()
    names = [
        sa.select(each.c.person)
        .join(heads, heads.c.id == each.c.conversation_id)
        .where(heads.c.project_id == project_id)
        for each in (latest, leases)
    ]
    return set(db.execute(sa.union(*names)).scalars()) - {person.name}


def newest_step(db: sa.Connection) -> int:
    """The number of the newest step of all: where it is the same as before, nothing was changed since."""
    return int(db.execute(sa.select(sa.func.max(revisions.c.id))).scalar() or 0)


def waiting(project_id: str, person: Person, alone: bool) -> Any:
    """The conversations that wait for this person's eyes, as a subquery; who is alone looks at their own."""
    shown = (heads.c.id, heads.c.number, heads.c.question, heads.c.answer, heads.c.status, heads.c.tags, heads.c.turns, heads.c.updated_by)  # fmt: skip
    ready = sa.select(*shown).where(*listed(project_id, "ready")).order_by(heads.c.number).limit(LOOKED)
    found = ready.subquery()
    return sa.select(found) if alone else sa.select(found).where(found.c.updated_by != person.name)


def queue(db: sa.Connection, project_id: str, person: Person, first: int = 1, size: int = 50) -> Page:
    """One page of what waits, the first written first, from position `first` (from 1) on."""
    wanted = waiting(project_id, person, not others(db, project_id, person)).subquery()
    total = db.execute(sa.select(sa.func.count()).select_from(wanted)).scalar_one()
    first = max(1, min(first, (max(0, total - 1) // size) * size + 1))
    query = sa.select(wanted).order_by(wanted.c.number).limit(size).offset(first - 1)
    return Page(tuple(as_row(row) for row in db.execute(query)), total, first)


def in_turn(db: sa.Connection, project_id: str, person: Person, after: int, most: int) -> list[str]:
    """The ids of what waits, beginning behind number `after` and then from the start, without `after` itself."""
    wanted = waiting(project_id, person, not others(db, project_id, person)).subquery()
    query = (
        sa.select(wanted.c.id)
        .where(wanted.c.number != after)
        .order_by(wanted.c.number < after, wanted.c.number)
        .limit(most)
    )
    return list(db.execute(query).scalars())


def rejection(db: sa.Connection, id: str) -> Revision | None:
    """The step by which a conversation got the rejection that it has now; None where it is not rejected."""
    found = None
    for step in history(db, id):
        if step.kind == "kept aside":
            continue
        if step.status != "rejected":
            break
        found = step
    return found
