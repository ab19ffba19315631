"""Pinned examples in the Prompt tab: conversations that always stand before the question, chosen by number or words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.core.errors import BadInput
from studio.core.nearest import asked
from studio.core.records import Person
from studio.core.text import one_line
from studio.ui.wire import bind_server
from studio.work import examples, serving, writing
from studio.work.prompts import SHOTS
from studio.work.studio import Studio

FOUND = 6  # conversations that a search offers
PINS = """
<div class="pins">
  <h3 id="pins-title">Examples always shown</h3>
  <ol aria-labelledby="pins-title"></ol>
  <label><span class="unseen">Find a conversation to pin</span>
  <input type="search" placeholder="Pin one: its number, or words from it" autocomplete="off"></label>
  <ul aria-label="Conversations found"></ul>
  <p class="soft" role="status"></p>
</div>
"""


def lay_out(studio: Studio) -> gr.HTML:
    return gr.HTML(
        {"project": "", "most": SHOTS, "pinned": []},
        html_template=PINS,
        js_on_load=serving.scripts("pins"),
        server_functions=[bind_server(studio, on_find_pins)],
        elem_id="prompt-pins",
        apply_default_css=False,
    )


def value(studio: Studio, project: str, ids: Sequence[str]) -> dict[str, Any]:
    """What the page shows of these pins; those that are gone for good have no number."""
    rows = [
        {
            "id": id,
            "number": found.number if found else 0,
            "question": one_line(asked(found.messages)) if found else "",
            "why": why,
        }
        for id, (found, why) in zip(ids, examples.look(studio, project, ids), strict=True)
    ]
    return {"project": project, "most": SHOTS, "pinned": rows}


def ids(given: Any) -> tuple[str, ...]:
    """The pinned conversations' ids, as a page sent them. Raises BadInput for anything else."""
    rows = given.get("pinned", []) if isinstance(given, dict) else [] if given is None else None
    if not isinstance(rows, list) or len(rows) > SHOTS:
        raise BadInput(f"Up to {SHOTS} examples can be pinned. Remove one, or load the page again.")
    if not all(isinstance(each, dict) and isinstance(each.get("id"), str) for each in rows):
        raise BadInput("This page has lost track of the pinned examples. Load it again.")
    return tuple(each["id"] for each in rows)


def on_find_pins(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """A few conversations by number or words; `why` says of one that it cannot be shown to a model."""
    project, search = str(given["project"]), str(given["search"]).strip()
    if not search:
        return {"found": []}
    page = writing.page(studio, project, search=search, size=FOUND)
    return {"found": value(studio, project, [each.id for each in page.rows])["pinned"]}
