"""Conversations: the newest version of each, and every revision that led there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from studio.core.errors import ChangedMeanwhile, NotFound
from studio.core.records import Change, Conversation, Person, Project, Revision
from studio.store import projects, search
from studio.store.rows import as_conversation, as_revision, content, first_revision, head_of, revision_of
from studio.store.schema import conversations as heads
from studio.store.schema import revisions

BATCH = 1000  # rows sent to the database at once


def load(db: sa.Connection, id: str) -> Conversation:
    """The newest version. Raises NotFound."""
    return only(db, heads.c.id == id)


def load_numbered(db: sa.Connection, project_id: str, number: int) -> Conversation:
    """The newest version, by the number that a person sees. Raises NotFound."""
    return only(db, heads.c.project_id == project_id, heads.c.number == number)


def only(db: sa.Connection, *wanted: sa.ColumnElement[bool]) -> Conversation:
    row = db.execute(sa.select(heads).where(*wanted)).one_or_none()
    if row is None:
        raise NotFound("This conversation is not there. Choose one from the list.")
    return as_conversation(row)


def load_all(db: sa.Connection, project_id: str, status: str = "") -> list[Conversation]:
    """What is not in the bin, in the order of the numbers; `status` "" takes all."""
    query = sa.select(heads).where(*listed(project_id, status)).order_by(heads.c.number)
    return [as_conversation(row) for row in db.execute(query)]


def count(db: sa.Connection, project_id: str) -> int:
    """How many there are, without those in the bin."""
    return counted(db, listed(project_id))


def state(db: sa.Connection, project_id: str) -> tuple[Any, ...]:
    """Differs as soon as anything in the project was changed."""
    told = (sa.func.count(), sa.func.sum(heads.c.version), sa.func.max(heads.c.updated_at))
    return tuple(db.execute(sa.select(*told).where(heads.c.project_id == project_id)).one())


def numbers_of(db: sa.Connection, project_id: str, hashes: Iterable[str]) -> dict[str, int]:
    """The numbers of the conversations outside the bin with these contents, by formats.content_hash."""
    query = sa.select(heads.c.content_hash, sa.func.min(heads.c.number)).where(
        *listed(project_id), heads.c.content_hash.in_(list(hashes))
    )
    return {row[0]: row[1] for row in db.execute(query.group_by(heads.c.content_hash))}


def listed(project_id: str, status: str = "", binned: bool = False) -> list[sa.ColumnElement[bool]]:
    wanted = [heads.c.project_id == project_id, heads.c.deleted == binned]
    return [*wanted, heads.c.status == status] if status else wanted


def counted(db: sa.Connection, wanted: Sequence[sa.ColumnElement[bool]]) -> int:
    return db.execute(sa.select(sa.func.count()).select_from(heads).where(*wanted)).scalar_one()


def history(db: sa.Connection, id: str) -> list[Revision]:
    """Every step of a conversation, newest first, with what was kept aside. Raises NotFound."""
    load(db, id)
    query = sa.select(revisions).where(revisions.c.conversation_id == id).order_by(revisions.c.id.desc())
    return [as_revision(row) for row in db.execute(query)]


def add_revision(db: sa.Connection, change: Change, person: Person, at: str) -> Conversation:
    """Append what `change` asks for and return the version that it made. `at` is ISO 8601, UTC.

    The same request again returns what it made the first time, even where others went on from there since. A change
    that was not made from the newest version is kept aside, and ChangedMeanwhile is raised with both. Raises NotFound.
    """
    if change.request and (earlier := find_by_request(db, change.request)):
        return again(db, earlier, change)
    if not change.conversation:
        return insert(db, change, person, at)
    newest = load(db, change.conversation)
    if newest.project != change.project:
        raise NotFound("This conversation belongs to another project. Open it there.")
    changed = applied(newest, change, person, at)
    if newest.version != change.version:
        append(db, replace(changed, version=change.version), "kept aside", change.request)
        raise ChangedMeanwhile(mine=change, theirs=newest)
    return advance(db, changed, "saved", change.request)


def find_by_request(db: sa.Connection, request: str) -> Any:
    return db.execute(sa.select(revisions).where(revisions.c.request == request)).one_or_none()


def done(db: sa.Connection, requests: Sequence[str]) -> set[str]:
    """Those of the requests that were done already."""
    query = sa.select(revisions.c.request).where(revisions.c.request.in_(requests))
    return set(db.execute(query).scalars())


def outside_bin(db: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Those of the ids that a conversation outside the bin has."""
    query = sa.select(heads.c.id).where(heads.c.id.in_(ids), heads.c.deleted.is_(False))
    return set(db.execute(query).scalars())


