"""Conversations as rows of the tables, and back."""

from __future__ import annotations

import json
from typing import Any

from studio.core import formats
from studio.core.records import Conversation, Revision, Row
from studio.core.text import one_line


def head_of(made: Conversation) -> dict[str, Any]:
    """A conversation's row, with what lists and searches need, but for when it was created."""
    return {
        **shared_columns(made),
        "id": made.id,
        "project_id": made.project,
        "number": made.number,
        "question": first_said(made, "user"),
        "answer": first_said(made, "assistant"),
        "turns": sum(each.role != "system" for each in made.messages),
        "size": sum(len(each.content) for each in made.messages),
        "content_hash": formats.content_hash(made.messages),
        "updated_at": made.updated_at,
        "updated_by": made.updated_by,
    }


def revision_of(made: Conversation, kind: str) -> dict[str, Any]:
    return {
        **shared_columns(made),
        "conversation_id": made.id,
        "kind": kind,
        "at": made.updated_at,
        "by": made.updated_by,
    }


def first_revision(head: dict[str, Any], kind: str) -> dict[str, Any]:
    """The revision that is what a new row of heads says, without its texts being written out once more."""
    own = {"conversation_id": head["id"], "kind": kind, "at": head["updated_at"], "by": head["updated_by"]}
    return {
        **{
            name: head[name]
            for name in ("version", "messages", "status", "tags", "note", "reason", "deleted")
        },
        **own,
    }


def shared_columns(made: Conversation) -> dict[str, Any]:
    return {
        "version": made.version,
        "messages": formats.dump(made.messages),
        "status": made.status,
        "tags": json.dumps(made.tags, ensure_ascii=False),
        "note": made.note,
        "reason": made.reason,
        "deleted": made.deleted,
    }


def first_said(made: Conversation, role: str) -> str:
    return one_line(next((each.content for each in made.messages if each.role == role), ""))


def content(row: Any) -> dict[str, Any]:
    """What a row of heads or revisions says itself."""
    return {
        "messages": formats.load(row.messages),
        "status": row.status,
        "tags": tuple(json.loads(row.tags)),
        "note": row.note,
        "reason": row.reason,
    }


def as_conversation(row: Any) -> Conversation:
    return Conversation(
        id=row.id,
        project=row.project_id,
        number=row.number,
        version=row.version,
        **content(row),
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        deleted=row.deleted,
    )


def as_revision(row: Any) -> Revision:
    return Revision(row.conversation_id, row.version, row.kind, row.at, row.by, **content(row))


def as_row(row: Any) -> Row:
    tags = tuple(json.loads(row.tags))
    return Row(row.id, row.number, row.question, row.answer, row.status, tags, row.turns, row.updated_by)
