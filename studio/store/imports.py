"""Files that were brought in: what came by each, and taking it back as one."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import sqlalchemy as sa

from studio.core.errors import NotFound
from studio.core.records import Person
from studio.store.schema import conversations as heads
from studio.store.schema import imports, revisions


@dataclass(frozen=True)
class Import:
    """A file that was brought in. Of its conversations `there` are not in the bin, and `changed` of these were changed since."""

    id: str
    file: str
    at: str  # ISO 8601, UTC
    by: str
    there: int
    changed: int


def add(db: sa.Connection, project_id: str, file: str, person: Person, at: str) -> str:
    """Note that a file is brought in, and return the id by which its conversations know it."""
    id = uuid4().hex
    db.execute(imports.insert().values(id=id, project_id=project_id, file=file, at=at, by=person.name))
    return id


def forget(db: sa.Connection, id: str) -> None:
    """Take away the note of an import by which nothing came."""
    db.execute(imports.delete().where(imports.c.id == id))


def load_all(db: sa.Connection, project_id: str, most: int) -> list[Import]:
    """The newest `most` imports of which something is left, newest first."""
    counts = (sa.func.count(), sa.func.sum(sa.cast(heads.c.version > 1, sa.Integer)))
    query = (
        sa.select(imports.c.id, imports.c.file, imports.c.at, imports.c.by, *counts)
        .join(heads, sa.and_(heads.c.imported == imports.c.id, sa.not_(heads.c.deleted)))
        .where(imports.c.project_id == project_id)
        .group_by(imports.c.id)
        .order_by(imports.c.at.desc())
        .limit(most)
    )
    return [Import(*row) for row in db.execute(query)]


def undo(db: sa.Connection, project_id: str, id: str, person: Person, at: str) -> tuple[int, int]:
    """Move what came by an import to the bin, unless somebody changed it since. Returns how many went, and how many stay.

    Raises NotFound.
    """
    known = sa.select(imports.c.id).where(imports.c.id == id, imports.c.project_id == project_id)
    if db.execute(known).first() is None:
        raise NotFound("This import is not there. Choose one from the list.")
    mine = [heads.c.imported == id, sa.not_(heads.c.deleted)]
    untouched = [*mine, heads.c.version == 1]
    # By one statement each, whatever their number: first the step of each, made from what stands, then the move.
    kept = ("messages", "status", "tags", "note", "reason")
    said = {"conversation_id": heads.c.id, "version": sa.literal(2), "deleted": sa.true(), "kind": sa.literal("deleted"), "at": sa.literal(at), "by": sa.literal(person.name)}  # fmt: skip
    step = sa.select(*(heads.c[each] for each in kept), *said.values()).where(*untouched)
    db.execute(revisions.insert().from_select([*kept, *said], step))
    moved = heads.update().where(*untouched)
    gone = db.execute(moved.values(version=2, deleted=True, updated_at=at, updated_by=person.name)).rowcount
    return gone, db.execute(sa.select(sa.func.count()).select_from(heads).where(*mine)).scalar_one()
