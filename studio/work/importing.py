"""Bringing conversations in by file: looked at first, taken as one, and taken back as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from studio.core import formats, reading
from studio.core.columns import Columns
from studio.core.errors import BadInput, UnreadableFile
from studio.core.formats import FORMATS, Verdict
from studio.core.reading import SHOWN, Choice, Imported, Plan, Reading, Refusals, Seen, Source
from studio.core.records import Conversation, Person
from studio.core.text import clean
from studio.store import conversations, files, imports, seen
from studio.store import projects as stored_projects
from studio.store.home import assets
from studio.store.imports import Import
from studio.work.studio import Studio
from studio.work.writing import TAG, known_status, now

BATCH = 500  # rows that are looked up and written together
PAST = 20  # imports that can be chosen to be undone

# Called with the rows read and the rows written so far. It may raise Stopped: then nothing is taken.
Telling = Callable[[int, int], None]
Item = TypeVar("Item")


def silent(read: int, written: int) -> None:
    """Nobody wants to know how far it is."""


def read_file(studio: Studio, project_id: str, path: Path, format: str = "auto") -> Reading:
    """Read and judge a file row by row, without bringing anything in. `format` is auto or one of formats.FORMATS.

    Raises UnreadableFile for one that is none of the shapes, BadInput for an unknown format.
    """
    if format not in ("auto", *FORMATS):
        raise BadInput(f"There is no format named “{format}”. Use auto, or one of {', '.join(FORMATS)}.")
    return look(studio, project_id, path, None if format == "auto" else format, certain=True)


def look(
    studio: Studio,
    project_id: str,
    path: Path,
    format: str | None = None,
    columns: Columns | None = None,
    tell: Telling = silent,
    certain: bool = False,
) -> Reading:
    """As `read_file`, for a person who looks at what was found before anything is taken. Unless it must be `certain`, a
    table's columns may be guessed from what is in them, or stay unknown; `columns` says what they are.
    """
    mark = mark_of(path)
    plan, rows = reading.planned(path.name, files.read_rows(path), format, columns)
    if certain:
        reading.sure(path.name, plan)
    refusals = Refusals()
    first: list[Seen] = []
    repeated: list[tuple[int, str]] = []
    count = fine = duplicates = 0
    with seen.nothing_yet() as earlier:
        for batch in batches(reading.judged(rows, plan)):
            for each, repeats in compared(studio, project_id, batch, earlier):
                count += 1
                if each.messages is None:
                    refusals.add(each.row, each.reason)
                    continue
                fine, duplicates = fine + (not repeats), duplicates + bool(repeats)
                if len(first) < SHOWN:
                    first.append(Seen(each, repeats))
                if repeats and len(repeated) < SHOWN:
                    repeated.append((each.row, repeats))
            tell(count, 0)
    return Reading(Source(path, mark, plan), count, fine, duplicates, tuple(refusals.found), tuple(first), tuple(repeated))  # fmt: skip


def compared(
    studio: Studio, project_id: str, batch: list[Verdict], earlier: seen.Seen
) -> Iterator[tuple[Verdict, str]]:
    """Each verdict with what its content repeats, in words; "" for what is new."""
    hashes = {each.row: formats.content_hash(each.messages) for each in batch if each.messages is not None}
    with studio.database.reading() as db:
        there = conversations.numbers_of(db, project_id, set(hashes.values()))
    for each in batch:
        repeats = ""
        if each.row in hashes:
            number = there.get(hashes[each.row])
            first = earlier.first(hashes[each.row], each.row)
            repeats = (
                f"conversation {number:04d}" if number else f"row {first:,}" if first != each.row else ""
            )
        yield each, repeats


def take(studio: Studio, person: Person, project_id: str, found: Reading) -> Imported:
    """Bring in all good rows that are not there yet, or none. Raises as `bring_in`."""
    return bring_in(studio, person, project_id, found.source, Choice())


def bring_in(
    studio: Studio,
    person: Person,
    project_id: str,
    source: Source,
    choice: Choice,
    tell: Telling = silent,
) -> Imported:
    """Bring in the chosen rows that are good and not there yet, all of them or none: the file is read once more, and each
    row is compared again within the transaction, for the same file may have come in since.

    Raises UnreadableFile where the file changed since it was looked at; BadInput, NotFound, Busy, DoesNotFit.
    """
    known_status(choice.status or "none")
    tag = " ".join(clean(choice.tag, "The tag", TAG).split())
    if mark_of(source.path) != source.mark:
        raise UnreadableFile(f"{source.path.name} was changed since it was looked at. Choose it once more.")
    rows = chosen(files.read_rows(source.path), source.plan, choice)
    refusals, at = Refusals(), now()
    count = taken = duplicates = 0
    with studio.database.writing() as db:
        into = stored_projects.load(db, project_id)
        id = imports.add(db, into.id, clean(source.path.name, "The file's name", 1000), person, at)
        for batch in batches(rows):
            for each in batch:
                if each.messages is None:
                    refusals.add(each.row, each.reason)
            good = by_content(batch)
            there = conversations.numbers_of(db, into.id, good)
            new = [each for content, each in good.items() if content not in there]
            drafts = [draft(reading.tagged(each, tag), choice, person, at) for each in new]
            conversations.insert_many(db, into, drafts, id)
            count, taken = count + len(batch), taken + len(new)
            duplicates = count - taken - len(refusals.found)
            tell(count, taken)
        if not taken:
            imports.forget(db, id)
    return Imported(count, taken, duplicates, tuple(refusals.found), source.plan.format, id if taken else "")


def chosen(rows: Iterator[reading.FileRow], plan: Plan, choice: Choice) -> Iterator[Verdict]:
    return (each for each in reading.judged(rows, plan) if choice.wants(each.row))


def by_content(batch: list[Verdict]) -> dict[str, Verdict]:
    """The acceptable rows, in their order; of those that say the same, the first."""
    found: dict[str, Verdict] = {}
    for each in batch:
        if each.messages is not None:
            found.setdefault(formats.content_hash(each.messages), each)
    return found


def draft(found: Verdict, choice: Choice, person: Person, at: str) -> Conversation:
    messages = found.messages or ()
    return Conversation("", "", 0, 1, messages, choice.status, found.tags, found.note, at, person.name)


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def mark_of(path: Path) -> tuple[int, int]:
    """What changes when a file is changed. Raises UnreadableFile."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableFile(f"{path} cannot be opened ({reason}). Check its name and that you may read it.") from error  # fmt: skip
    return found.st_size, found.st_mtime_ns


def seen_only(found: Reading) -> Imported:
    """What a dry run says: as `take`, with nothing imported."""
    return Imported(found.read, 0, found.duplicates, found.rejected, found.format)


def starter_examples(studio: Studio, project_id: str) -> Reading:
    """The example conversations that come with the studio, ready to be taken."""
    return read_file(studio, project_id, assets() / "starter_examples.jsonl", "messages")


def past(studio: Studio, project_id: str) -> list[Import]:
    """The newest files that were brought in and of which something is left, newest first."""
    with studio.database.reading() as db:
        return imports.load_all(db, project_id, PAST)


def undo(studio: Studio, person: Person, project_id: str, id: str) -> tuple[int, int]:
    """Move what came by an import to the bin, but for what was changed since. Returns how many went, and how many stay.

    Raises NotFound.
    """
    wanted = clean(id, "The import's id", 100)
    with studio.database.writing() as db:
        return imports.undo(db, project_id, wanted, person, now())
