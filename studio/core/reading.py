"""A file of conversations as it was read: its shape, a verdict for each row, and what is there already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import chain

from studio.core import formats
from studio.core.errors import UnreadableFile
from studio.core.formats import EXPECTED, Verdict

SAMPLE = 100  # rows from which a file's shape is told

# A row's number, counted from 1, with its fields or with the reason why it has none.
FileRow = tuple[int, dict[str, object] | str]


@dataclass(frozen=True)
class Reading:
    """A file before anything is taken from it. `duplicates` are the numbers of acceptable rows that say the same as a
    conversation of the project or as an earlier row."""

    format: str
    verdicts: tuple[Verdict, ...]
    duplicates: frozenset[int]

    @property
    def read(self) -> int:
        return len(self.verdicts)

    @property
    def good(self) -> tuple[Verdict, ...]:
        """The rows that would be brought in."""
        return tuple(
            each for each in self.verdicts if each.messages is not None and each.row not in self.duplicates
        )

    @property
    def rejected(self) -> tuple[tuple[int, str], ...]:
        return tuple((each.row, each.reason) for each in self.verdicts if each.messages is None)


@dataclass(frozen=True)
class Imported:
    """What became of a file's rows: read = imported + duplicates + rejected, but for a dry run, which imports none."""

    read: int
    imported: int
    duplicates: int
    rejected: tuple[tuple[int, str], ...]  # row and reason
    format: str


def wanted() -> str:
    return f"Give a JSON, JSONL, CSV, TSV, Excel (.xlsx) or Parquet file whose rows have {EXPECTED}."


def recognised(name: str, rows: Iterator[FileRow], shape: str | None) -> tuple[str, Iterable[FileRow]]:
    """The shape of the file `name`, told from its first rows unless it is given, and all its rows.

    Raises UnreadableFile for one without rows or without a known shape.
    """
    begun: list[FileRow] = []
    sample: list[Mapping[str, object]] = []
    for number, row in rows:
        begun.append((number, row))
        if isinstance(row, dict):
            sample.append(row)
        if len(sample) == SAMPLE:
            break
    if not begun:
        raise UnreadableFile(f"{name} has no rows. Choose a file with conversations in it.")
    if found := shape or formats.detect(sample):
        return found, chain(begun, rows)
    if not sample:
        number, reason = begun[0]
        raise UnreadableFile(f"None of the rows of {name} can be read. Row {number}: {reason} {wanted()}")
    there = ", ".join(f"`{each}`" for each in list(sample[0])[:8]) or "none"
    raise UnreadableFile(f"{name} has none of the known shapes; its first row has the fields {there}. {wanted()}")  # fmt: skip


def judged(rows: Iterable[FileRow], shape: str) -> tuple[Verdict, ...]:
    return tuple(
        formats.judge(number, row, shape) if isinstance(row, dict) else Verdict(number, None, row)
        for number, row in rows
    )


def repeated(verdicts: Iterable[Verdict], known: Set[str]) -> frozenset[int]:
    """The numbers of acceptable rows whose content is `known`, by its hash, or was in an earlier row."""
    seen = set(known)
    found = set()
    for each in verdicts:
        if each.messages is None:
            continue
        content = formats.content_hash(each.messages)
        if content in seen:
            found.add(each.row)
        seen.add(content)
    return frozenset(found)
