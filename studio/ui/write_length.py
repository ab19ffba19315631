"""How long the conversation in the editor is, in tokens, while it is being written."""

from __future__ import annotations

from typing import Any

from studio.core import formats
from studio.core.records import Person
from studio.work import checking, serving
from studio.work.studio import Studio


def on_length(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Tokens of each turn and of the whole; `later` while the libraries that count are still being imported.

    Nothing where the base model is not on this machine. Raises BadInput.
    """
    if serving.warming():
        return {"later": True}
    messages = [formats.turn(number, each) for number, each in enumerate(given["messages"], start=1)]
    found = checking.length(studio, str(given["project"]), messages)
    return {"turns": found.turns, "whole": found.whole, "limit": found.limit} if found else {}
