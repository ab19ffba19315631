"""Working together in the Write tab: who is where, the next free conversation, and the review queue."""

from __future__ import annotations

from typing import Any

from studio.core.records import Page, Person
from studio.work import reviewing, together
from studio.work.studio import Studio

MOST = 100  # rows of one page


def on_here(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """This window is at `conversation` ("" for none). Answers who is where, by conversation, but for this window itself."""
    at, window = str(given.get("conversation", "")), str(given["window"])
    found = together.be_at(studio, person, str(given["project"]), at, window, seen=int(given.get("seen", -1)))
    # Somebody's own other window is somebody too, and is told from a colleague of another name.
    here = {each.conversation: "" if each.person == person.name else each.person for each in found.others}
    return {
        "here": here,
        "several": found.several,
        "review": found.to_review,
        "version": found.version,
        "step": found.step,
        "me": person.name,
    }


def on_take(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """The first of `ids` at which nobody else is."""
    ids = [str(each) for each in given.get("ids", ())]
    return {"taken": together.take_next(studio, person, str(given["project"]), ids, str(given["window"]))}


def on_take_review(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """The next that waits for this person's review, behind number `after`, at which nobody else is."""
    project, after = str(given["project"]), int(given.get("after", 0))
    return {"taken": together.next_to_review(studio, person, project, after, str(given["window"]))}


def waiting(studio: Studio, person: Person, given: dict[str, Any]) -> Page:
    """The page of the review queue that the list asked for."""
    first, size = int(given.get("first", 1)), int(given.get("size", 50))
    return reviewing.queue(studio, person, str(given["project"]), first, min(MOST, max(1, size)))


def on_rejection(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Who rejected a conversation, when and why; nothing where it is not rejected."""
    found = reviewing.rejection(studio, str(given["project"]), str(given["conversation"]))
    return {"by": found.by, "at": found.at, "reason": found.reason} if found else {}


TAKING = (on_take, on_take_review)