def again(db: sa.Connection, earlier: Any, change: Change) -> Conversation:
    """The answer that a repeated request had, from the revision that it made."""
    newest = load(db, earlier.conversation_id)
    if earlier.kind == "kept aside":
        raise ChangedMeanwhile(mine=change, theirs=newest)
    return replace(
        newest,
        **content(earlier),
        version=earlier.version,
        deleted=earlier.deleted,
        updated_at=earlier.at,
        updated_by=earlier.by,
    )


def applied(newest: Conversation, change: Change, person: Person, at: str) -> Conversation:
    return replace(
        newest,
        messages=change.messages,
        status=change.status,
        tags=change.tags,
        note=change.note,
        reason=change.reason if change.status == "rejected" else "",
        updated_at=at,
        updated_by=person.name,
    )


def insert(db: sa.Connection, change: Change, person: Person, at: str) -> Conversation:
    number = projects.take_numbers(db, change.project)
    empty = Conversation(uuid4().hex, change.project, number, 1, (), "draft", (), "", at, person.name)
    made = applied(empty, change, person, at)
    db.execute(heads.insert().values(**head_of(made), created_at=at))
    append(db, made, "saved", change.request)
    return made


def advance(
    db: sa.Connection, changed: Conversation, kind: str, request: str = "", restores: int | None = None
) -> Conversation:
    """Make `changed` the next version of the one that it was made from."""
    made = replace(changed, version=changed.version + 1)
    db.execute(heads.update().where(heads.c.id == made.id).values(**head_of(made)))
    append(db, made, kind, request, restores)
    return made


def append(
    db: sa.Connection, made: Conversation, kind: str, request: str = "", restores: int | None = None
) -> None:
    row = revision_of(made, kind)
    db.execute(revisions.insert().values(**row, request=request or None, restores=restores))


def mark_deleted(db: sa.Connection, id: str, deleted: bool, person: Person, at: str) -> Conversation:
    """Move a conversation to the bin, or out of it; where it is there already, nothing happens. Raises NotFound."""
    newest = load(db, id)
    if newest.deleted == deleted:
        return newest
    moved = replace(newest, deleted=deleted, updated_at=at, updated_by=person.name)
    return advance(db, moved, "deleted" if deleted else "restored")


def insert_many(
    db: sa.Connection, project: Project, drafts: Sequence[Conversation], imported: str | None = None
) -> None:
    """Add finished conversations, in their order, which get an id and a number here. `imported`: the import they came by.

    An id is made of the project's name, the content, and how often that content was there before, in the bin too. So
    the same file imported into a project of the same name on two machines is split into learned and held out alike.
    """
    for start in range(0, len(drafts), BATCH):
        batch = drafts[start : start + BATCH]
        first = projects.take_numbers(db, project.id, len(batch))
        made = [{**head_of(replace(each, project=project.id, version=1)), "created_at": each.updated_at, "imported": imported} for each in batch]  # fmt: skip
        ids = free_ids(db, project.name, [each["content_hash"] for each in made])
        for position, (id, each) in enumerate(zip(ids, made, strict=True)):
            each |= {"id": id, "number": first + position}
        with search.in_bulk(db, project.id, first):
            db.execute(heads.insert(), made)
        db.execute(revisions.insert(), [first_revision(each, "imported") for each in made])


def free_ids(db: sa.Connection, name: str, hashes: Sequence[str]) -> list[str]:
    """An id for each content that no conversation has."""
    found: list[str] = []
    taken = there(db, [derived_id(name, each, 0) for each in hashes])
    for each in hashes:
        occurrence = 0
        while (id := derived_id(name, each, occurrence)) in taken:
            taken.add(id)
            occurrence += 1
            # Of the first ids all are known that are taken; of further ones, which are rare, each is looked up.
            taken |= there(db, [derived_id(name, each, occurrence)])
        taken.add(id)
        found.append(id)
    return found


def there(db: sa.Connection, ids: Sequence[str]) -> set[str]:
    return set(db.execute(sa.select(heads.c.id).where(heads.c.id.in_(ids))).scalars())


def derived_id(name: str, content_hash: str, occurrence: int) -> str:
    return sha256(f"{name}\0{content_hash}\0{occurrence}".encode()).hexdigest()[:32]
