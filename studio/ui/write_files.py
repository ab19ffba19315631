"""Files in and out of the Write tab: a look before anything is taken, progress, undo, and the export."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import gradio as gr

from studio.core.columns import Columns
from studio.core.errors import BadInput
from studio.core.reading import Choice, ranges
from studio.core.records import Person, Wanted
from studio.ui import show, write_find
from studio.ui.wire import bind, bind_server
from studio.work import import_desk, importing, serving, writing
from studio.work.studio import Studio

TYPES = [".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".xlsx", ".parquet"]
AS = ("ready", "draft")  # what an import may be; nothing is approved unread
MOST_LEFT_OUT = 200  # single rows
FILES = """
<div class="files">
  <details class="out"><summary>Export</summary><div class="fold">
    <label>What <select class="what" aria-label="What to export"></select></label>
    <label>Format <select class="kind" aria-label="Format">
      <option value="jsonl">JSON Lines, every text as it came</option>
      <option value="excel">CSV for Excel, a turn in each row</option>
      <option value="csv">CSV, a turn in each row</option>
      <option value="parquet">Parquet</option>
    </select></label>
    <button type="button" class="go" id="export-jsonl">Export</button>
  </div></details>
  <details class="imports" hidden><summary>Imports</summary><ul class="fold"></ul></details>
  <p class="said soft" role="status"></p>
</div>
"""


def upload_button(elem_id: str) -> gr.UploadButton:
    return gr.UploadButton("Import a file", file_types=TYPES, elem_id=elem_id, scale=0, min_width=120)


def starter_label() -> str:
    with serving.asset("starter_examples.jsonl").open("rb") as lines:
        return f"Load {sum(1 for _ in lines)} starter examples (a lamp maker's support voice)"


def preview(studio: Studio) -> gr.HTML:
    deeds = (on_state, on_columns, on_take, on_stop, on_leave, on_undo)
    return gr.HTML(
        None,
        html_template='<div class="incoming"></div>',
        js_on_load=serving.scripts("undo_import", "import_columns", "import"),
        server_functions=[bind_server(studio, each) for each in deeds],
        elem_id="preview",
        apply_default_css=False,
    )


def files(studio: Studio) -> gr.HTML:
    return gr.HTML(
        None,
        html_template=FILES,
        js_on_load=serving.scripts("undo_import", "files"),
        server_functions=[bind_server(studio, each) for each in (on_past, on_undo)],
        elem_id="files",
        apply_default_css=False,
    )


def wire(
    studio: Studio,
    project: gr.Dropdown,
    seen: gr.HTML,
    buttons: Sequence[gr.UploadButton],
    after: Callable[..., Any],
    shown: list[Any],
) -> None:
    """`after` shows what was imported, into `shown`."""
    for each in buttons:
        each.upload(bind(studio, on_upload), [project, each], [seen, each], concurrency_limit=None)
    seen.submit(after, project, shown, queue=False, show_progress="hidden")


def on_upload(studio: Studio, person: Person, project: str, path: str) -> tuple[Any, ...]:
    """Begin to look at an uploaded file; the page asks from now on how far it is."""
    file = import_desk.lay_down(studio, given(studio, path))
    attempt = import_desk.read(studio, project, file)
    return {
        "project": project,
        "file": file,
        "name": import_desk.name_of(studio, file),
        "attempt": attempt,
    }, None


def given(studio: Studio, path: str | None) -> Path:
    """The uploaded file. Raises BadInput for any other: a page could name every file of this machine."""
    if not path or not serving.is_passed(studio, Path(path)) or Path(path).is_symlink():
        raise BadInput("This file is no longer here. Choose it once more.")
    return Path(path)


def on_state(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return import_desk.state(studio, str(given["file"]), str(given["attempt"]))


def on_columns(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Look at the file once more, its columns being what the person says."""
    known = {each.name for each in fields(Columns)}
    said = {str(name): str(column)[:1000] for name, column in dict(given["columns"]).items() if name in known}
    columns = Columns(**said)
    if not columns.complete:
        raise BadInput("Choose the column with the questions and the one with the answers.")
    return {"attempt": import_desk.read(studio, str(given["project"]), str(given["file"]), columns)}


def on_take(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    project, file, look = (str(given[each]) for each in ("project", "file", "look"))
    return {"attempt": import_desk.take(studio, person, project, file, look, choice(given))}


def choice(given: dict[str, Any]) -> Choice:
    """What the person wants of the file. Raises BadInput."""
    status = given.get("status", "ready")
    if status not in AS:
        raise BadInput(f"What is imported begins as one of {', '.join(AS)}. Choose one of them.")
    without = frozenset(int(each) for each in list(given.get("without", ()))[:MOST_LEFT_OUT])
    return Choice(status, str(given.get("tag", "")), ranges(str(given.get("rows", ""))[:1000]), without)


def on_stop(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    import_desk.stop(studio, str(given["file"]), str(given["attempt"]))
    return {}


def on_leave(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Forget the file."""
    import_desk.clear(studio, str(given["file"]))
    return {}


def on_undo(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Take an import back: how many went to the bin, and how many stay because they were changed since."""
    gone, stay = importing.undo(studio, person, str(given["project"]), str(given["import"]))
    return {"gone": gone, "stay": stay}


def on_past(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """The imports that can be undone, and how many conversations there are to export."""
    project = str(given["project"])
    imports = [
        {"id": each.id, "file": each.file, "at": each.at, "by": each.by, "there": each.there}
        for each in importing.past(studio, project)
    ]
    return {"imports": imports, "count": writing.count(studio, project)}


def on_export(studio: Studio, person: Person, project: str, event: gr.EventData) -> str:
    """The file that the fold asks for: its kind, and the list's filters unless all are wanted."""
    asked = {each.name: getattr(event, each.name, "") for each in fields(Wanted) if each.name != "binned"}
    wanted = write_find.wanted_of({**asked, "project": project})
    return exported(studio, wanted, str(getattr(event, "kind", "") or "jsonl"))


def exported(studio: Studio, wanted: Wanted, kind: str = "jsonl") -> str:
    """Write conversations to a file that the page may pass on, and return its path. Raises BadInput where there are none."""
    if kind not in writing.KINDS:
        raise BadInput("There is no such format. Choose one from the list.")
    name = re.sub(r"[^\w-]+", "-", writing.by_id(studio, wanted.project).name).strip("-") or "conversations"
    folder = studio.home.temporary / f"export-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    target = folder / f"{name}.{writing.KINDS[kind]}"
    written, unread = writing.export_file(studio, wanted, target, kind)
    if unread:
        gr.Info(f"{show.counted(unread, 'conversation')} left out: a model's draft in there has not been accepted yet.")  # fmt: skip
    if not written:
        serving.forget(studio, target)
        raise BadInput("There is nothing to export yet. Write or import an example first.")
    return str(target)
