"""The verbs of finding: one page of the list, and what there is to choose from."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from studio.core import lint
from studio.core.errors import BadInput
from studio.core.records import STATUSES, Length, Page, Place, Sort, Wanted
from studio.core.text import clean
from studio.store import finding
from studio.work.studio import Studio

SHOWN = 500  # rows of the longest page
TAG = 100  # characters of a tag
FINDINGS = lint.NAMES  # the rules that a list can be narrowed to


def found(studio: Studio, wanted: Wanted, place: Place | None = None, size: int = 50) -> Page:
    """One page of what is wanted, of `size` rows at most. Raises BadInput for what cannot be asked for."""
    checked(wanted)
    place = place or Place()
    clean(place.at, "The place in the list", 200)
    if place.way not in ("from", "after", "before"):
        raise BadInput("A list is turned from, after or before a row. Use one of them.")
    with studio.database.reading() as db:
        return finding.page(db, wanted, replace(place, first=max(1, place.first)), min(max(1, size), SHOWN))


def page(
    studio: Studio,
    project_id: str,
    *,
    search: str = "",
    status: str = "",
    tag: str = "",
    binned: bool = False,
    first: int = 1,
    size: int = 50,
) -> Page:
    """One page of the list or of the bin, newest first, from position `first` on; "" takes every text, status and tag."""
    wanted = Wanted(project_id, search=search, status=status, tag=tag, binned=binned)
    return found(studio, wanted, Place(first=first), size)


def checked(wanted: Wanted) -> None:
    clean(wanted.search, "The search", 1000)
    clean(wanted.tag, "The tag", TAG)
    clean(wanted.person, "The person's name", 200)
    clean(wanted.imported, "The import's id", 100)
    known_status(wanted.status)
    for what, said, known in (
        ("length", wanted.length, ("", *get_args(Length))),
        ("finding", wanted.finding, ("", "any", *lint.NAMES)),
        ("order", wanted.sort, get_args(Sort)),
    ):
        if said not in known:
            raise BadInput(f"There is no {what} named “{said}”. Use one of {', '.join(filter(None, known))}.")


def known_status(status: str) -> str:
    """Raises BadInput for a status that there is not; "" stands for all of them."""
    if status and status not in STATUSES:
        raise BadInput(f"There is no status named “{status}”. Use one of {', '.join(STATUSES)}.")
    return status


def tags(studio: Studio, project_id: str) -> list[str]:
    """Every tag in use, the most used first."""
    with studio.database.reading() as db:
        return finding.tags(db, project_id)


def people(studio: Studio, project_id: str) -> list[str]:
    """Everybody who was the last to change one of the conversations, by name."""
    with studio.database.reading() as db:
        return finding.people(db, project_id)
