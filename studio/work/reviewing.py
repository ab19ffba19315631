"""Reviewing: what waits for a second pair of eyes, and what was said of a conversation that was rejected."""

from __future__ import annotations

from studio.core.records import Page, Person, Revision
from studio.store import reviewing
from studio.work import finding, writing
from studio.work.studio import Studio


def queue(studio: Studio, person: Person, project_id: str, first: int = 1, size: int = 50) -> Page:
    """One page of what is ready and was changed last by somebody else; of all that is ready for who is alone."""
    with studio.database.reading() as db:
        return reviewing.queue(db, project_id, person, max(1, first), min(max(1, size), finding.SHOWN))


def rejection(studio: Studio, project_id: str, id: str) -> Revision | None:
    """Who rejected a conversation, when and why; None where it is not rejected. Raises NotFound."""
    found = writing.read(studio, id, project_id)
    with studio.database.reading() as db:
        return reviewing.rejection(db, found.id)
