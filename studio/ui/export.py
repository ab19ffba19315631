"""The Export tab: a run's result and the examples, taken home."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from studio.core.errors import BadInput, DoesNotFit, StudioError
from studio.core.gap import percent
from studio.core.records import STATUSES, Person, Wanted
from studio.ui import show, show_run
from studio.ui.shell import Shell
from studio.ui.wire import bind
from studio.work import comparing, exporting, writing
from studio.work.studio import Studio

ALL = ("All", "")
ROUNDED = (
    "Merging rounds the adapter into 16 bits: where two words were almost equally likely the other may come, and the "
    "rest follows it. The adapter itself answers exactly as here."
)


@dataclass(frozen=True)
class ModelPart:
    """Taking a tuned model home. `watch` looks again where the tab was opened before the page knew its project."""

    watch: gr.Timer
    none: gr.HTML
    rest: gr.Column
    run: gr.Dropdown
    format: gr.Radio
    help: gr.HTML
    export: gr.Button
    said: gr.HTML
    zipped: gr.DownloadButton


@dataclass(frozen=True)
class SetPart:
    """Taking the examples home."""

    status: gr.Dropdown
    make: gr.Button
    said: gr.HTML
    file: gr.DownloadButton


def build(studio: Studio, shell: Shell) -> gr.Tab:
    """Lay out the Export tab and wire its events."""
    with gr.Tab("Export", id="export") as tab, gr.Column(elem_classes="page"):
        with gr.Column(elem_classes="card"):
            gr.HTML("<h2>The tuned model</h2>")
            model = lay_out_model()
        with gr.Column(elem_classes="card"):
            examples = lay_out_examples()
    wire(studio, shell, tab, model, examples)
    return tab


def lay_out_model() -> ModelPart:
    none = gr.HTML(visible=False, elem_id="export-none")
    with gr.Column(visible=False, elem_id="export-rest") as rest:
        run = gr.Dropdown([], label="Run", filterable=False, elem_id="export-run")
        names = [(each.title(), each) for each in exporting.FORMATS]
        format = gr.Radio(names, value="adapter", label="As", elem_id="export-format", elem_classes="choice")
        help = gr.HTML(help_text("adapter"))
        export = gr.Button("Export", variant="primary", elem_id="export-go", elem_classes="fit")
        said = gr.HTML(elem_id="export-said")
        zipped = gr.DownloadButton(
            "Download as one zip file", visible=False, elem_id="export-zip", elem_classes="fit"
        )
    return ModelPart(gr.Timer(1.0, active=False), none, rest, run, format, help, export, said, zipped)


def help_text(format: str) -> str:
    return f'<p class="soft">{show.text(exporting.FORMATS.get(format, ""))}</p>'


def lay_out_examples() -> SetPart:
    gr.HTML(
        '<h2>The examples</h2><p class="soft">One conversation a line, {"messages": [...]}, in the order they were written '
        "(JSONL). Training tools, and this studio, read it.</p>"
    )
    choices = [ALL, *((each.title(), each) for each in STATUSES)]
    with gr.Row(elem_classes="buttons"):
        status = gr.Dropdown(
            choices, value="", label="Which", filterable=False, elem_id="export-status", elem_classes="short"
        )
        make = gr.Button("Make the file", elem_id="export-lines", elem_classes="fit")
    said = gr.HTML(elem_id="export-lines-said")
    file = gr.DownloadButton(
        "Download the examples", visible=False, elem_id="export-lines-file", elem_classes="fit"
    )
    return SetPart(status, make, said, file)


def wire(studio: Studio, shell: Shell, tab: gr.Tab, model: ModelPart, examples: SetPart) -> None:
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    # preprocess=False: Gradio would refuse a run that its own session has not offered. `exporting.bundle` checks.
    gr.on(
        [tab.select, model.watch.tick], bind(studio, on_open), [shell.project, model.run],
        [model.watch, model.none, model.rest, model.run, model.said, model.zipped, examples.said, examples.file], preprocess=False, **now,
    )  # fmt: skip
    model.format.change(help_text, model.format, model.help, **now)
    model.export.click(
        bind(studio, on_export), [model.run, model.format], [model.said, model.zipped],
        preprocess=False, concurrency_limit=1, show_progress="minimal",
    )  # fmt: skip
    examples.make.click(
        bind(studio, on_lines), [shell.project, examples.status], [examples.said, examples.file],
        concurrency_limit=None, show_progress="minimal",
    )  # fmt: skip


def on_open(studio: Studio, person: Person, project: str | None, chosen: str | None) -> tuple[Any, ...]:
    """The runs that can be taken home, newest first; files made before are put away, for the examples may have changed."""
    if not project:
        return gr.update(active=True), *(gr.skip() for _ in range(7))
    runs = comparing.tuned(studio, project)
    choices = [(show_run.label(each), each.id) for each in runs]
    ids = [each.id for each in runs]
    value = chosen if chosen in ids else (ids[0] if ids else None)
    none = show.empty_state(
        "No tuned model yet", "Train one in the Train tab; it can be taken home from here."
    )
    gone = gr.update(visible=False)
    return (
        gr.update(active=False), gr.update(value=none, visible=not runs), gr.update(visible=bool(runs)), gr.update(choices=choices, value=value),
        "", gone, "", gone,
    )  # fmt: skip


def on_export(studio: Studio, person: Person, run: str | None, format: str) -> Iterator[tuple[str, Any]]:
    """Write the run's result into a folder and say where, then load it again and say whether it answers alike.

    An adapter can be downloaded in one piece as well.
    """
    if not run:
        raise BadInput("Which run? Choose one from the list.")
    files = exporting.bundle(studio, str(run), str(format))
    folder = exporting.folder_of(files)
    zipped = zip_of(studio, folder, files) if format == "adapter" else None
    button = gr.update(value=str(zipped), visible=True) if zipped else gr.update(visible=False)
    said = written(folder, files)
    yield (
        said + '<p class="soft" role="status">Loading it again, to ask it what the studio was asked.</p>',
        button,
    )
    yield said + proof(studio, str(run), str(format), folder), gr.skip()


def written(folder: Path, files: Sequence[Path]) -> str:
    rows = [(each.relative_to(folder), show.size(each.stat().st_size)) for each in files]
    table = show.table(["File", "Size"], rows, {1}, "Files written")
    return f'<p class="note" role="status">Written to <code>{show.text(folder)}</code></p>{table}'


def proof(studio: Studio, run: str, format: str, folder: Path) -> str:
    """Whether the export answers as the studio does. The files are there all the same where that cannot be asked now."""
    try:
        found = exporting.parity(studio, run, format, folder)
    except StudioError as error:
        return show.note(f"It was not loaded again to ask it: {error}", "warn")
    asked = show.counted(found.asked, "held-out question")
    if found.same == found.asked:
        return show.note(f"Loaded again and asked {asked}: every answer is the studio's, word for word.")
    why = ROUNDED if format == "merged" else "Export it again; if that does not help, train again."
    return show.note(
        f"Loaded again and asked {asked}: {found.same} of {found.asked} answers are the studio's, word for word, and "
        f"{percent(found.alike)} of the words come before the first that differs. {why}",
        "warn" if format == "adapter" else "",
    )


def zip_of(studio: Studio, folder: Path, files: Sequence[Path]) -> Path:
    """The files as one zip in the private folder for passing files. Raises DoesNotFit."""
    target = passing(studio) / f"{folder.name}.zip"
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # weights do not get smaller
            for each in files:
                archive.write(each, Path(folder.name) / each.relative_to(folder))
    except OSError as error:
        raise DoesNotFit(f"The zip file could not be made ({error.strerror}). The files themselves are in {folder}.") from error  # fmt: skip
    return target


def passing(studio: Studio) -> Path:
    """A new private folder for one file on its way to the browser; the page's server clears it away."""
    return Path(tempfile.mkdtemp(dir=studio.home.temporary))


def on_lines(studio: Studio, person: Person, project: str, status: str) -> tuple[str, Any]:
    """The examples as a file to download."""
    name = file_name(writing.by_id(studio, project).name)
    target = passing(studio) / name
    count, unread = writing.export_file(studio, Wanted(project, status=status or ""), target)
    if not count:
        raise BadInput("No conversation is in this choice. Choose another, or write some first.")
    said = f"{show.counted(count, 'conversation')}, {show.size(target.stat().st_size)}."
    if unread:
        said += f" {show.counted(unread, 'conversation')} left out: a model's draft in there has not been accepted yet."
    return f'<p class="saved num" role="status">{said}</p>', gr.update(
        label=f"Download {name}", value=str(target), visible=True
    )


def file_name(project: str) -> str:
    """A project's name as a file's: letters, digits and hyphens."""
    kept = "".join(each if each.isalnum() else "-" for each in project).strip("-")[:60]
    return f"{kept or 'examples'}.jsonl"
