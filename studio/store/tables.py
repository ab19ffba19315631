"""Tables of conversations: CSV and its relatives, and Parquet, row by row, every text as it stands there."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from studio.core.columns import OURS, guess
from studio.core.errors import UnreadableFile
from studio.core.formats import FIELDS, OPTIONAL, detect
from studio.core.reading import FileRow

SEPARATORS = (",", ";", "\t")
ENDS = ("\n", "\r")
SUFFIXES = (".csv", ".tsv", ".tab")
KNOWN = {name for names in (*FIELDS.values(), *OPTIONAL.values(), ("tags", "note")) for name in names}
LONGEST_CELL = 4 * 2**20  # characters; a cell may hold a whole conversation in JSON
LONGEST_NAME = 40  # characters of a column's name in a file that nobody called a table
BATCH = 500  # rows of Parquet in memory at once
# What makes a spreadsheet compute a cell, and the sign that keeps it from that, which has to be told from a text's own.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def separator_of(head: bytes, is_table: bool = False) -> str | None:
    """The separator under which a text's first line names columns that are known; None if there is none.

    Of a file that `is_table` by its name any columns will do.
    """
    line = re.split(r"[\r\n]", head.decode("utf-8-sig", "replace").lstrip(), maxsplit=1)[0]
    if line.lstrip("\ufeff").startswith(("{", "[", "<")):
        return None
    names = {each: cells_of(line, each) for each in SEPARATORS}
    for separator, cells in names.items():
        named = [as_name(each) for each in cells]
        short = is_table or all(
            len(each) < LONGEST_NAME for each in named
        )  # else it may be the beginning of a tale
        if detect([dict.fromkeys(named)]) or (short and guess(named).complete):
            return separator
    widest = max(SEPARATORS, key=lambda each: len(names[each]))
    return widest if is_table and len(names[widest]) > 1 else None


def cells_of(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def as_name(cell: str) -> str:
    """A column's name without what spreadsheets and people do to those that are known."""
    name = cell.strip()
    return name.lower() if name.lower() in KNOWN else name


def separated_rows(path: Path, separator: str) -> Iterator[FileRow]:
    """Rows count from 1 below the header. Raises UnreadableFile for what is not UTF-8.

    The standard library's strict reader and not a data frame's: where quotes do not match it says so, instead of
    swallowing the rows between two of them, and it leaves "NA" and line ends as they are.
    """
    csv.field_size_limit(LONGEST_CELL)  # for the whole process, but nothing else in it reads CSV
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield from below_header(records(csv.reader(Lines(file), delimiter=separator, strict=True)))
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"{path.name} is not UTF-8. Save it as “CSV UTF-8” (Excel) or with the encoding UTF-8 and try again.") from error  # fmt: skip


class Lines:
    """The lines of a table, none of them longer than can be held in memory. Goes on behind one that is."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        if not (line := self.file.readline(LONGEST_CELL + 1)):
            raise StopIteration
        if len(line) <= LONGEST_CELL or line.endswith(ENDS):
            return line
        while line and not line.endswith(ENDS):
            line = self.file.readline(2**20)
        raise csv.Error(f"a line is longer than {LONGEST_CELL // 2**20} MB")


def records(reader: Iterator[list[str]]) -> Iterator[list[str] | str]:
    """The records of a table, each as its cells or as the reason why they are not known."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line = getattr(reader, "line_num", 0)
            yield f"This row is not one of a table, often because its quotes do not match: {error}, in line {line:,} of the file."


def below_header(found: Iterator[list[str] | str]) -> Iterator[FileRow]:
    """Name the cells of each record by the first one that is not blank. Blank records are counted and left out."""
    header = next((each for each in found if not is_blank(each)), [])
    names = names_of(header) if isinstance(header, list) else []
    ours = OURS in names
    for number, cells in enumerate(found, start=1):
        if is_blank(cells):
            continue
        yield number, cells if isinstance(cells, str) else fields(names, [unguarded(each) for each in cells] if ours else cells)  # fmt: skip


def names_of(header: Sequence[str]) -> list[str]:
    """A name for each column, so that none hides another of the same name or of none."""
    last = max((place for place, cell in enumerate(header, start=1) if cell.strip()), default=0)
    names: list[str] = []
    for place, cell in enumerate(header[:last], start=1):
        name = as_name(cell) or f"column {place}"
        names.append(f"{name} ({place})" if name in names else name)
    return names


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; `unguarded` makes it what it was."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def is_blank(cells: list[str] | str) -> bool:
    return not any(each.strip() for each in cells)


def fields(names: Sequence[str], cells: Sequence[str]) -> dict[str, object] | str:
    if any(cells[len(names) :]):
        return f"This row has {len(cells)} cells and the header names {len(names)}. Put quotes around texts that hold a separator."
    return dict(zip(names, cells, strict=False))


def parquet_rows(path: Path) -> Iterator[FileRow]:
    """Rows in batches, so that a large file need not fit into memory. Raises UnreadableFile.

    By Arrow itself: a data frame would turn missing values into NaN and lists of turns into arrays.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, buffer_size=2**20, pre_buffer=False) as file:
            batches = file.iter_batches(batch_size=BATCH, use_threads=False)
            yield from enumerate((row for batch in batches for row in batch.to_pylist()), start=1)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile(
            f"{path.name} is a broken Parquet file. Write it again and try again."
        ) from error
