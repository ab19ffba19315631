"""Marking many conversations at once: a status, a tag, or the bin, undoable as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from studio.core.errors import BadInput
from studio.core.records import Conversation, Person, Status
from studio.core.text import clean
from studio.store import marking
from studio.work.studio import Studio
from studio.work.writing import REASON, TAG, known_status, now, read_first

MOST = 1000  # conversations marked at once
Made = list[tuple[str, int]]  # the id of each conversation that was changed, and the version that this made


def set_status(
    studio: Studio, person: Person, project_id: str, ids: Sequence[str], status: str, reason: str = ""
) -> Made:
    """Give all of them a status; `reason` says why they are rejected. Raises BadInput, NotFound; then nothing is changed."""
    known = known_status(
        status or "none"
    )  # there is no status without a name, though lists take "" for all of them
    return change(studio, person, project_id, ids, with_status(known, clean(reason, "The reason", REASON)))


def add_tag(studio: Studio, person: Person, project_id: str, ids: Sequence[str], tag: str) -> Made:
    """Add a tag to all of them that do not have it. Raises BadInput, NotFound; then nothing is changed."""
    wanted = " ".join(clean(tag, "The tag", TAG).split())
    if not wanted:
        raise BadInput("The tag is empty. Write one.")
    return change(studio, person, project_id, ids, with_tag(wanted))


def set_deleted(studio: Studio, person: Person, project_id: str, ids: Sequence[str], deleted: bool) -> Made:
    """Move all of them to the bin, or out of it. Raises BadInput, NotFound; then nothing is changed."""
    return change(studio, person, project_id, ids, lambda each: replace(each, deleted=deleted))


def take_back(studio: Studio, person: Person, project_id: str, made: Made) -> Made:
    """Undo one of the above; what somebody changed since stays as it is. Returns what was taken back."""
    few([id for id, _ in made])
    with studio.database.writing() as db:
        return versions(marking.take_back(db, project_id, made, person, now()))


def change(
    studio: Studio,
    person: Person,
    project_id: str,
    ids: Sequence[str],
    wanted: Callable[[Conversation], Conversation],
) -> Made:
    with studio.database.writing() as db:
        return versions(marking.change(db, project_id, few(ids), wanted, person, now()))


def few(ids: Sequence[str]) -> Sequence[str]:
    if not ids or len(ids) > MOST:
        raise BadInput(f"Choose between 1 and {MOST:,} conversations.")
    for each in ids:
        clean(each, "The conversation's id", 100)
    return ids


def versions(changed: Sequence[Conversation]) -> Made:
    return [(each.id, each.version) for each in changed]


def with_status(status: str, reason: str) -> Callable[[Conversation], Conversation]:
    """Those that have the status already keep their reason, unless there is a new one."""
    why = reason.strip() if status == "rejected" else ""

    def marked(each: Conversation) -> Conversation:
        read_first(status, each.messages, f"Nothing was changed. In conversation {each.number:04}: ")
        same = each.status == status and not why
        return each if same else replace(each, status=cast(Status, status), reason=why)

    return marked


def with_tag(tag: str) -> Callable[[Conversation], Conversation]:
    return lambda each: each if tag in each.tags else replace(each, tags=(*each.tags, tag))
