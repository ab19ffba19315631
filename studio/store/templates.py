"""Templates: what a new conversation may begin with, by name, apart for each project."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from studio.core import formats
from studio.core.errors import NotFound
from studio.core.records import Template
from studio.store.schema import templates


def load_all(db: sa.Connection, project_id: str) -> list[Template]:
    """Every template of a project, by name."""
    query = sa.select(templates).where(templates.c.project_id == project_id)
    return sorted(map(as_template, db.execute(query)), key=lambda each: each.name.casefold())


def load(db: sa.Connection, project_id: str, id: str) -> Template:
    """Raises NotFound."""
    query = sa.select(templates).where(templates.c.id == id, templates.c.project_id == project_id)
    row = db.execute(query).one_or_none()
    if row is None:
        raise NotFound("This template is not there any more. Choose another one.")
    return as_template(row)


def find(db: sa.Connection, project_id: str, name: str) -> Template | None:
    query = sa.select(templates).where(templates.c.project_id == project_id, templates.c.name == name)
    row = db.execute(query).one_or_none()
    return as_template(row) if row else None


def put(db: sa.Connection, made: Template) -> None:
    """Add a template, or let it take the place of the one that has its id."""
    remove(db, made.id)
    db.execute(
        templates.insert().values(
            id=made.id,
            project_id=made.project,
            name=made.name,
            messages=formats.dump(made.messages),
            at=made.at,
            by=made.by,
        )
    )


def remove(db: sa.Connection, id: str) -> None:
    db.execute(templates.delete().where(templates.c.id == id))


def as_template(row: Any) -> Template:
    return Template(row.id, row.project_id, row.name, formats.load(row.messages), row.at, row.by)
