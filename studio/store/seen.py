"""What has come by already, for files that are too long to remember in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

CACHE = 32 * 2**10  # KB that are held in memory; the rest waits in a file that goes away by itself


class Seen:
    """The first row in which each content stood."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE}"):
            db.execute(f"PRAGMA {setting}")
        db.execute("CREATE TABLE seen (content BLOB PRIMARY KEY, row INTEGER) WITHOUT ROWID")
        db.execute("BEGIN")

    def first(self, content_hash: str, row: int) -> int:
        """Where this content stood first; `row`, if it is new."""
        key = bytes.fromhex(content_hash)[:16]
        if self.db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, row)).rowcount:
            return row
        return int(self.db.execute("SELECT row FROM seen WHERE content = ?", (key,)).fetchone()[0])


@contextmanager
def nothing_yet() -> Iterator[Seen]:
    db = sqlite3.connect(
        "", isolation_level=None
    )  # "": a private file, made only when it grows beyond the cache
    try:
        yield Seen(db)
    finally:
        db.close()
