"""Conversations: the newest version of each, and every revision that led there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from studio.core.errors import ChangedMeanwhile, NotFound
from studio.core.records import Change, Conversation, Page, Person, Project, Revision
from studio.core.text import searchable
from studio.store import projects
from studio.store.rows import (
    as_conversation,
    as_revision,
    as_row,
    content,
    first_revision,
    head_of,
    revision_of,
)
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


def numbers_of(db: sa.Connection, project_id: str, hashes: Iterable[str]) -> dict[str, int]:
    """The numbers of the conversations outside the bin with these contents, by formats.content_hash."""
    query = sa.select(heads.c.content_hash, sa.func.min(heads.c.number)).where(
        *listed(project_id), heads.c.content_hash.in_(list(hashes))
    )
    return {row[0]: row[1] for row in db.execute(query.group_by(heads.c.content_hash))}


def page(
    db: sa.Connection,
    project_id: str,
    *,
    search: str = "",
    status: str = "",
    tag: str = "",
    binned: bool = False,
    first: int = 1,
    size: int = 50,
) -> Page:
    """The rows from position `first` (from 1) on, newest number first; from the last page where `first` lies beyond it."""
    wanted = listed(project_id, status, binned, search, tag)
    total = counted(db, wanted)
    if first > total:  # rows went away since the page was turned
        first = max(0, total - 1) // size * size + 1
    first = max(1, first)
    shown = (heads.c.id, heads.c.number, heads.c.question, heads.c.answer, heads.c.status, heads.c.tags, heads.c.turns)  # fmt: skip
    query = sa.select(*shown).where(*wanted).order_by(heads.c.number.desc()).limit(size).offset(first - 1)
    return Page(tuple(as_row(row) for row in db.execute(query)), total, first)


def listed(
    project_id: str, status: str = "", binned: bool = False, search: str = "", tag: str = ""
) -> list[sa.ColumnElement[bool]]:
    wanted = [heads.c.project_id == project_id, heads.c.deleted == binned]
    if status:
        wanted.append(heads.c.status == status)
    if tag:
        # Within the JSON list a tag stands in quotes, and quotes within a tag are escaped: only a whole tag matches.
        wanted.append(heads.c.tags.contains(json.dumps(tag, ensure_ascii=False), autoescape=True))
    if search.strip():
        wanted.append(heads.c.searchable.contains(searchable(search), autoescape=True))
    return wanted


def counted(db: sa.Connection, wanted: Sequence[sa.ColumnElement[bool]]) -> int:
    return db.execute(sa.select(sa.func.count()).select_from(heads).where(*wanted)).scalar_one()


def tags(db: sa.Connection, project_id: str) -> list[str]:
    """Every tag in use outside the bin, the most used first."""
    query = sa.select(heads.c.tags, sa.func.count()).where(*listed(project_id)).group_by(heads.c.tags)
    used: Counter[str] = Counter()
    for row, times in db.execute(query):
        used.update(dict.fromkeys(json.loads(row), times))
    return [tag for tag, _ in sorted(used.items(), key=lambda each: (-each[1], each[0]))]


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
