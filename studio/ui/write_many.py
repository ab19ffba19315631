"""Marking many conversations of the list at once."""

from __future__ import annotations

from typing import Any

from studio.core.errors import BadInput
from studio.core.records import Person
from studio.work import marking
from studio.work.studio import Studio


def on_mark(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Set a status, add a tag, or move to the bin; `made` is what `on_unmark` takes to undo it."""
    project, ids = str(given["project"]), [str(each) for each in given.get("ids", ())]
    if "status" in given:
        why = str(given.get("reason", ""))
        return {"made": marking.set_status(studio, person, project, ids, str(given["status"]), why)}
    if "tag" in given:
        return {"made": marking.add_tag(studio, person, project, ids, str(given["tag"]))}
    if "deleted" in given:
        return {"made": marking.set_deleted(studio, person, project, ids, bool(given["deleted"]))}
    raise BadInput("Nothing was said that should be done with them. Choose a status, a tag or the bin.")


def on_unmark(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    made = [(str(id), int(version)) for id, version in given.get("made", ())]
    return {"made": marking.take_back(studio, person, str(given["project"]), made)}
