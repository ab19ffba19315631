"""The review queue: what is ready and was changed last by somebody else, and who said what of a conversation."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from studio.core.records import Page, Person, Revision
from studio.store.conversations import history, listed
from studio.store.leases import within
from studio.store.rows import as_row
from studio.store.schema import conversations as heads
from studio.store.schema import leases, revisions

LATEST = 500  # steps in which names are looked for: there is no index of names
# Of so many conversations that are ready, the newest, those of others are looked for, and so many are shown at most: so a
# queue costs the same however large the set is.
LOOKED, SHOWN = 50_000, 2000


def others(db: sa.Connection, project_id: str, person: Person) -> set[str]:
    """Who else wrote one of the latest steps in this project, or is at one of its conversations."""
    steps = sa.select(revisions.c.conversation_id, revisions.c.by).order_by(revisions.c.id.desc())
    latest = steps.limit(LATEST).subquery()
    of_it = sa.exists().where(heads.c.id == latest.c.conversation_id, heads.c.project_id == project_id)
    names = sa.union(sa.select(latest.c.by).where(of_it), sa.select(leases.c.person).where(within(project_id)))  # fmt: skip
    return set(db.execute(names).scalars()) - {person.name}


def newest_step(db: sa.Connection) -> int:
    """The number of the newest step of all: where it is the same as before, nothing was changed since."""
    return int(db.execute(sa.select(sa.func.max(revisions.c.id))).scalar() or 0)


def waiting(db: sa.Connection, project_id: str, person: Person, *columns: sa.Column[Any]) -> sa.Subquery:
    """What waits for this person's eyes, newest first, with its number; who is alone looks at their own."""
    wanted = (heads.c.number, heads.c.updated_by, *columns)
    ready = sa.select(*wanted).where(*listed(project_id, "ready")).order_by(heads.c.number.desc())
    found = ready.limit(LOOKED).subquery()
    strange = [found.c.updated_by != person.name] if others(db, project_id, person) else []
    return sa.select(found).where(*strange).limit(SHOWN).subquery()


def count(db: sa.Connection, project_id: str, person: Person) -> int:
    """How many wait; SHOWN stands for that many or more."""
    found = waiting(db, project_id, person)
    return int(db.execute(sa.select(sa.func.count()).select_from(found)).scalar_one())


def queue(db: sa.Connection, project_id: str, person: Person, first: int = 1, size: int = 50) -> Page:
    """One page of what waits, newest first, from position `first` (from 1) on; from the last page where it lies beyond."""
    total = count(db, project_id, person)
    first = max(1, min(first, (max(0, total - 1) // size) * size + 1))
    found = waiting(db, project_id, person, heads.c.id, heads.c.question, heads.c.answer, heads.c.status, heads.c.tags, heads.c.turns)  # fmt: skip
    query = sa.select(found).order_by(found.c.number.desc()).limit(size).offset(first - 1)
    return Page(tuple(as_row(row) for row in db.execute(query)), total, first)


def in_turn(db: sa.Connection, project_id: str, person: Person, after: int, most: int) -> list[str]:
    """The ids of what waits, beginning behind number `after` (0: at the newest) and then from the newest again."""
    found = waiting(db, project_id, person, heads.c.id)
    order = (found.c.number > after, found.c.number.desc()) if after else (found.c.number.desc(),)
    query = sa.select(found.c.id).where(found.c.number != after).order_by(*order).limit(most)
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
