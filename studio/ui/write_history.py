"""A conversation's history for the editor: its steps, and what one of them changed, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.core import difference, formats
from studio.core.records import Message, Person
from studio.work import writing
from studio.work.studio import Studio


def on_history(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """The steps, newest first. `place` counts from 0 for the oldest, so it stays a step's own when others follow."""
    found = writing.read(studio, str(given["conversation"]), str(given["project"]))
    steps = writing.history(studio, found.id)
    last = len(steps) - 1
    return {
        "steps": [
            {
                "place": last - at,
                "version": each.version,
                "kind": each.kind,
                "at": each.at,
                "by": each.by,
                # Why it was rejected stands at the step that did so, not at each one after it.
                "reason": each.reason if at == last or each.reason != steps[at + 1].reason else "",
            }
            for at, each in enumerate(steps)
        ]
    }


def on_walk(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Undo, or redo. Answers the version that it made, for the editor to read."""
    walk = writing.redo if given.get("way") == "redo" else writing.undo
    return {"version": walk(studio, person, str(given["project"]), str(given["conversation"])).version}


def on_step(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """One step: the text as it was then, and each turn as [role, kind, relearned, parts] (see `parts_of`)."""
    step, turns = writing.step(
        studio, str(given["project"]), str(given["conversation"]), int(given.get("place", -1))
    )
    return {
        "content": {
            "messages": [formats.as_kept(each) for each in step.messages],
            "tags": list(step.tags),
            "note": step.note,
        },
        "turns": [[each.role, each.kind, each.relearned, parts_of(each)] for each in turns],
    }


def side_by_side(theirs: Sequence[Message], mine: Sequence[Message]) -> list[dict[str, Any]]:
    """Every turn of two texts that were written at the same time, for a person to choose between."""
    return [
        {
            "role": each.role,
            "kind": each.kind,
            "relearned": each.relearned,
            "parts": parts_of(each),
            "theirs": formats.as_kept(each.before) if each.before else None,
            "mine": formats.as_kept(each.after) if each.after else None,
        }
        for each in difference.turns(theirs, mine)
    ]


def parts_of(turn: difference.Turn) -> list[list[str]]:
    """[kind, text] of each stretch of a turn; kind is same, gone or new."""
    return [[part.kind, part.text] for part in turn.parts]
