"""Files in and out of the Write tab: a preview before anything is taken, and the export."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from studio.core.errors import BadInput
from studio.core.reading import Reading
from studio.core.records import Message, Person
from studio.core.text import one_line
from studio.ui import show
from studio.ui.wire import bind
from studio.work import importing, serving, writing
from studio.work.studio import Studio

TYPES = [".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".xlsx", ".parquet"]
SHAPES = {
    "messages": "conversations as messages",
    "sharegpt": "conversations in ShareGPT's shape",
    "alpaca": "instructions and outputs (Alpaca)",
    "prompt": "prompts and completions",
}
FIRST_ROWS, REFUSED_ROWS = 5, 20  # rows of the preview


@dataclass(frozen=True)
class Preview:
    """`held` is the path of the file that is being looked at."""

    place: gr.Column
    said: gr.HTML
    take: gr.Button
    leave: gr.Button
    held: gr.State

    @property
    def outputs(self) -> list[Any]:
        return [self.place, self.said, self.take, self.held]


def upload_button(elem_id: str) -> gr.UploadButton:
    return gr.UploadButton("Import a file", file_types=TYPES, elem_id=elem_id, scale=0, min_width=120)


def starter_label() -> str:
    with serving.asset("starter_examples.jsonl").open("rb") as lines:
        return f"Load {sum(1 for _ in lines)} starter examples (a lamp maker's support voice)"


def preview() -> Preview:
    with gr.Column(visible=False, elem_classes="card", elem_id="preview") as place:
        said = gr.HTML(apply_default_css=False)
        with gr.Row(elem_classes="buttons"):
            take = gr.Button("Import", variant="primary", elem_id="import-take", scale=0)
            leave = gr.Button("Cancel", elem_id="import-cancel", scale=0)
    return Preview(place, said, take, leave, gr.State(""))


def wire(
    studio: Studio,
    project: gr.Dropdown,
    seen: Preview,
    buttons: Sequence[gr.UploadButton],
    after: Callable[..., Any],
    shown: list[Any],
) -> None:
    """`after` shows what was imported, into `shown`."""
    for each in buttons:
        each.upload(bind(studio, on_upload), [project, each], [*seen.outputs, each], concurrency_limit=None)
    taken = seen.take.click(bind(studio, on_take), [project, seen.held], seen.outputs, concurrency_limit=None)
    taken.success(after, project, shown, queue=False, show_progress="hidden")
    seen.leave.click(bind(studio, on_leave), seen.held, seen.outputs, queue=False)


def on_upload(studio: Studio, person: Person, project: str, path: str) -> tuple[Any, ...]:
    """Read an uploaded file and say what is in it, before anything is taken."""
    found = given(studio, path)
    try:
        reading = importing.read_file(studio, project, found)
    except Exception:
        serving.forget(studio, found)
        raise
    good = reading.fine
    take = gr.update(value=f"Import the {show.counted(good, 'good row')}", visible=good > 0)
    return gr.update(visible=True), said(reading, found.name), take, str(found), None


def on_take(studio: Studio, person: Person, project: str, held: str) -> tuple[Any, ...]:
    """Bring the good rows in; the file is read again, so that nothing is taken from what a page holds."""
    found = given(studio, held)
    taken = importing.take(studio, person, project, importing.read_file(studio, project, found))
    gr.Info(f"{show.counted(taken.imported, 'conversation')} imported.", title="Done", duration=5)
    return on_leave(studio, person, held)


def on_leave(studio: Studio, person: Person, held: str) -> tuple[Any, ...]:
    """Close the preview and forget the file."""
    if held:
        serving.forget(studio, Path(held))
    return gr.update(visible=False), "", gr.update(), ""


def given(studio: Studio, path: str | None) -> Path:
    """The uploaded file. Raises BadInput for any other: a page could name every file of this machine."""
    if not path or not serving.is_passed(studio, Path(path)):
        raise BadInput("This file is no longer here. Choose it once more.")
    return Path(path)


def said(reading: Reading, name: str) -> str:
    """What a file holds: its shape, how many rows can be taken, the first of them, and why others cannot."""
    parts = [f"<h2>{show.text(name)}</h2>", f'<p class="soft">{show.text(summary(reading))}</p>']
    if reading.fine:
        rows = [(each.verdict.row, *ends(each.verdict.messages or ())) for each in reading.first[:FIRST_ROWS]]
        parts.append("<h3>The first rows</h3>")
        parts.append(
            show.table(("Row", "Question", "Answer", "Turns"), rows, numeric=(0, 3), caption="First rows")
        )
    if reading.rejected:
        more = len(reading.rejected) - REFUSED_ROWS
        parts.append("<h3>Rows that cannot be used</h3>")
        parts.append(
            show.table(("Row", "Why"), reading.rejected[:REFUSED_ROWS], numeric=(0,), caption="Refused rows")
        )
        parts.append(f'<p class="soft">and {more:,} more.</p>' if more > 0 else "")
    return f'<div class="reading">{"".join(parts)}</div>'


def summary(reading: Reading) -> str:
    """One sentence of counts."""
    counts = [f"{show.counted(reading.fine, 'good row')} to import"]
    if reading.duplicates:
        counts.append(f"{reading.duplicates:,} that say the same as one that is there already")
    if reading.rejected:
        counts.append(f"{len(reading.rejected):,} that cannot be used")
    found = f"Read as {SHAPES.get(reading.format, reading.format)}: {show.counted(reading.read, 'row')}. "
    return found + ", ".join(counts) + "."


def ends(messages: Sequence[Message]) -> tuple[str, str, int]:
    """The first question, the first answer, each on one line, and the number of turns without the system text."""
    first = {
        role: next((each.content for each in messages if each.role == role), "")
        for role in ("user", "assistant")
    }
    turns = sum(each.role != "system" for each in messages)
    return one_line(first["user"], 160), one_line(first["assistant"], 160), turns


def exported(studio: Studio, project: str) -> str:
    """Write the project to a file that the page may pass on, and return its path. Raises BadInput for an empty one."""
    found = writing.by_id(studio, project)
    if not writing.count(studio, project):
        raise BadInput("There is nothing to export yet. Write or import an example first.")
    name = re.sub(r"[^\w-]+", "-", found.name).strip("-") or "conversations"
    folder = studio.home.temporary / f"export-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    writing.export_file(studio, project, folder / f"{name}.jsonl")
    return str(folder / f"{name}.jsonl")
