"""Tables of conversations: CSV and its relatives, Excel and Parquet, row by row, every text as it stands there."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from studio.core.errors import UnreadableFile
from studio.core.formats import detect
from studio.core.reading import FileRow

SEPARATORS = (",", ";", "\t")
LONGEST_CELL = 20 * 2**20  # characters; a cell may hold a whole conversation in JSON
LARGEST_WORKBOOK = 2 * 2**30  # bytes that a workbook may unpack to
BATCH = 1000  # rows of Parquet in memory at once


def separator_of(head: bytes) -> str | None:
    """The separator under which a text's first line names the fields of a known shape; None if there is none."""
    line = re.split(r"[\r\n]", head.decode("utf-8-sig", "replace").lstrip(), maxsplit=1)[0]
    for separator in SEPARATORS:
        names = [as_name(each) for each in next(csv.reader([line], delimiter=separator))]
        if detect([dict.fromkeys(names)]):
            return separator
    return None


def as_name(cell: str) -> str:
    """A column's name without what spreadsheets and people do to it."""
    return cell.strip().lower()


def separated_rows(path: Path, separator: str) -> Iterator[FileRow]:
    """Rows count from 1 below the header. Raises UnreadableFile for what is not UTF-8.

    The standard library's strict reader and not a data frame's: where quotes do not match it says so, instead of
    swallowing the rows between two of them, and it leaves "NA" and line ends as they are.
    """
    csv.field_size_limit(LONGEST_CELL)  # for the whole process, but nothing else in it reads CSV
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield from below_header(records(csv.reader(file, delimiter=separator, strict=True)))
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"{path.name} is not UTF-8. Save it as “CSV UTF-8” (Excel) or with the encoding UTF-8 and try again.") from error  # fmt: skip


def records(reader: Iterator[list[str]]) -> Iterator[list[str] | str]:
    """The records of a table, each as its cells or as the reason why they are not known."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line = getattr(reader, "line_num", 0)
            yield f"The quotes in this row do not match: {error}, in line {line:,} of the file."


def below_header(found: Iterator[list[str] | str]) -> Iterator[FileRow]:
    """Name the cells of each record by the first one that is not blank. Blank records are counted and left out."""
    header = next((each for each in found if not is_blank(each)), [])
    names = [as_name(each) for each in header] if isinstance(header, list) else []
    for number, cells in enumerate(found, start=1):
        if not is_blank(cells):
            yield number, cells if isinstance(cells, str) else fields(names, cells)


def is_blank(cells: list[str] | str) -> bool:
    return not any(each.strip() for each in cells)


def fields(names: Sequence[str], cells: Sequence[str]) -> dict[str, object] | str:
    if any(cells[len(names) :]):
        return f"This row has {len(cells)} cells and the header names {len(names)}. Put quotes around texts that hold a separator."
    return dict(zip(names, cells, strict=False))


def excel_rows(path: Path) -> Iterator[FileRow]:
    """The rows of a workbook's first sheet. Raises UnreadableFile."""
    import pandas

    require_workbook(path)
    try:
        # Without these, "NA" and "null" are taken for missing values and numbers lose their form.
        sheet = pandas.read_excel(
            path, header=None, dtype=str, keep_default_na=False, na_filter=False, engine="openpyxl"
        )
    except Exception as error:  # a broken workbook makes its reader fail in any of a dozen ways
        raise UnreadableFile(f"{path.name} is a broken Excel workbook. Open it in Excel, save it again as .xlsx and try again.") from error  # fmt: skip
    yield from below_header(as_texts(cells) for cells in sheet.itertuples(index=False, name=None))


def require_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise UnreadableFile(f"{path.name} is a broken archive. Get it again and try again.") from error
    if "xl/workbook.xml" not in names:
        raise UnreadableFile(f"{path.name} is an archive. Unpack it and choose one file in it.")
    if unpacked > LARGEST_WORKBOOK:
        raise UnreadableFile(f"{path.name} unpacks to more than 2 GB. Split it into several workbooks.")


def as_texts(cells: Sequence[object]) -> list[str] | str:
    from openpyxl.utils.escape import unescape

    if all(isinstance(each, str) for each in cells):
        # Excel keeps a return of Windows as the letters _x000D_, which the reader leaves as they are.
        return [unescape(str(each)) for each in cells]
    return "A cell of this row holds an error of Excel's, such as #N/A, instead of a text."


def parquet_rows(path: Path) -> Iterator[FileRow]:
    """Rows in batches, so that a large file need not fit into memory. Raises UnreadableFile.

    By Arrow itself: a data frame would turn missing values into NaN and lists of turns into arrays.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        batches = parquet.ParquetFile(path).iter_batches(batch_size=BATCH)
        yield from enumerate((row for batch in batches for row in batch.to_pylist()), start=1)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile(
            f"{path.name} is a broken Parquet file. Write it again and try again."
        ) from error
