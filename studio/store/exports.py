"""Conversations on their way out: JSON Lines, tables for spreadsheets, Parquet; encoded piece by piece."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice

import sqlalchemy as sa

from studio.core import formats
from studio.core.columns import OURS
from studio.core.records import Conversation, Wanted
from studio.store import finding
from studio.store.rows import as_conversation
from studio.store.schema import conversations as heads
from studio.store.tables import guarded

KINDS = {"jsonl": "jsonl", "csv": "csv", "excel": "csv", "parquet": "parquet"}  # with the ends of their names
BATCH = 500
HEADER = (OURS, "role", "content", "weight", "name", "tags", "note", "status")


def each(db: sa.Connection, wanted: Wanted) -> Iterator[Conversation]:
    """What a list shows, by number, a few in memory at once."""
    for numbers in finding.numbers(db, wanted, BATCH):
        some = (heads.c.project_id == wanted.project, heads.c.number.in_(numbers))
        yield from map(as_conversation, db.execute(sa.select(heads).where(*some).order_by(heads.c.number)))


def encoded(kind: str, conversations: Iterable[Conversation]) -> Iterator[bytes]:
    """A file of that kind. "excel" is CSV with the mark by which Excel knows UTF-8."""
    if kind == "parquet":
        return parquet(conversations)
    return map(formats.as_line, conversations) if kind == "jsonl" else table(conversations, kind == "excel")


def table(conversations: Iterable[Conversation], marked: bool) -> Iterator[bytes]:
    """A turn in each row. Cells that a spreadsheet would compute get an apostrophe, which the import takes off again: it
    knows such a table by its first column."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(HEADER)
    yield b"\xef\xbb\xbf" if marked else b""
    for conversation in conversations:
        for row in turns(conversation):
            writer.writerow([guarded(cell) for cell in row])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def turns(conversation: Conversation) -> Iterator[list[str]]:
    """A row for each turn; what is said of the whole conversation stands in its first."""
    said = [tags(conversation.tags), conversation.note, conversation.status]
    for message in conversation.messages:
        weight = "" if message.weight is None else str(message.weight)
        yield [str(conversation.number), message.role, message.content, weight, message.name or "", *said]
        said = ["", "", ""]


def tags(names: tuple[str, ...]) -> str:
    """Tags in a cell: words with commas between, or a list in JSON where a tag has such signs itself."""
    plain = not any(sign in each for each in names for sign in ",;[")
    return ", ".join(names) if plain else json.dumps(names, ensure_ascii=False)


def parquet(conversations: Iterable[Conversation]) -> Iterator[bytes]:
    import pyarrow
    from pyarrow import parquet

    text = pyarrow.string()
    turn = pyarrow.struct([("role", text), ("content", text), ("weight", pyarrow.float64()), ("name", text)])
    schema = pyarrow.schema(
        [("messages", pyarrow.list_(turn)), ("tags", pyarrow.list_(text)), ("note", text), ("status", text)]
    )
    sink, rest = Sink(), iter(conversations)
    with parquet.ParquetWriter(pyarrow.PythonFile(sink, mode="w"), schema) as writer:
        while batch := list(islice(rest, BATCH)):
            rows = [
                {**formats.as_row(each), "tags": list(each.tags), "note": each.note, "status": each.status}
                for each in batch
            ]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema))
            yield sink.taken()
    yield sink.taken()


class Sink(io.RawIOBase):
    """Takes what a writer of files writes, to be handed on piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.length = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.length

    def write(self, piece: object) -> int:
        kept = bytes(memoryview(piece))  # type: ignore[arg-type]
        self.pieces.append(kept)
        self.length += len(kept)
        return len(kept)

    def taken(self) -> bytes:
        taken = b"".join(self.pieces)
        self.pieces.clear()
        return taken
