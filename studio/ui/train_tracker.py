"""Which tool's log the Train tab's runs are written to besides: chosen here for the whole studio, off until then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.errors import BadInput
from studio.core.records import Person
from studio.ui.show import note, text
from studio.ui.wire import bind
from studio.work import tracking
from studio.work.studio import Studio


@dataclass(frozen=True)
class TrackerPart:
    chosen: gr.Radio
    said: gr.HTML


def lay_out() -> TrackerPart:
    chosen = gr.Radio(
        tracking.choices(), value="", label="Also log runs to", elem_id="train-tracker", elem_classes="choice",
        info="For comparing runs in a tool that you know. You need neither: this page keeps all of it anyway.",
    )  # fmt: skip
    return TrackerPart(chosen, gr.HTML(elem_id="train-tracker-said"))


def wire(studio: Studio, tab: gr.Tab, part: TrackerPart) -> None:
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    tab.select(bind(studio, on_show), None, [part.chosen, part.said], **now)
    part.chosen.input(bind(studio, on_choose), [part.chosen], [part.chosen, part.said], **now)


def on_show(studio: Studio, person: Person) -> tuple[str, str]:
    """What is chosen, and where its logs lie."""
    name = tracking.chosen(studio)
    if not name:
        return name, ""
    place, command = tracking.where(studio, name)
    said = (
        f"Runs that start from now on are logged in {place}. Nothing of it leaves this machine. "
        f"To look at the logs, with {name} installed, enter in a terminal:"
    )
    return name, f'<p class="soft" role="status">{text(said)}</p><p><code>{text(command)}</code></p>'


def on_choose(studio: Studio, person: Person, name: str) -> tuple[str, str]:
    """What stands then: the earlier choice where this one's package is missing, and how to install that."""
    try:
        tracking.choose(studio, person, name)
    except BadInput as error:
        return tracking.chosen(studio), note(str(error), "warn")
    return on_show(studio, person)
