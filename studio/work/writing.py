"""The verbs of writing: projects, saving and finding conversations, and bringing them in and out by file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from studio.core import difference, formats, lint
from studio.core.errors import BadInput, NotFound
from studio.core.records import (
    Change,
    Conversation,
    Message,
    Person,
    Project,
    Revision,
    Role,
    Wanted,
)
from studio.core.text import MOST_TURNS, clean
from studio.store import conversations, exports, files, undoing
from studio.store import projects as stored_projects
from studio.store import prompts as stored_prompts
from studio.store.exports import KINDS as KINDS
from studio.work.finding import TAG as TAG
from studio.work.finding import checked
from studio.work.finding import known_status as known_status
from studio.work.finding import page as page
from studio.work.finding import tags as tags
from studio.work.studio import Studio

VOUCHED = ("ready", "approved")  # what no conversation is while a model's draft in it is unread
REASON = 1000  # characters that say why something was rejected


def projects(studio: Studio) -> list[Project]:
    """Every project, oldest first."""
    with studio.database.reading() as db:
        return stored_projects.load_all(db)


def project(studio: Studio, name: str) -> Project:
    """The project of that name, made on its first use. Raises BadInput for a name that cannot be one."""
    wanted = " ".join(clean(name, "The project's name", 80).split())
    if not wanted:
        raise BadInput("A project needs a name. Write one.")
    with studio.database.reading() as db:
        found = stored_projects.find(db, wanted)
    if found:
        return found
    with studio.database.writing() as db:
        return stored_projects.ensure(db, wanted, now())


def by_id(studio: Studio, project_id: str) -> Project:
    """Raises NotFound."""
    with studio.database.reading() as db:
        return stored_projects.load(db, project_id)


def set_system(studio: Studio, person: Person, project_id: str, text: str) -> Project:
    """Set the text that stands before conversations without a system text of their own. Raises BadInput, NotFound.

    A kept prompt that was the project's until then is its default no longer.
    """
    with studio.database.writing() as db:
        stored_prompts.set_default(db, project_id, None)
        return stored_projects.set_system(db, project_id, clean(text, "The system text"))


def count(studio: Studio, project_id: str) -> int:
    """How many conversations there are, without those in the bin."""
    with studio.database.reading() as db:
        return conversations.count(db, project_id)


def read(studio: Studio, key: str | int, project_id: str) -> Conversation:
    """The newest version of a conversation of the project, by its id or its number. Raises NotFound."""
    wanted = clean(str(key), "The conversation's id", 100)
    with studio.database.reading() as db:
        if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
            return conversations.load_numbered(db, project_id, int(wanted))
        found = conversations.load(db, wanted)
    if found.project != project_id:
        raise NotFound("This conversation belongs to another project. Open it there.")
    return found


def all_conversations(studio: Studio, project_id: str, status: str = "") -> list[Conversation]:
    """What is not in the bin, by number; `status` "" takes all."""
    with studio.database.reading() as db:
        return conversations.load_all(db, project_id, known_status(status))


def history(studio: Studio, id: str) -> list[Revision]:
    """Every step of a conversation, newest first, with what was kept aside. Raises NotFound."""
    with studio.database.reading() as db:
        return conversations.history(db, clean(id, "The conversation's id", 100))


def step(studio: Studio, project_id: str, id: str, place: int) -> tuple[Revision, list[difference.Turn]]:
    """One step of a conversation's history, counted from 0 for the oldest, and what it changed. Raises NotFound.

    What was kept aside is compared with the version it was made from, every other step with the version before it.
    """
    steps = history(studio, read(studio, id, project_id).id)[::-1]
    if not 0 <= place < len(steps):
        raise NotFound("This step is not in the history. Open the conversation again and choose one that is.")
    taken = steps[place]
    wanted = taken.version if taken.kind == "kept aside" else taken.version - 1
    before = next((each for each in steps if each.version == wanted and each.kind != "kept aside"), None)
    return taken, difference.turns(before.messages if before else (), taken.messages)


def save(studio: Studio, person: Person, change: Change) -> Conversation:
    """Save a change durably and return the version that it made; an unfinished draft may be saved, an empty one not.

    Raises ChangedMeanwhile, with the text kept in the history, where it was not made from the newest version; BadInput,
    NotFound, Busy, DoesNotFit, with nothing saved.
    """
    checked = checked_change(change)
    with studio.database.writing() as db:
        return conversations.add_revision(db, checked, person, now())


def undo(studio: Studio, person: Person, project_id: str, id: str) -> Conversation:
    """Bring back what a conversation was one step before; also after a restart. Raises BadInput, NotFound."""
    return walk(studio, person, project_id, id, "undone")


def redo(studio: Studio, person: Person, project_id: str, id: str) -> Conversation:
    """Bring back what an undo took away. Raises BadInput, NotFound."""
    return walk(studio, person, project_id, id, "redone")


def walk(studio: Studio, person: Person, project_id: str, id: str, way: undoing.Way) -> Conversation:
    found = read(studio, id, project_id)
    with studio.database.writing() as db:
        return undoing.walk(db, found.id, way, person, now())


def delete(studio: Studio, person: Person, project_id: str, id: str) -> Conversation:
    """Move a conversation to the bin. Raises NotFound."""
    return move(studio, person, project_id, id, deleted=True)


def restore(studio: Studio, person: Person, project_id: str, id: str) -> Conversation:
    """Bring a conversation back from the bin. Raises NotFound."""
    return move(studio, person, project_id, id, deleted=False)


def move(studio: Studio, person: Person, project_id: str, id: str, deleted: bool) -> Conversation:
    found = read(studio, id, project_id)
    with studio.database.writing() as db:
        return conversations.mark_deleted(db, found.id, deleted, person, now())


def export_file(studio: Studio, wanted: Wanted, path: Path, kind: str = "jsonl") -> tuple[int, int]:
    """Write what a list shows to a file, whole or not at all: how many conversations, and how many were left out.

    Left out is what holds a model's draft that nobody has read: a file could not say that it is one. `kind` is one of
    exports.KINDS. Raises BadInput, DoesNotFit.
    """
    if kind not in KINDS:
        raise BadInput(f"There is no format named “{kind}”. Use one of {', '.join(KINDS)}.")
    checked(wanted)
    written = unread = 0

    def counted() -> Iterator[Conversation]:
        nonlocal written, unread
        for each in exports.each(db, wanted):
            if lint.drafts(each.messages):
                unread += 1
                continue
            written += 1
            yield each

    with studio.database.reading() as db:
        files.write_lines(path, exports.encoded(kind, counted()))
    return written, unread


def cleaned(text: str, what: str) -> str:
    """The gate for a text that is not saved, such as a question. Raises BadInput."""
    return clean(text, what)


def checked_change(change: Change) -> Change:
    """A change as it came, or BadInput that names the place of what cannot be saved."""
    check_turns(change.messages)
    for each in change.tags:
        if not clean(each, "A tag", TAG).strip():
            raise BadInput("A tag is empty. Write it or delete it.")
    clean(change.note, "The note", 10_000)
    clean(change.reason, "The reason", REASON)
    clean(change.request, "The request's id", 200)
    clean(change.conversation, "The conversation's id", 100)
    known_status(change.status or "none")
    read_first(change.status, change.messages)
    return change


def check_turns(messages: Sequence[Message]) -> None:
    """Raises BadInput that names the turn."""
    if not messages:
        raise BadInput("There is nothing to save yet. Write a turn first.")
    if len(messages) > MOST_TURNS:
        raise BadInput(f"A conversation may have {MOST_TURNS:,} turns. Split this one.")
    for number, message in enumerate(messages, start=1):
        check_turn(number, message)


def check_turn(number: int, message: Message) -> None:
    if message.role not in get_args(Role):
        raise BadInput(f"Turn {number} has an unknown role. Use one of {', '.join(get_args(Role))}.")
    clean(message.content, f"Turn {number}")
    formats.weight(number, message.weight)
    formats.drafted(number, message.drafted)
    if message.name is not None:
        clean(message.name, f"The name in turn {number}", 200)


def read_first(status: str, messages: Sequence[Message], which: str = "") -> None:
    """Raises BadInput where a status would vouch for a draft that nobody has read. `which` begins the sentence."""
    if status in VOUCHED and (places := lint.drafts(messages)):
        raise BadInput(f"{which}{lint.unread(places[0])} Then it can be {status}.")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
