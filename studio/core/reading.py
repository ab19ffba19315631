"""A file of conversations as it was read: its shape, a verdict for each row, and what is there already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from studio.core import formats
from studio.core.columns import Columns, as_messages, gathered, guess, guess_from
from studio.core.errors import BadInput, UnreadableFile
from studio.core.formats import EXPECTED, TABLE, Verdict
from studio.core.records import Status
from studio.core.text import one_line

SAMPLE = 100  # rows from which a file's shape is told
SHOWN = 50  # rows that are kept to be shown
MOST_REFUSED = 200_000  # rows; their reasons are kept to be told one by one

# A row's number, counted from 1, with its fields or with the reason why it has none.
FileRow = tuple[int, dict[str, object] | str]


@dataclass(frozen=True)
class Plan:
    """How the rows of a file are read: their shape and, for a table, its columns. `left` are fields that are not kept;
    `guessed`: the columns were told from what is in them, not from their names."""

    format: str
    columns: Columns = field(default_factory=Columns)
    names: tuple[str, ...] = ()  # the columns that there are to choose from
    left: tuple[str, ...] = ()
    guessed: bool = False
    sample: tuple[
        tuple[str, ...], ...
    ] = ()  # the cells of a table's first rows, for a person to tell columns by


@dataclass(frozen=True)
class Seen:
    """An acceptable row as it is shown. `repeats` says what it is the same as; "" if it is new."""

    verdict: Verdict
    repeats: str


@dataclass(frozen=True)
class Source:
    """A file that was looked at, and how it is read. `mark` tells whether it is still the same."""

    path: Path
    mark: tuple[int, int]
    plan: Plan


@dataclass(frozen=True)
class Reading:
    """A file before anything is taken from it: counts, and the first of its rows.

    `fine` are the rows that would come in, `duplicates` acceptable rows that say the same as a conversation of the
    project or as an earlier row; `repeated` are the first of these with what they repeat.
    """

    source: Source
    read: int
    fine: int
    duplicates: int
    rejected: tuple[tuple[int, str], ...]
    first: tuple[Seen, ...]
    repeated: tuple[tuple[int, str], ...]

    @property
    def format(self) -> str:
        return self.source.plan.format


@dataclass(frozen=True)
class Choice:
    """What is to be taken of a file, and as what. `rows` are ranges of row numbers (none: all), `without` single rows."""

    status: Status = "ready"
    tag: str = ""
    rows: tuple[tuple[int, int], ...] = ()
    without: frozenset[int] = frozenset()

    def wants(self, row: int) -> bool:
        there = not self.rows or any(first <= row <= last for first, last in self.rows)
        return there and row not in self.without


@dataclass(frozen=True)
class Imported:
    """What became of a file's rows: read = imported + duplicates + rejected + left out, but for a dry run, which imports
    none. `id` names the import; "" where nothing came in."""

    read: int
    imported: int
    duplicates: int
    rejected: tuple[tuple[int, str], ...]  # row and reason
    format: str
    id: str = ""


@dataclass
class Refusals:
    """Refused rows with their reasons, each reason held once."""

    found: list[tuple[int, str]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, row: int, reason: str) -> None:
        """Raises UnreadableFile where there are too many to be worth a look at each."""
        self.found.append((row, self.reasons.setdefault(reason, reason)))
        if len(self.found) > MOST_REFUSED:
            first, why = self.found[0]
            raise UnreadableFile(f"More than {MOST_REFUSED:,} rows of this file cannot be used. Row {first}: {why} Mend the file, or split it, and try again.")  # fmt: skip


def wanted() -> str:
    return f"Give a JSON, JSONL, CSV, TSV, Excel (.xlsx) or Parquet file whose rows have {EXPECTED}."


def planned(
    name: str, rows: Iterator[FileRow], shape: str | None, columns: Columns | None = None
) -> tuple[Plan, Iterable[FileRow]]:
    """How the file `name` is read, told from its first rows where `shape` and `columns` do not say it, and all its rows.

    A table's columns may stay unknown; then its plan is not complete. Raises UnreadableFile for a file without rows or
    without a known shape.
    """
    begun, sample = beginning(rows)
    if not begun:
        raise UnreadableFile(f"{name} has no rows. Choose a file with conversations in it.")
    found = TABLE if columns else shape or formats.detect(sample)
    if found and found != TABLE:
        left = sorted(set().union(*(formats.left_behind(row, found) for row in sample)))
        return Plan(found, left=tuple(left)), chain(begun, rows)
    if not sample:
        number, reason = begun[0]
        raise UnreadableFile(f"None of the rows of {name} can be read. Row {number}: {reason} {wanted()}")
    names = tuple(dict.fromkeys(each for row in sample for each in row))
    if len(names) < 2:
        raise none_known(name, names)
    chosen = columns or guess_from(names, sample)
    left = [each for each in names if each not in chosen.used]
    guessed = columns is None and chosen != guess(names)
    cells = tuple(tuple(one_line(str(row.get(each, "")), 100) for each in names) for row in sample[:3])
    return Plan(TABLE, chosen, names, tuple(left), guessed, cells), chain(begun, rows)


def beginning(rows: Iterator[FileRow]) -> tuple[list[FileRow], list[Mapping[str, object]]]:
    begun: list[FileRow] = []
    sample: list[Mapping[str, object]] = []
    for number, row in rows:
        begun.append((number, row))
        if isinstance(row, dict):
            sample.append(row)
        if len(sample) == SAMPLE:
            break
    return begun, sample


def none_known(name: str, names: Iterable[str]) -> UnreadableFile:
    there = ", ".join(f"`{each}`" for each in list(names)[:8]) or "none"
    return UnreadableFile(f"{name} has none of the known shapes; its first row has the fields {there}. {wanted()}")  # fmt: skip


def sure(name: str, plan: Plan) -> Plan:
    """The plan, where nobody looks at it before rows are taken: columns must be called what they are. Raises UnreadableFile."""
    if plan.format == TABLE and (plan.guessed or not plan.columns.complete):
        raise none_known(name, plan.names)
    return plan


def judged(rows: Iterable[FileRow], plan: Plan) -> Iterator[Verdict]:
    """A verdict for each row. Of a table whose columns are not known every row is refused."""
    if plan.format != TABLE:
        return (verdict(number, row, plan.format) for number, row in rows)
    if plan.columns.by_turn:
        return (verdict(number, row, "messages") for number, row in gathered(rows, plan.columns))
    if not plan.columns.complete:
        return (Verdict(number, None, row if isinstance(row, str) else "It is not known which columns are the question and the answer.") for number, row in rows)  # fmt: skip
    return (
        verdict(number, row if isinstance(row, str) else as_messages(row, plan.columns), "messages")
        for number, row in rows
    )


def verdict(number: int, row: dict[str, object] | str, shape: str) -> Verdict:
    return formats.judge(number, row, shape) if isinstance(row, dict) else Verdict(number, None, row)


def tagged(found: Verdict, tag: str) -> Verdict:
    """The verdict with a tag more, which all of a file get."""
    return found if not tag or tag in found.tags else replace(found, tags=(*found.tags, tag))


def ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Row numbers as a person writes them: "1-200, 305". Raises BadInput."""
    found = []
    for part in filter(None, (each.strip() for each in text.replace("–", "-").split(","))):
        first, dash, last = (each.strip() for each in part.partition("-"))
        ends = (first, last if dash else first)
        if not all(each.isascii() and each.isdigit() and len(each) < 10 for each in ends):
            raise BadInput(f"“{part}” are no row numbers. Write them as 1-200, 305, or leave the field empty for all rows.")  # fmt: skip
        found.append((int(ends[0]), int(ends[1])))
    return tuple(found)
