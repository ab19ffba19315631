"""The Check tab: the set's health, what the rules found, and one conversation as the model sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.errors import BadInput
from studio.core.records import Person
from studio.ui import need, show, show_check
from studio.ui.shell import Shell
from studio.ui.wire import bind
from studio.work import checking, models, serving
from studio.work.studio import Studio


@dataclass(frozen=True)
class Parts:
    health: gr.HTML
    findings: gr.HTML
    looking: gr.Column
    number: gr.Number
    look: gr.Button
    xray: gr.HTML


def build(studio: Studio, shell: Shell) -> gr.Tab:
    """Lay out the Check tab and wire its events."""
    with gr.Tab("Check", id="check") as tab, gr.Column(elem_classes="page"):
        with gr.Column(elem_classes="card"):
            health = gr.HTML('<p class="soft">Counting the examples.</p>', elem_id="check-health")
        with gr.Column(elem_classes="card"):
            gr.HTML("<h2>Findings</h2>")
            press = serving.asset("press.js").read_text("utf-8")
            findings = gr.HTML(js_on_load=press, elem_id="check-findings")
        needed = need.lay_out("check", variant="secondary")
        with gr.Column(visible=False, elem_classes="card", elem_id="check-looking") as looking:
            number, look, xray = lay_out_xray()
    wire(studio, shell, tab, Parts(health, findings, looking, number, look, xray), needed)
    return tab


def lay_out_xray() -> tuple[gr.Number, gr.Button, gr.HTML]:
    gr.HTML(
        '<h2>As the model sees it</h2><p class="soft">A model reads tokens, pieces of words with marks for who speaks. '
        "Only the answers are learned, each with the mark that ends it.</p>"
    )
    with gr.Row(elem_classes="buttons"):
        number = gr.Number(
            1, label="Conversation number", precision=0, elem_id="check-number", elem_classes="short"
        )
        look = gr.Button("Show it", variant="primary", elem_id="check-look", elem_classes="fit")
    return number, look, gr.HTML(elem_id="check-xray")


def wire(studio: Studio, shell: Shell, tab: gr.Tab, parts: Parts, needed: need.Need) -> None:
    xray: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden"}
    opened = [parts.health, parts.findings, parts.looking, parts.xray]
    need.wire(studio, shell, tab, needed).read(studio, on_open, [shell.project], opened, **xray)
    gr.on(
        [parts.look.click, parts.number.submit],
        bind(studio, on_xray),
        [shell.project, parts.number],
        parts.xray,
        **xray,
    )
    parts.findings.click(bind(studio, on_press), shell.project, [parts.number, parts.xray], **xray)


def on_open(studio: Studio, person: Person, project: str) -> tuple[Any, ...]:
    """The set as it is now; what was looked at below may have been changed meanwhile, so it is put away."""
    found = checking.health(studio, project)
    if not found.conversations:
        empty = show.empty_state(
            "No examples yet", "Write or import a few in the Write tab. What to mend in them is listed here."
        )
        return show_check.health(found), empty, gr.update(visible=False), ""
    ready = models.base(studio, project).path is not None
    return show_check.health(found), show_check.findings(found.findings), gr.update(visible=ready), ""


def on_xray(studio: Studio, person: Person, project: str, number: float | None) -> str:
    """One conversation, by its number, as the model sees it."""
    if number is None or number < 1:
        raise BadInput("Which conversation? Type its number, as the Write tab shows it.")
    return show_check.xray(int(number), checking.xray(studio, project, str(int(number))))


def on_press(studio: Studio, person: Person, project: str, event: gr.EventData) -> tuple[int, str]:
    number = int(event.id)
    if models.base(studio, project).path is None:
        raise BadInput("This needs the base model. Get it with the button below.")
    return number, on_xray(studio, person, project, number)
