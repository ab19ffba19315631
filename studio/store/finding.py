"""Finding conversations: one page of a list, whatever is looked for and however it is ordered, and what can be chosen.

A page begins at a row, not at a position: it costs the same wherever it lies, and stays where it is while others write.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from studio.core import formats
from studio.core.errors import BadInput
from studio.core.records import Page, Place, Row, Wanted
from studio.core.words import Phrase, asked, excerpt, spans
from studio.store.conversations import counted, listed
from studio.store.rows import as_row
from studio.store.schema import conversations as heads
from studio.store.search import HIGHEST, Answers, fact, question

# How far answers are counted. Up to as many are looked up to be put in order; of more, a page is soon full in any order.
COUNTED = 10_000
LOOKED_UP = 150_000  # answers that are all looked up before a list in another order is gone through: 30 ms for 100,000
ORDERS = {"newest": (heads.c.number, True), "oldest": (heads.c.number, False), "changed": (heads.c.updated_at, True),
          "longest": (heads.c.size, True), "shortest": (heads.c.size, False)}  # fmt: skip
SHOWN = (heads.c.id, heads.c.number, heads.c.question, heads.c.answer, heads.c.status, heads.c.tags, heads.c.turns,
         heads.c.messages, heads.c.updated_at, heads.c.updated_by, heads.c.size)  # fmt: skip
Key = tuple[Any, int]  # what a row is ordered by, and its number


@dataclass(frozen=True)
class Ordered:
    """Conversations that meet conditions, in any order."""

    db: sa.Connection
    wanted: Wanted
    conditions: Sequence[sa.ColumnElement[bool]]
    total: int
    more: bool = False

    def rows(
        self, at: Key | None, most: int, back: bool = False, here: bool = False, skip: int = 0
    ) -> list[Any]:
        """The next `most` after `at`, or before it; with the one at it where `here`."""
        column, down = ORDERS[self.wanted.sort]
        columns = dict.fromkeys(
            (column, heads.c.number)
        )  # named twice, SQLite would not see the index for it
        order = [each.desc() if down != back else each.asc() for each in columns]
        wanted = [*self.conditions, *([beyond(column, down != back, at, here)] if at else [])]
        query = sa.select(*SHOWN).where(*wanted).order_by(*order).limit(most).offset(skip)
        return list(self.db.execute(query))

    def before(self, at: Key) -> int | None:
        """How many stand before `at`; None where it would take long to count."""
        column, down = ORDERS[self.wanted.sort]
        return None if self.more else counted(self.db, [*self.conditions, beyond(column, not down, at)])


@dataclass(frozen=True)
class Numbered:
    """The answers to a question in the order of their numbers, in which the index keeps them."""

    db: sa.Connection
    wanted: Wanted
    answers: Answers
    total: int
    more: bool

    def rows(
        self, at: Key | None, most: int, back: bool = False, here: bool = False, skip: int = 0
    ) -> list[Any]:
        down = (self.wanted.sort == "newest") != back
        low, high = self.bounds(at, down, here)
        found = self.answers.numbers(low, high, most, down, skip)
        rows = {row.number: row for row in load(self.db, self.wanted.project, found)}
        return [rows[number] for number in found if number in rows]

    def before(self, at: Key) -> int | None:
        found = self.answers.count(*self.bounds(at, self.wanted.sort != "newest"), COUNTED + 1)
        return None if found > COUNTED else found

    def bounds(self, at: Key | None, down: bool, here: bool = False) -> tuple[int, int]:
        if at is None:
            return 0, HIGHEST - 1
        return (0, at[1] - (not here)) if down else (at[1] + (not here), HIGHEST - 1)


def page(db: sa.Connection, wanted: Wanted, place: Place, size: int) -> Page:
    """At most `size` rows; where nothing is left at `place`, the last page that there is. Raises BadInput.

    Where the search is a number, the conversation that has it stands before all others.
    """
    phrases = asked(wanted.search)
    if wanted.search.strip() and not phrases:
        return Page((), 0, 1)
    named, pinned = by_number(db, wanted)
    found = lister(db, wanted, phrases, named)
    rows, first, following = turned(found, place, size)
    start, end = (cursor(wanted, rows[0]), cursor(wanted, rows[-1])) if rows else ("", "")
    if pinned and first == 1:
        rows, start = [*load(db, wanted.project, pinned), *rows], ""
    elif pinned:
        first += 1
    total = found.total + len(pinned)
    return Page(tuple(shown(row, phrases) for row in rows), total, first, found.more, start, end, following)


def numbers(db: sa.Connection, wanted: Wanted, size: int) -> Iterator[list[int]]:
    """The numbers of all that is wanted, upwards, at most `size` at a time. Raises BadInput."""
    phrases, upwards = asked(wanted.search), replace(wanted, sort="oldest")
    if wanted.search.strip() and not phrases:
        return
    named, pinned = by_number(db, wanted)
    if pinned:
        yield pinned
    found, at = lister(db, upwards, phrases, named), None
    while rows := found.rows(at, size):
        yield [row.number for row in rows]
        at = key_of(upwards, rows[-1])


def shown(row: Any, phrases: Sequence[Phrase]) -> Row:
    """A row, with the place where the searched words stand where neither of its two lines shows one."""
    made = as_row(row)
    if not phrases or spans(made.question, phrases) or spans(made.answer, phrases):
        return made
    texts = (each.content for each in formats.load(row.messages))
    return replace(made, excerpt=next(filter(None, (excerpt(text, phrases) for text in texts)), ""))


def by_number(db: sa.Connection, wanted: Wanted) -> tuple[str, list[int]]:
    """Where the search is a number: the fact by which a conversation has it, and the number where one that is wanted does."""
    if not is_number(wanted.search):
        return "", []
    named = fact("number", str(int(wanted.search)))
    asked_for = question(wanted, (), also=named)
    return named, Answers(db, wanted.project, asked_for).numbers(0, HIGHEST - 1, 1, True)


def is_number(search: str) -> bool:
    said = search.strip()
    return said.isascii() and said.isdigit() and len(said) < 10


def lister(db: sa.Connection, wanted: Wanted, phrases: Sequence[Phrase], without: str) -> Ordered | Numbered:
    """The way to the rows: over the tables where nothing but a status is wanted, else over the index of words."""
    if not (phrases or wanted.tag or wanted.person or wanted.length or wanted.finding or wanted.imported):
        conditions = listed(wanted.project, wanted.status, wanted.binned)
        return Ordered(db, wanted, conditions, counted(db, conditions))
    answers = Answers(db, wanted.project, question(wanted, words(db, wanted, phrases), without=without))
    total = answers.count(0, HIGHEST - 1, COUNTED + 1)
    more, total = total > COUNTED, min(total, COUNTED)
    if wanted.sort in ("newest", "oldest"):
        return Numbered(db, wanted, answers, total, more)
    return Ordered(db, wanted, among(wanted, answers, more), total, more)


def among(wanted: Wanted, answers: Answers, more: bool) -> list[sa.ColumnElement[bool]]:
    """The conditions that a row is among the answers, in the form that is quickest for their number."""
    if not more:  # without the bin's column among the conditions no list in order is gone through
        return [heads.c.project_id == wanted.project, answers.few()]
    most = answers.count(0, HIGHEST - 1, LOOKED_UP + 1) > LOOKED_UP
    return [*listed(wanted.project, "", wanted.binned), answers.many() if most else answers.some()]


def words(db: sa.Connection, wanted: Wanted, phrases: Sequence[Phrase]) -> Sequence[Phrase]:
    """A beginning that many texts have as a word of its own is taken for that word: all its longer ones would take long."""
    if not phrases or not phrases[-1].begins or len(phrases[-1].words) > 1:
        return phrases
    whole = Phrase(phrases[-1].words)
    alone = Answers(db, wanted.project, question(Wanted(wanted.project), [whole]))
    return [*phrases[:-1], whole] if alone.count(0, HIGHEST - 1, COUNTED + 1) > COUNTED else phrases


def turned(found: Ordered | Numbered, place: Place, size: int) -> tuple[list[Any], int, bool]:
    """The rows at a place, the position of the first, and whether others follow."""
    at = key(place.at)
    if at and place.way == "before":
        rows = found.rows(at, size + 1, back=True)
        if len(rows) > size:
            return positioned(found, rows[-2::-1], place.first, True)
        at, place = None, Place()  # the beginning is near: the first page, whole
    skip = 0 if at or place.first <= 1 else min(place.first - 1, max(0, found.total - 1) // size * size)
    rows = found.rows(at, size + 1, here=place.way == "from", skip=skip)
    if at and rows:
        return positioned(found, rows[:size], place.first, len(rows) > size)
    if at and (rows := found.rows(None, size, back=True)[::-1]):
        return positioned(found, rows, found.total - len(rows) + 1, False)
    return rows[:size], skip + 1, len(rows) > size


def positioned(
    found: Ordered | Numbered, rows: list[Any], known: int, following: bool
) -> tuple[list[Any], int, bool]:
    before = found.before(key_of(found.wanted, rows[0]))
    return rows, known if before is None else before + 1, following


def beyond(column: sa.ColumnElement[Any], down: bool, at: Key, here: bool = False) -> sa.ColumnElement[bool]:
    """The condition that a row stands after `at`, where one goes `down`, or up; both columns as one, as the index has them."""
    row, edge = sa.tuple_(column, heads.c.number), sa.tuple_(*at)
    if here:
        return row <= edge if down else row >= edge
    return row < edge if down else row > edge


def cursor(wanted: Wanted, row: Any) -> str:
    return json.dumps(key_of(wanted, row))


def key_of(wanted: Wanted, row: Any) -> Key:
    return getattr(row, ORDERS[wanted.sort][0].key), row.number


def key(cursor: str) -> Key | None:
    """Raises BadInput for what no page gave."""
    if not cursor:
        return None
    try:
        value, number = json.loads(cursor)
        if not isinstance(value, int | str) or not isinstance(number, int) or not 0 <= number < HIGHEST:
            raise ValueError(cursor)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadInput("This page of the list is not there. Open the list again.") from error
    return value, number


def load(db: sa.Connection, project_id: str, numbers: Sequence[int]) -> list[Any]:
    """The rows of these numbers, in no order."""
    query = sa.select(*SHOWN).where(heads.c.project_id == project_id, heads.c.number.in_(numbers))
    return list(db.execute(query))


def tags(db: sa.Connection, project_id: str) -> list[str]:
    """Every tag in use outside the bin, the most used first."""
    tagged = [*listed(project_id), heads.c.tags != sa.literal_column("'[]'")]  # as the index has it
    query = sa.select(heads.c.tags, sa.func.count()).where(*tagged).group_by(heads.c.tags)
    used: Counter[str] = Counter()
    for row, times in db.execute(query):
        used.update(dict.fromkeys(json.loads(row), times))
    return [tag for tag, _ in sorted(used.items(), key=lambda each: (-each[1], each[0]))]


def people(db: sa.Connection, project_id: str) -> list[str]:
    """Everybody who was the last to change a conversation outside the bin, by name: one step through the index each."""
    found: list[str] = []
    while True:
        after = [heads.c.updated_by > found[-1]] if found else []
        name = db.execute(
            sa.select(sa.func.min(heads.c.updated_by)).where(*listed(project_id), *after)
        ).scalar()
        if name is None:
            return found
        found.append(name)
