"""Excel workbooks, row by row, every cell as the text that stands in it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from studio.core.errors import UnreadableFile
from studio.core.reading import FileRow
from studio.store.tables import below_header

LARGEST = 2 * 2**30  # bytes that a workbook may unpack to
MOST_TEXTS = 48 * 2**20  # bytes of its table of texts, which is held in memory
TEXTS = "xl/sharedStrings.xml"


def rows_of(path: Path) -> Iterator[FileRow]:
    """The rows of a workbook's first sheet. Formulas count as what they came to when it was saved. Raises UnreadableFile."""
    import openpyxl

    require_workbook(path)
    try:
        with path.open(
            "rb"
        ) as file:  # not by its path: openpyxl believes a name more than what is in the file
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what a sheet says of its size may be wrong, and is believed otherwise
            yield from below_header(as_texts(cells) for cells in sheet.iter_rows())
    except UnreadableFile:
        raise
    except Exception as error:  # a broken workbook makes its reader fail in any of a dozen ways
        raise UnreadableFile(f"{path.name} is a broken Excel workbook. Open it in Excel, save it again as .xlsx and try again.") from error  # fmt: skip


def require_workbook(path: Path) -> None:
    """Raises UnreadableFile for another archive, and for one that would unpack to more than fits."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {each.filename: each.file_size for each in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UnreadableFile(f"{path.name} is a broken archive. Get it again and try again.") from error
    if "xl/workbook.xml" not in sizes:
        raise UnreadableFile(f"{path.name} is an archive. Unpack it and choose one file in it.")
    if sum(sizes.values()) > LARGEST:
        raise UnreadableFile(f"{path.name} unpacks to more than 2 GB. Split it into several workbooks.")
    if sizes.get(TEXTS, 0) > MOST_TEXTS:
        raise UnreadableFile(f"{path.name} holds more than {MOST_TEXTS // 2**20} MB of texts. Save it as “CSV UTF-8” and try again.")  # fmt: skip


def as_texts(cells: Sequence[Any]) -> list[str] | str:
    if any(each.data_type == "e" for each in cells):
        return "A cell of this row holds an error of Excel's, such as #N/A, instead of a text."
    return [as_text(each.value) for each in cells]


def as_text(value: object) -> str:
    from openpyxl.utils.escape import unescape

    if isinstance(value, str):  # what XML cannot hold, such as a carriage return, stands in it as letters
        return str(unescape(value))
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)
