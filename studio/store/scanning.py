"""JSON that is one list or several objects one after another, value by value, so that a large file need not fit into memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from studio.core.errors import UnreadableFile
from studio.core.reading import FileRow
from studio.core.strict_json import twice

CHUNK = 2**16  # bytes read at once
LONGEST = 10 * 2**20  # characters of one row
SPACE = " \t\n\r"


def rows_of(path: Path) -> Iterator[FileRow]:
    """The rows of a JSON list, or the objects of a file that holds one after another.

    Raises UnreadableFile, in some cases only after rows were read: behind a mistake in a list nobody knows what is a row.
    """
    with path.open("rb") as file:
        scanner = Scanner(file, path.name)
        if scanner.peek() == "[":
            scanner.at += 1
            yield from listed(scanner)
            if scanner.peek():
                scanner.refuse("Extra data", scanner.at)
            return
        while scanner.peek():
            yield scanner.row, scanner.value()
            scanner.row += 1


def listed(scanner: Scanner) -> Iterator[FileRow]:
    if scanner.peek() == "]":
        scanner.at += 1
        return
    while True:
        yield scanner.row, scanner.value()
        if not scanner.another():
            return
        scanner.row += 1


class Scanner:
    """Reads one value of JSON after another. `row` is the one that is being read, for what is said when that fails."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name, self.row = file, name, 1
        self.text, self.at, self.ended = "", 0, False
        self.line, self.before, self.bytes = (
            1,
            0,
            0,
        )  # lines, characters of the line and bytes ahead of `text`
        self.utf8 = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self.odd: list[str] = []
        self.decoder = json.JSONDecoder(
            parse_constant=self.constant, parse_int=self.whole, object_pairs_hook=self.unique
        )

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in SPACE:
                self.at += 1
            if self.at < len(self.text) or self.ended:
                return self.text[self.at : self.at + 1]
            self.more(CHUNK)

    def value(self) -> dict[str, object] | str:
        """The next value, or what is wrong with it as a row. Raises UnreadableFile for what is not JSON."""
        size = CHUNK
        self.peek()
        while True:
            self.odd.clear()
            try:
                found, end = self.decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos + 16 > len(self.text)
                if self.ended or not cut:
                    self.refuse(error.msg, error.pos)
            except RecursionError as error:
                raise UnreadableFile(f"{self.name} is not JSON that can be read: row {self.row} is nested too deeply. Mend that and try again.") from error  # fmt: skip
            else:
                # A number may go on in the next chunk, so there must be something behind it.
                if end < len(self.text) or self.ended:
                    if end - self.at > LONGEST:
                        self.too_long()
                    self.at = end
                    return self.odd[0] if self.odd else found if isinstance(found, dict) else "This row is not an object with fields."  # fmt: skip
            if len(self.text) - self.at > LONGEST:
                self.too_long()
            self.more(size)
            size *= 2  # so that a long value is not begun again too often

    def too_long(self) -> NoReturn:
        raise UnreadableFile(f"Row {self.row} of {self.name} is longer than {LONGEST // 2**20} MB. Shorten or split it and try again.")  # fmt: skip

    def another(self) -> bool:
        """Whether a comma follows, and not the end of the list. Raises UnreadableFile for anything else."""
        sign = self.peek()
        self.at += 1
        if sign == "]":
            return False
        if sign != ",":
            self.refuse("Expecting ',' delimiter", self.at - 1)
        return True

    def more(self, size: int) -> None:
        self.forget()
        chunk = self.file.read(size)
        self.ended = not chunk
        held = len(self.utf8.getstate()[0])
        try:
            self.text += self.utf8.decode(chunk, final=self.ended)
        except UnicodeDecodeError as error:
            place = self.bytes - held + error.start + 1
            raise UnreadableFile(f"{self.name} is not UTF-8: byte {place:,} is none of its characters. Save it as UTF-8 and try again.") from error  # fmt: skip
        self.bytes += len(chunk)

    def forget(self) -> None:
        """Drop what was read, and count its lines for what may have to be said later."""
        gone = self.text[: self.at]
        if lines := gone.count("\n"):
            self.line += lines
            self.before = len(gone) - gone.rfind("\n") - 1
        else:
            self.before += len(gone)
        self.text, self.at = self.text[self.at :], 0

    def refuse(self, why: str, position: int) -> NoReturn:
        ahead = self.text[:position]
        line = self.line + ahead.count("\n")
        column = position - ahead.rfind("\n") if "\n" in ahead else self.before + position + 1
        raise UnreadableFile(f"{self.name} is not JSON: {why} in line {line:,}, character {column:,} (row {self.row:,}). Mend it there and try again.")  # fmt: skip

    def constant(self, name: str) -> None:
        self.odd.append("This row holds NaN or Infinity, which JSON does not know.")

    def whole(self, digits: str) -> int:
        try:
            return int(digits)
        except ValueError:  # Python refuses thousands of digits, which take it minutes
            self.odd.append("This row holds a number of thousands of digits.")
            return 0

    def unique(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            self.odd.append(f"This row is not clear: {twice(pairs)}.")
        return found
