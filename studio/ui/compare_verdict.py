"""Did the style transfer? The score card of one run in the Compare tab, with its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.records import Person
from studio.ui import need, show, show_run, show_verdict
from studio.ui.shell import Shell
from studio.ui.wire import bind
from studio.work import comparing, score_card
from studio.work.studio import Studio

MEASURE = "Measure what is missing"
MEASURES = "It asks both the base and this run short general questions, and reads general texts with both: what was forgotten?"


@dataclass(frozen=True)
class Parts:
    place: gr.Column
    run: gr.Dropdown
    shown: gr.HTML
    hint: gr.HTML
    measure: gr.Button
    again: gr.Button

    @property
    def read(self) -> list[Any]:
        return [self.shown, self.hint, self.measure]


def lay_out() -> Parts:
    with gr.Column(visible=False, elem_classes="card", elem_id="verdict") as place:
        gr.HTML("<h2>Did the style transfer?</h2>")
        run = gr.Dropdown([], label="Run", filterable=False, elem_id="verdict-run")
        shown = gr.HTML(elem_id="verdict-shown")
        hint = gr.HTML(elem_id="verdict-hint")
        with gr.Row(elem_classes="buttons"):
            measure = gr.Button(MEASURE, elem_id="verdict-measure", elem_classes="fit", visible=False)
            again = gr.Button("Read the votes again", elem_id="verdict-again", elem_classes="fit quiet")
    return Parts(place, run, shown, hint, measure, again)


def wire(studio: Studio, shell: Shell, looks: need.Looks, parts: Parts) -> None:
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    # preprocess=False: Gradio would refuse a run that its own session has not offered. `score_card.chosen` checks it.
    given: dict[str, Any] = {"inputs": [shell.project, parts.run], "preprocess": False}
    looks.read(studio, on_open, outputs=[parts.place, parts.run, *parts.read], **given, **now)
    gr.on([parts.run.input, parts.again.click], bind(studio, on_read), outputs=parts.read, **given, **now)
    began = parts.measure.click(on_begin, None, [parts.hint, parts.measure], **now)
    measured = began.then(bind(studio, on_measure), concurrency_limit=1, show_progress="hidden", **given)  # fmt: skip
    measured.then(bind(studio, on_read), outputs=parts.read, **given, **now)


def on_open(studio: Studio, person: Person, project: str | None, run: Any) -> tuple[Any, ...]:
    """The runs, newest first; the chosen one stays, where it is still there."""
    runs = comparing.tuned(studio, project) if project else []
    if not project or not runs:
        return gr.update(visible=False), gr.skip(), "", "", gr.update(visible=False)
    known = [each.id for each in runs]
    chosen = run if run in known else known[0]
    choices = [(show_run.label(each), each.id) for each in runs]
    return gr.update(visible=True), gr.update(choices=choices, value=chosen), *on_read(studio, person, project, chosen)  # fmt: skip


def on_read(studio: Studio, person: Person, project: str, run: Any) -> tuple[Any, ...]:
    card = score_card.score_card(studio, person, project, str(run))
    missing = card.evidence.quiz is None
    hint = f'<p class="soft">{show.text(MEASURES)}</p>' if missing else ""
    return show_verdict.verdict(card), hint, gr.update(value=MEASURE, interactive=True, visible=missing)


def on_begin() -> tuple[Any, ...]:
    said = "Both are being asked. It goes on when this page is closed."
    return f'<p class="soft" role="status">{said}</p>', gr.update(value="Measuring…", interactive=False)


def on_measure(studio: Studio, person: Person, project: str, run: Any) -> None:
    score_card.measure(studio, project, str(run))
