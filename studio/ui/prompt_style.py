"""Help to write a prompt in the Prompt tab: a draft from the measured style of the project's own answers."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from studio.core.records import Person
from studio.ui import show
from studio.ui.wire import bind
from studio.work import style
from studio.work.studio import Studio


@dataclass(frozen=True)
class Help:
    describe: gr.Button
    said: gr.HTML


def lay_out() -> Help:
    describe = gr.Button("Describe my style", elem_id="prompt-describe", elem_classes="fit")
    return Help(describe, gr.HTML(elem_id="prompt-described"))


def wire(studio: Studio, project: gr.Dropdown, help: Help, system: gr.Textbox) -> None:
    help.describe.click(
        bind(studio, on_describe), [project, system], [system, help.said],
        concurrency_limit=None, show_progress="hidden",
    )  # fmt: skip


def on_describe(studio: Studio, person: Person, project: str, system: str) -> tuple[str, str]:
    """The draft below what stands in the box: nothing that a person wrote goes away, and twice is once."""
    drafted, answers = style.draft(studio, project)
    before = (system or "").rstrip()
    told = (
        f"Drafted from {show.counted(answers, 'answer')}, held-out ones left aside. It says what can be counted, not what "
        "is meant: add who the model is, change what is wrong, and try it."
    )
    if drafted in before:
        return before, show.note(told)
    return f"{before}\n\n{drafted}" if before else drafted, show.note(told)
