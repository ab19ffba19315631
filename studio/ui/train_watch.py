"""The watch-prompts of a project in the Train tab: questions that each run answers at every evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from studio.core.records import Person
from studio.ui.shell import Shell
from studio.ui.show import note
from studio.ui.wire import bind
from studio.work import training, writing
from studio.work.run_data import WATCHED
from studio.work.studio import Studio


@dataclass(frozen=True)
class WatchPart:
    typed: gr.Textbox
    keep: gr.Button
    said: gr.HTML


def lay_out() -> WatchPart:
    with gr.Accordion("Watch-prompts", open=False, elem_id="train-watch"):
        typed = gr.Textbox(
            "", lines=WATCHED, max_lines=WATCHED, label=f"Up to {WATCHED} questions, one a line", elem_id="train-watch-typed",
            info="Each run answers them at every evaluation, so that you hear how it changes. Left empty, held-out questions are asked.",
        )  # fmt: skip
        keep = gr.Button("Keep these questions", elem_id="train-watch-keep", elem_classes="fit")
        said = gr.HTML(elem_id="train-watch-said")
    return WatchPart(typed, keep, said)


def wire(studio: Studio, shell: Shell, tab: gr.Tab, part: WatchPart) -> None:
    now = {"queue": False, "show_progress": "hidden"}
    tab.select(bind(studio, on_show), [shell.project], [part.typed, part.said], **now)
    part.keep.click(bind(studio, on_keep), [shell.project, part.typed], [part.typed, part.said], **now)


def on_show(studio: Studio, person: Person, project: str | None) -> tuple[str, str]:
    return ("\n".join(writing.by_id(studio, project).watch) if project else ""), ""


def on_keep(studio: Studio, person: Person, project: str, typed: str) -> tuple[str, str]:
    """Keep the questions for the runs that are started from now on."""
    kept = training.set_watch(studio, person, project, typed).watch
    said = f"Kept. The next run is asked {'these' if kept else 'held-out questions'}."
    return "\n".join(kept), note(said)
