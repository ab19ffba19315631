"""Files of conversations: row by row in, whatever they are written in; whole and at once out."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from studio.core.errors import BadInput, DoesNotFit, UnreadableFile
from studio.core.reading import FileRow, wanted
from studio.core.strict_json import parse
from studio.store import scanning, tables, workbooks

LARGEST = 2 * 2**30  # bytes of a file
LONGEST_LINE = scanning.LONGEST  # bytes of one row of JSONL, at up to twenty times that in memory
HEAD = 2**16  # bytes that tell what a file is
BOM = codecs.BOM_UTF8


def read_rows(path: Path) -> Iterator[FileRow]:
    """Yield the rows of a JSON, JSONL, CSV, TSV, Excel or Parquet file, told apart by what is in it.

    A row that cannot be read comes as a reason in its place. Rows of JSONL are numbered by line, so an empty line leaves
    a gap. Raises UnreadableFile, in some cases only after rows were read.
    """
    head = opening(path)
    try:
        yield from reader_for(path, head)
    except OSError as error:
        raise UnreadableFile(f"{path.name} could not be read to its end ({error.strerror or error}). Copy it to this machine's disk and try again.") from error  # fmt: skip


def opening(path: Path) -> bytes:
    """The first bytes of a file that may be read. Raises UnreadableFile."""
    if path.is_dir():
        raise UnreadableFile(f"{path} is a folder. Choose one file in it.")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise UnreadableFile(f"{path} cannot be opened ({reason}). Check its name and that you may read it.") from error  # fmt: skip
    if size > LARGEST:
        raise UnreadableFile(f"{path.name} has {size / 2**30:.1f} GB and the limit is 2 GB. Split it into several files.")  # fmt: skip
    if not head.removeprefix(BOM).strip():
        raise UnreadableFile(f"{path.name} is empty. Choose a file with conversations in it.")
    return head


def reader_for(path: Path, head: bytes) -> Iterator[FileRow]:
    """The rows by the reader that knows what such a file begins with. Raises UnreadableFile."""
    if head.startswith(b"PAR1"):
        return tables.parquet_rows(path)
    if head.startswith(b"PK\x03\x04"):
        return workbooks.rows_of(path)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFile(f"{path.name} is in UTF-16. Save it as UTF-8 and try again.")
    if b"\0" in head:
        raise UnreadableFile(f"{path.name} is not text. {wanted()}")
    start = head.removeprefix(BOM).lstrip()
    if start.startswith(b"["):
        return scanning.rows_of(path)
    if start.startswith(b"{"):
        return line_rows(path) if is_lines(path) else scanning.rows_of(path)
    if separator := tables.separator_of(head, path.suffix.lower() in tables.SUFFIXES):
        return tables.separated_rows(path, separator)
    raise UnreadableFile(f"{path.name} has none of the known shapes. {wanted()}")


def is_lines(path: Path) -> bool:
    """Whether a file that begins with "{" has one object a line, and is not one object over several lines."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return True
    with path.open("rb") as file:
        filled = (each for each in lines_of(file) if each is None or each.removeprefix(BOM).strip())
        first, second = next(filled, b""), next(filled, b"")
    if first is None or second is None:
        return True  # too long to be held: as a row it is refused without being read as a whole
    return second.lstrip().startswith(b"{") or isinstance(decoded(first.removeprefix(BOM)), dict)


def line_rows(path: Path) -> Iterator[FileRow]:
    with path.open("rb") as file:
        for number, line in enumerate(lines_of(file), start=1):
            if line is None:
                yield number, f"This row is longer than {LONGEST_LINE // 2**20} MB. Shorten or split it."
            elif content := (line.removeprefix(BOM) if number == 1 else line).strip():
                yield number, decoded(content)


def lines_of(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a file, cut at b"\\n" alone; None stands for one that is too long to be held in memory.

    str.splitlines would also cut at U+2028 and its like, which stand unescaped inside JSON.
    """
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(2**20)
        yield None


def decoded(content: bytes) -> dict[str, object] | str:
    """The object that a row holds, or the reason why there is none."""
    try:
        return as_object(parse(content.decode("utf-8")))
    except UnicodeDecodeError as error:
        return f"This row is not UTF-8: byte {error.start + 1} is none of its characters."
    except ValueError as error:
        return f"This row is not JSON: {error}."


def as_object(value: object) -> dict[str, object] | str:
    return value if isinstance(value, dict) else "This row is not an object with fields."


def write_lines(path: Path, lines: Iterable[bytes]) -> int:
    """Write a whole file or nothing: `path` keeps its old content until the new one is on the disk. Returns the lines.

    Raises BadInput where `path` is something else than a file, DoesNotFit where it cannot be written.
    """
    if path.exists() and not path.is_file():
        raise BadInput(f"{path} is not a file. Give the name of a file to write.")
    staging = path.with_name(f".{uuid4().hex}.part")
    try:
        written = write_durably(staging, lines)
        staging.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise DoesNotFit(f"{path} could not be written ({error.strerror or error}). Free some space or choose another place.") from error  # fmt: skip
    finally:
        with suppress(OSError):
            staging.unlink(missing_ok=True)
    return written


def write_durably(path: Path, lines: Iterable[bytes]) -> int:
    written = 0
    with path.open("xb") as file:
        for line in lines:
            file.write(line)
            written += 1
        file.flush()
        os.fsync(file.fileno())
    return written


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable; on systems that cannot open folders it is so already."""
    with suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
