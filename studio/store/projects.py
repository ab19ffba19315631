"""Projects: a name, a system text, a base model, and the numbers of their conversations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import uuid4

import sqlalchemy as sa

from studio.core.errors import NotFound
from studio.core.records import Project
from studio.store.schema import projects

FIRST_BASE = "starter"


def load_all(db: sa.Connection) -> list[Project]:
    """Every project, oldest first."""
    return [as_project(row) for row in db.execute(sa.select(projects).order_by(projects.c.created_at, projects.c.name))]  # fmt: skip


def load(db: sa.Connection, id: str) -> Project:
    """Raises NotFound."""
    row = db.execute(sa.select(projects).where(projects.c.id == id)).one_or_none()
    if row is None:
        raise NotFound("This project is not there. Choose one from the list.")
    return as_project(row)


def find(db: sa.Connection, name: str) -> Project | None:
    row = db.execute(sa.select(projects).where(projects.c.name == name)).one_or_none()
    return as_project(row) if row else None


def ensure(db: sa.Connection, name: str, at: str) -> Project:
    """The project of that name, made where it is missing. `at` is ISO 8601, UTC."""
    if found := find(db, name):
        return found
    made = Project(id=uuid4().hex, name=name, system="", created_at=at, base=FIRST_BASE)
    db.execute(
        projects.insert().values(
            id=made.id,
            name=made.name,
            system=made.system,
            base=made.base,
            numbered=0,
            place=sa.select(sa.func.coalesce(sa.func.max(projects.c.place), 0) + 1).scalar_subquery(),
            created_at=made.created_at,
        )
    )
    return made


def set_system(db: sa.Connection, id: str, text: str) -> Project:
    """Raises NotFound."""
    db.execute(projects.update().where(projects.c.id == id).values(system=text))
    return load(db, id)


def set_base(db: sa.Connection, id: str, base: str) -> Project:
    """Raises NotFound."""
    db.execute(projects.update().where(projects.c.id == id).values(base=base))
    return load(db, id)


def set_watch(db: sa.Connection, id: str, prompts: Sequence[str]) -> Project:
    """Raises NotFound."""
    db.execute(projects.update().where(projects.c.id == id).values(watch=json.dumps(list(prompts))))
    return load(db, id)


def take_numbers(db: sa.Connection, id: str, count: int = 1) -> int:
    """Give out the next `count` numbers and return the first of them. Raises NotFound."""
    taken = (
        projects.update()
        .where(projects.c.id == id)
        .values(numbered=projects.c.numbered + count)
        .returning(projects.c.numbered)
    )
    last = db.execute(taken).scalar_one_or_none()
    if last is None:
        raise NotFound("This project is not there. Choose one from the list.")
    return int(last) - count + 1


def as_project(row: sa.Row[tuple[object, ...]]) -> Project:
    watch = tuple(json.loads(str(row.watch)))
    return Project(row.id, row.name, row.system, row.created_at, row.base, watch)
