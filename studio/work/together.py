"""Working together: who is where, and the next conversation that nobody else is at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from studio.core.errors import BadInput
from studio.core.records import Lease, Person
from studio.core.text import clean
from studio.store import leases, reviewing
from studio.work import writing
from studio.work.studio import Studio

MOST = 200  # conversations among which the next one is looked for


@dataclass(frozen=True)
class Presence:
    """Who else is where, and what else a window wants to know now and then."""

    others: tuple[Lease, ...]
    several: bool  # whether more than one person writes here
    to_review: int | None  # None: as it was, for nothing was changed
    version: int  # the newest of the conversation that this window is at; 0 for none
    step: int  # another number than before: something was changed since


def be_at(
    studio: Studio,
    person: Person,
    project_id: str,
    id: str,
    window: str,
    at: datetime | None = None,
    seen: int = -1,
) -> Presence:
    """Say where this window is ("" for nowhere), for two minutes, and see who else is where. Raises BadInput, NotFound.

    `seen` is the step that this window was told last: while it is the same, what waits for a review is not counted again.
    """
    checked(window)
    found = writing.read(studio, id, project_id) if id else None
    at = at or datetime.now(UTC)
    with studio.database.writing() as db:
        leases.be_at(db, project_id, found.id if found else "", person, window, at)
    with studio.database.reading() as db:
        present = tuple(each for each in leases.present(db, project_id, at) if each.window != window)
        step = reviewing.newest_step(db)
        return Presence(
            present,
            bool(reviewing.others(db, project_id, person)),
            reviewing.count(db, project_id, person) if step != seen else None,
            found.version if found else 0,
            step,
        )


def take_next(
    studio: Studio,
    person: Person,
    project_id: str,
    ids: Sequence[str],
    window: str,
    at: datetime | None = None,
) -> str | None:
    """The first of `ids` at which nobody else is, for this window; None where there is none. Raises BadInput."""
    if len(ids) > MOST:
        raise BadInput(f"The next conversation is looked for among at most {MOST}. Ask for fewer.")
    checked(*ids, window)
    with studio.database.writing() as db:
        return leases.take_first(db, project_id, ids, person, window, at or datetime.now(UTC))


def next_to_review(
    studio: Studio, person: Person, project_id: str, after: int, window: str, at: datetime | None = None
) -> str | None:
    """As `take_next`, of what waits for this person's review, beginning behind number `after`. Raises BadInput."""
    checked(window)
    with studio.database.reading() as db:
        ids = reviewing.in_turn(db, project_id, person, after, MOST)
    with studio.database.writing() as db:
        return leases.take_first(db, project_id, ids, person, window, at or datetime.now(UTC))


def checked(*ids: str) -> None:
    for each in ids:
        clean(each, "An id", 100)
    if not ids[-1]:
        raise BadInput("This window has no name of its own. Load the page again.")
