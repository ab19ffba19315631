"""Kept prompts: a name with versions that are only ever added, and the version that a project uses."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from studio.core.errors import NotFound
from studio.core.records import Prompt
from studio.store import conversations
from studio.store.schema import default_prompts, prompt_versions, prompts

BOTH = sa.select(prompts, prompt_versions).join(prompt_versions, prompt_versions.c.prompt_id == prompts.c.id)


def newest(db: sa.Connection, project_id: str) -> list[Prompt]:
    """The newest version of every prompt of a project, by name."""
    last = (
        sa.select(prompt_versions.c.prompt_id, sa.func.max(prompt_versions.c.version).label("version"))
        .group_by(prompt_versions.c.prompt_id)
        .subquery()
    )
    query = BOTH.where(prompts.c.project_id == project_id).join(
        last, (last.c.prompt_id == prompts.c.id) & (last.c.version == prompt_versions.c.version)
    )
    return sorted(map(as_prompt, db.execute(query)), key=lambda each: (each.name.casefold(), each.name))


def versions(db: sa.Connection, project_id: str, id: str) -> list[Prompt]:
    """Every version of a prompt, newest first. Raises NotFound."""
    query = BOTH.where(prompts.c.id == id, prompts.c.project_id == project_id)
    found = [as_prompt(row) for row in db.execute(query.order_by(prompt_versions.c.version.desc()))]
    if not found:
        raise NotFound("This prompt is not in the project. Choose another one.")
    return found


def find(db: sa.Connection, project_id: str, name: str) -> Prompt | None:
    """The newest version of the prompt of that name."""
    query = BOTH.where(prompts.c.project_id == project_id, prompts.c.name == name)
    row = db.execute(query.order_by(prompt_versions.c.version.desc()).limit(1)).one_or_none()
    return as_prompt(row) if row else None


def add(db: sa.Connection, made: Prompt) -> None:
    """Append a version; with its first one the prompt itself is made.

    Raises NotFound where a pinned conversation is none of the project.
    """
    if any(conversations.load(db, each).project != made.project for each in made.pinned):
        raise NotFound("A pinned conversation belongs to another project. Pin one of this project.")
    if made.version == 1:
        db.execute(prompts.insert().values(id=made.id, project_id=made.project, name=made.name))
    db.execute(
        prompt_versions.insert().values(
            prompt_id=made.id,
            version=made.version,
            system=made.system,
            shots=made.shots,
            pinned=json.dumps(made.pinned),
            note=made.note,
            at=made.at,
            by=made.by,
        )
    )


def default(db: sa.Connection, project_id: str) -> Prompt | None:
    """The version that the project uses."""
    query = BOTH.join(
        default_prompts,
        (default_prompts.c.prompt_id == prompts.c.id)
        & (default_prompts.c.version == prompt_versions.c.version),
    )
    row = db.execute(query.where(default_prompts.c.project_id == project_id)).one_or_none()
    return as_prompt(row) if row else None


def set_default(db: sa.Connection, project_id: str, chosen: Prompt | None) -> None:
    db.execute(default_prompts.delete().where(default_prompts.c.project_id == project_id))
    if chosen:
        db.execute(
            default_prompts.insert().values(
                project_id=project_id, prompt_id=chosen.id, version=chosen.version
            )
        )


def as_prompt(row: Any) -> Prompt:
    return Prompt(
        id=row.id,
        project=row.project_id,
        name=row.name,
        version=row.version,
        system=row.system,
        shots=row.shots,
        pinned=tuple(json.loads(row.pinned)),
        note=row.note,
        at=row.at,
        by=row.by,
    )
