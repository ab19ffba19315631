"""The index of words: all that finding needs of SQLite's own, an FTS5 table that the database itself keeps.

Triggers write it in the transaction of whatever changes a conversation, so no way of saving can pass it by. It holds the
words of the turns and, as words too, the facts that a list is filtered by: so one question answers both. Another
database needs these functions with its own full-text search behind them, and nothing else of the studio.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, cast

import sqlalchemy as sa

from studio.core import formats, lint
from studio.core.lengths import length
from studio.core.records import Wanted
from studio.core.words import Phrase, indexed
from studio.store.schema import projects

FORM = (
    1  # of what stands in the index; where it is another one in a database, that is indexed again when opened
)
HIGHEST = 2**32  # numbers of one project: a row's key is the project's place times this, plus the number

# Prefixes: a beginning of three to five letters is looked up like a word; longer ones stand for few words. Scores are
# not asked for, so no lengths are kept. The words come folded and cut, so "ascii" has only to split them at spaces.
TABLE = (
    "CREATE VIRTUAL TABLE words USING fts5(text, facts, tokenize = 'ascii', prefix = '3 4 5', columnsize = 0)"
)
KEY = f"(SELECT place FROM projects WHERE id = {{row}}.project_id) * {HIGHEST} + {{row}}.number"
VALUES = (
    "studio_text({row}.messages), studio_facts({row}.messages, {row}.status, {row}.tags, {row}.updated_by, "
    "{row}.imported, {row}.number, {row}.size, {row}.deleted)"
)
ADD = f"INSERT INTO words (rowid, text, facts) VALUES ({KEY}, {VALUES});".replace("{row}", "new")
REMOVE = f"DELETE FROM words WHERE rowid = {KEY};".replace("{row}", "old")
TRIGGERS = {"words_added": ("INSERT", ADD), "words_changed": ("UPDATE", REMOVE + ADD), "words_removed": ("DELETE", REMOVE)}  # fmt: skip
MADE = {"words": TABLE} | {
    name: f"CREATE TRIGGER {name} AFTER {event} ON conversations BEGIN /* form {FORM} */ {deed} END"
    for name, (event, deed) in TRIGGERS.items()
}
FILL = f"INSERT INTO words (rowid, text, facts) SELECT {KEY}, {VALUES} FROM conversations".replace("{row}", "conversations")  # fmt: skip
FROM = "FROM words WHERE words MATCH :asked AND rowid BETWEEN :low AND :high"
BUFFER = 16 * 2**20  # bytes of new words that are held before they are written as a whole


def prepare(connection: sqlite3.Connection) -> None:
    """Teach a connection what the triggers call."""
    connection.create_function("studio_text", 1, text_of, deterministic=True)
    connection.create_function("studio_facts", 8, facts_of, deterministic=True)


def ensure(db: sa.Connection) -> None:
    """Make the index where it is missing or of another form, from all conversations, within the transaction of `db`."""
    there = {row.name: row.sql for row in db.exec_driver_sql("SELECT name, sql FROM sqlite_master")}
    if all(there.get(name) == sql for name, sql in MADE.items()):
        return
    for name in TRIGGERS:
        db.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    db.exec_driver_sql("DROP TABLE IF EXISTS words")
    db.exec_driver_sql(MADE["words"])
    db.exec_driver_sql("INSERT INTO words (words, rank) VALUES ('hashsize', ?)", (BUFFER,))
    db.exec_driver_sql(f"{FILL} ORDER BY 1")
    for name in TRIGGERS:
        db.exec_driver_sql(MADE[name])


@contextmanager
def in_bulk(db: sa.Connection, project_id: str, first: int) -> Iterator[None]:
    """Index what the block adds to the project, with numbers from `first` on, at its end and as one.

    Of a trigger FTS5 writes each row out by itself, since a part of the statement might be undone: six times the work.
    """
    db.exec_driver_sql("DROP TRIGGER words_added")
    yield
    db.exec_driver_sql(f"{FILL} WHERE project_id = ? AND number >= ? ORDER BY number", (project_id, first))
    db.exec_driver_sql(MADE["words_added"])


def text_of(messages: str) -> str:
    return indexed("\n".join(each["content"] for each in json.loads(messages)))


def facts_of(
    messages: str, status: str, tags: str, person: str, imported: str | None, number: int, size: int, deleted: int
) -> str:  # fmt: skip
    rules = lint.rules_broken(formats.load(messages))
    return " ".join(
        [
            "binned" if deleted else "listed",
            fact("status", status),
            fact("person", person),
            fact("length", length(size)),
            fact("number", str(number)),
            *(fact("tag", each) for each in json.loads(tags)),
            *([fact("import", imported)] if imported else []),
            *(fact("finding", each) for each in [*rules, "any"] if rules),
        ]
    )


def fact(kind: str, value: str) -> str:
    """One word for what may be any text; two of the same kind are the same only where their texts are."""
    return kind + sha256(value.encode()).hexdigest()[:16]


def question(wanted: Wanted, phrases: Sequence[Phrase], also: str = "", without: str = "") -> str:
    """The question to the index, with the phrases for the search. `also` and `without` are facts that must be or not.

    Every word is quoted, and a word holds no quotes, so nothing that is typed is taken as syntax.
    """
    named = (("status", wanted.status), ("tag", wanted.tag), ("person", wanted.person), ("length", wanted.length),
             ("finding", wanted.finding), ("import", wanted.imported))  # fmt: skip
    facts = ["binned" if wanted.binned else "listed", *(fact(kind, value) for kind, value in named if value)]
    facts += [also] if also else []
    parts = [f"facts : ({' AND '.join(facts)})", *(f"text : {quoted(each)}" for each in phrases)]
    return " AND ".join(f"({each})" for each in parts) + (f" NOT facts : {without}" if without else "")


def quoted(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"' + (" *" if phrase.begins else "")


@dataclass(frozen=True)
class Answers:
    """What answers a question in one project."""

    db: sa.Connection
    project: str
    asked: str

    def numbers(self, low: int, high: int, most: int, down: bool, skip: int = 0) -> list[int]:
        """The numbers of those from `low` to `high`, at most `most` after the first `skip`, upwards or `down`."""
        way = "DESC" if down else "ASC"
        found = f"SELECT rowid - :base {FROM} ORDER BY rowid {way} LIMIT :most OFFSET :skip"
        return list(self.run(found, low, high, most=most, skip=skip).scalars())

    def count(self, low: int, high: int, most: int) -> int:
        """How many there are from `low` to `high`; counting ends at `most`."""
        found = f"SELECT count(*) FROM (SELECT :base {FROM} LIMIT :most)"
        return int(self.run(found, low, high, most=most).scalar_one())

    def run(self, found: str, low: int, high: int, **more: int) -> sa.CursorResult[Any]:
        given = {"base": self.base, "asked": self.asked, "low": self.base + low, "high": self.base + high}
        return self.db.execute(sa.text(found), {**given, **more})

    def few(self) -> sa.ColumnElement[bool]:
        """The condition that a conversation is among them: they are looked up one by one, and put in order then."""
        return self.among("conversations.number")

    def some(self) -> sa.ColumnElement[bool]:
        """The same where they are more: all are looked up first, and a list in order is gone through until a page is full."""
        return self.among("+conversations.number")  # the sign keeps SQLite from going through them instead

    def among(self, number: str) -> sa.ColumnElement[bool]:
        found = sa.text(f"{number} IN (SELECT rowid - :base {FROM})").bindparams(
            base=self.base, asked=self.asked, low=self.base, high=self.base + HIGHEST - 1
        )
        return cast("sa.ColumnElement[bool]", found)

    def many(self) -> sa.ColumnElement[bool]:
        """The same where they are many: each conversation is looked at by itself, until a page is full."""
        found = (
            "EXISTS (SELECT 1 FROM words WHERE words MATCH :asked AND rowid = :base + conversations.number)"
        )
        return cast("sa.ColumnElement[bool]", sa.text(found).bindparams(base=self.base, asked=self.asked))

    @cached_property
    def base(self) -> int:
        """Where the project begins in the index; 0, where nothing is, for one that is not there."""
        found = self.db.execute(sa.select(projects.c.place).where(projects.c.id == self.project)).scalar()
        return (found or 0) * HIGHEST
