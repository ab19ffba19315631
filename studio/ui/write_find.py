"""Finding on the Write tab: one page of the list as its script takes it, and what there is to choose from."""

from __future__ import annotations

from typing import Any, cast, get_args

from studio.core.records import Length, Page, Person, Place, Row, Sort, Wanted
from studio.core.words import Phrase, asked, marked
from studio.ui.show_check import RULES
from studio.work import finding
from studio.work.studio import Studio

MOST = 100  # rows of one page
LENGTHS: dict[Length, str] = {
    "short": "Short: up to 500 characters",
    "middle": "Middle: up to 2,000 characters",
    "long": "Long: more than 2,000 characters",
}
ORDERS: dict[Sort, str] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "changed": "Last changed first",
    "longest": "Longest first",
    "shortest": "Shortest first",
}


def on_page(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """One page, from a row on that an earlier page named, or from a position on."""
    wanted = wanted_of(given)
    place = Place(
        str(given.get("at") or ""), cast(Any, str(given.get("way") or "from")), int(given.get("first", 1))
    )
    size = min(MOST, max(1, int(given.get("size", 50))))
    return page_value(finding.found(studio, wanted, place, size), asked(wanted.search))


def wanted_of(given: dict[str, Any]) -> Wanted:
    text = {name: str(given.get(name) or "") for name in ("search", "status", "tag", "person", "length", "finding", "imported")}  # fmt: skip
    sort = cast(Sort, str(given.get("sort") or "newest"))
    return Wanted(str(given["project"]), **text, binned=bool(given.get("binned")), sort=sort)


def on_choices(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """What the list can be narrowed to, each as its value and its words; people only where there are several."""
    project = str(given["project"])
    people = finding.people(studio, project)
    return {
        "tag": [[each, each] for each in finding.tags(studio, project)],
        "person": [[each, each] for each in people] if len(people) > 1 else [],
        "length": [[each, LENGTHS[each]] for each in get_args(Length)],
        "finding": [["any", "Any finding"], *([each, RULES[each][0]] for each in finding.FINDINGS)],
        "sort": [[each, ORDERS[each]] for each in get_args(Sort)],
    }


def page_value(page: Page, phrases: tuple[Phrase, ...] = ()) -> dict[str, Any]:
    """A page of the list as its script takes it. Of `marked` texts every second piece is what was searched for."""
    return {
        "rows": [row_value(each, phrases) for each in page.rows],
        "total": page.total,
        "more": page.more,
        "first": page.first,
        "start": page.start,
        "end": page.end,
        "following": page.following,
    }


def row_value(row: Row, phrases: tuple[Phrase, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": row.id,
        "number": row.number,
        "question": row.question,
        "answer": row.answer,
        "status": row.status,
        "turns": row.turns,
        "updated_by": row.updated_by,
    }
    if phrases:
        made["marked"] = {
            "question": marked(row.question, phrases),
            "answer": marked(row.excerpt or row.answer, phrases),
        }
    return made
