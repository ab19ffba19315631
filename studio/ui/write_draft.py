"""A model's draft in the editor: who can write it, its beginning, how it grows, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from studio.core import formats
from studio.core.records import Message, Person
from studio.ui import show_run
from studio.work import comparing, drafting
from studio.work.studio import Studio


def turns(given: Sequence[Any]) -> tuple[Message, ...]:
    """The turns that the editor sent, with the marks of drafts. Raises BadInput."""
    return tuple(
        replace(formats.turn(number, each), drafted=formats.drafted(number, each.get("drafted")))
        for number, each in enumerate(given, start=1)
    )


def on_arms(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Who can draft in a project, as [name, label]: the base, then the tuned runs, newest first."""
    tuned = comparing.tuned(studio, str(given["project"]))
    return {"arms": [["base", "the base model"], *([f"run:{each.id}", show_run.label(each)] for each in tuned)]}  # fmt: skip


def on_draft(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Begin a draft of the answer to `messages`; answers at once, with the name that the others below take."""
    messages, own = turns(given["messages"]), str(given.get("conversation", ""))
    arm = str(given.get("arm", "base"))
    return {"draft": drafting.start(studio, str(given["project"]), own, messages, arm)}


def on_drafted(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """A draft as it stands. Whoever stops asking stops the draft, too."""
    draft = drafting.so_far(studio, str(given["draft"]))
    loading = studio.engine.loading()
    return {
        "text": draft.text,
        "done": draft.done,
        "ended": draft.ended if draft.done else "",
        "waiting": draft.waiting,
        "loading": None if loading is None else round(100 * loading[1]),
        "examples": [list(each) for each in draft.examples],
        "dropped": draft.dropped,
    }


def on_undraft(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Stop a draft within a token."""
    drafting.stop(studio, str(given["draft"]))
    return {}


DEEDS = (on_arms, on_draft, on_drafted, on_undraft)
