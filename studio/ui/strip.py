"""The strip above the tabs: which project, which model, which device, what is running, and how much there is to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.course import course
from studio.core.records import Person
from studio.ui import show
from studio.ui.shell import NEW, Shell
from studio.ui.wire import bind, bind_server
from studio.work import checking, models, serving, training, writing
from studio.work.studio import Studio


@dataclass(frozen=True)
class Strip:
    """`shown`: the project that the page is about, "" before it has learned one."""

    project: gr.Dropdown
    shown: gr.State
    state: gr.HTML
    row: gr.Row  # where a new project gets its name
    name: gr.Textbox
    make: gr.Button
    leave: gr.Button


def build(studio: Studio) -> Strip:
    """Lay out the strip; `wire` follows once the tabs are there."""
    with gr.Row(elem_id="strip", equal_height=True):
        project = gr.Dropdown(
            label="Project",
            show_label=False,
            container=False,
            filterable=False,
            elem_id="project",
            min_width=160,
            scale=0,
        )
        # Gradio compares the value with the choices that its session knows. A restarted server knows none, and a page that
        # was open all night would be told that its own project is no choice. The verbs that get it check it.
        project.preprocess = lambda payload: payload
        state = gr.HTML(
            {"project": ""},
            html_template='<h1 class="unseen">Studio</h1><div class="strip"></div>',
            js_on_load=serving.scripts("refused", "you", "strip"),
            server_functions=[bind_server(studio, on_state), bind_server(studio, on_stop)],
            elem_id="state",
            apply_default_css=False,
        )
    with gr.Row(elem_id="new-project", visible=False) as row:
        name = gr.Textbox(label="Name of the new project", max_length=80, scale=3, elem_id="new-project-name")
        make = gr.Button("Make project", variant="primary", scale=0, min_width=140)
        leave = gr.Button("Cancel", scale=0, min_width=100)
    return Strip(project, gr.State(""), state, row, name, make, leave)


def wire(studio: Studio, shell: Shell, strip: Strip) -> None:
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    project = strip.project
    shell.opened.load(bind(studio, on_open), None, project, **quiet)
    # Not on `input`, which Gradio also tells when a person tabs past the field and nothing has changed.
    changed = [strip.state, strip.row, shell.tabs, strip.shown]
    project.change(bind(studio, on_project), [project, strip.shown], changed, **quiet)
    gr.on(
        [strip.make.click, strip.name.submit],
        bind(studio, on_make),
        strip.name,
        [project, strip.name],
        **quiet,
    )
    strip.leave.click(bind(studio, on_open), None, project, **quiet)


def on_open(studio: Studio, person: Person, request: gr.Request) -> Any:
    """The projects there are, and the one that the page's address names, else the first."""
    return choices(studio, str(dict(request.query_params).get("project", "")))


def on_project(studio: Studio, person: Person, project: str | None, shown: str) -> tuple[Any, ...]:
    """Show a project's state, or the row that makes a new one.

    Another project than the one `shown` begins with the first tab; after a refresh the tab that was open is opened again.
    """
    if project == NEW:
        return gr.skip(), gr.update(visible=True), gr.skip(), shown
    tab = gr.update(selected="write") if shown not in ("", project) else gr.skip()
    return {"project": project}, gr.update(visible=False), tab, project


def on_make(studio: Studio, person: Person, name: str) -> tuple[Any, Any]:
    return choices(studio, writing.project(studio, name).id), ""


def choices(studio: Studio, wanted: str) -> Any:
    found = writing.projects(studio) or [writing.project(studio, "default")]
    ids = [each.id for each in found]
    named = [(each.name, each.id) for each in found]
    return gr.update(choices=[*named, ("New project …", NEW)], value=wanted if wanted in ids else ids[0])


def on_state(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """What the strip shows now. `counts` asks for the numbers on the tabs too: they cost a look at every conversation."""
    project = str(given["project"])
    said: dict[str, Any] = {"person": person.name, "model": model(studio, project), "job": job(studio)}
    if not serving.warming():
        said["device"] = device(studio)
    if given.get("counts"):
        said["counts"] = {
            "write": writing.count(studio, project),
            "check": len(checking.findings(studio, project)),
        }
    return said


def on_stop(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    training.stop(studio, str(given["run"]))
    return on_state(studio, person, given)


def model(studio: Studio, project: str) -> dict[str, Any]:
    """What is loaded, else what would be; `share` while it is on its way into memory."""
    if coming := studio.engine.loading():
        return {"name": f"Loading {coming[0]}", "note": "", "share": coming[1]}
    base = models.base(studio, project)
    missing = "cannot be used" if base.trouble else "not on this machine yet"
    return {"name": studio.engine.loaded() or base.title, "note": "" if base.path else missing}


def device(studio: Studio) -> dict[str, Any]:
    found = studio.engine.device()
    used, total = found.used_memory, found.total_memory
    return {
        "name": "CPU" if found.kind == "cpu" else found.name,
        "why": found.why,
        "share": used / total if total else 0.0,
        "memory": f"{used / 2**30:.1f} of {total / 2**30:.0f} GB",
    }


def job(studio: Studio) -> dict[str, Any] | None:
    run = training.active(studio)
    if run is None:
        return None
    going = course(run)
    left = f", {show.duration(going.seconds_left)} left" if going.seconds_left is not None else ""
    waiting = len(training.queue(studio))
    more = f", {waiting} waiting" if waiting else ""
    return {
        "run": run.id,
        "name": str(run.spec.get("name") or run.id),
        "share": going.share,
        "text": (f"{100 * going.share:.0f} %{left}" if going.done else going.doing) + more,
    }
