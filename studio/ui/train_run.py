"""What the Train tab does about runs: show one while it goes, start, stop, open and delete them.

Everything shown is read from the run's folder, so a refreshed page, another browser and a restarted server show the same.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr

from studio.core.errors import NotFound
from studio.core.recipe import PRESETS, Recipe
from studio.core.records import ACTIVE, RESUMABLE, Person, Run
from studio.ui import show_difference, show_run, show_runs
from studio.ui.train_plan import NAMES, changes
from studio.work import run_difference, run_history, training
from studio.work.studio import Studio

Seen = dict[
    str, str
]  # the shown run's id and state, a mark that changes with its news, and the id of the run going


def on_show(
    studio: Studio, person: Person, project: str | None, hindered: str, chosen: str, seen: Seen | None = None
) -> Any:
    """Everything about the runs, read again; but for the note of a run that is `seen`, which somebody may be writing."""
    if not project:  # the page is still being loaded; a tick brings it
        return gr.skip()
    runs, going = run_history.runs_of(studio, project), training.active(studio)
    run = next((each for each in runs if each.id == chosen), None) or first(runs)
    # Who opens the run that stands here anyway goes on seeing the newest.
    kept = chosen if run and run.id == chosen and run != first(runs) else ""
    return (
        *drawn(run), *about(run, runs, seen or {}), show_runs.history(runs, run.id if run else ""), start_button(hindered, going),
        show_run.busy(going), kept, seen_of(run, going), gr.skip(),
    )  # fmt: skip


def first(runs: list[Run]) -> Run | None:
    """The run that is going, else the newest."""
    return next((each for each in runs if each.state in ACTIVE), runs[0] if runs else None)


def start_button(hindered: str, going: Run | None) -> Any:
    return gr.update(value="Add to the queue" if going else "Start training", interactive=not hindered)


def drawn(run: Run | None) -> tuple[Any, ...]:
    """(live, the log's frame and the log, stop buttons' row, keep, discard, the row that asks again, the row for a run that
    is over, resume)"""
    going = run is not None and run.state in ACTIVE
    wish = training.stopping(run) if run else ""
    return (
        show_run.live(run, wish, run_history.questions(run) if run else ()),
        gr.update(visible=run is not None), show_run.events(run), gr.update(visible=going),
        gr.update(interactive=not wish), gr.update(interactive=wish != "discard"), gr.update(visible=False),
        gr.update(visible=run is not None and not going), gr.update(visible=run is not None and run.state in RESUMABLE),
    )  # fmt: skip


def about(run: Run | None, runs: list[Run], seen: Seen) -> tuple[Any, ...]:
    """(their frame, the note, the choice of another run, what is different from it)"""
    note = (run.note if run else "") if not run or seen.get("run") != run.id else gr.skip()
    others = [(show_run.label(each), each.id) for each in runs if run and each.id != run.id]
    return (
        gr.update(visible=run is not None), note,
        gr.update(choices=others, value=None), "",
    )  # fmt: skip


def on_note(studio: Studio, person: Person, seen: Seen, note: str) -> None:
    if seen.get("run"):
        run_history.set_note(studio, seen["run"], note)


def on_other(studio: Studio, person: Person, seen: Seen, other: str | None) -> str:
    """What is different from the run that was chosen to the one that is shown."""
    if not other or not seen.get("run"):
        return ""
    before, after = run_history.run(studio, other), run_history.run(studio, seen["run"])
    return show_difference.difference(after, before, run_difference.between(before, after))


def seen_of(run: Run | None, going: Run | None) -> Seen:
    active = going.id if going else ""
    if run is None:
        return {"run": "", "state": "", "mark": "", "active": active}
    mark = f"{len(run.events)} {training.stopping(run)}"
    return {"run": run.id, "state": run.state, "mark": mark, "active": active}


def on_tick(
    studio: Studio, person: Person, project: str | None, hindered: str, chosen: str, seen: Seen
) -> Any:
    """News of the shown run and of the one going; nothing where there is none."""
    if not project:
        return gr.skip()
    if not seen:  # a new page, or a restarted server that knows nothing of this one
        return on_show(studio, person, project, hindered, chosen)
    try:
        run, going = look(studio, project, chosen, seen)
    except NotFound:  # deleted in another window
        return on_show(studio, person, project, hindered, "")
    now = seen_of(run, going)
    if now == seen:
        return gr.skip()
    if any(now[key] != seen[key] for key in ("run", "state", "active")):
        over = seen["active"] if seen["active"] and not now["active"] else gr.skip()
        return *on_show(studio, person, project, hindered, chosen, seen)[:-1], over
    # The row that asks again stays as it is: somebody may be about to press it.
    live, _, log, _, keep, discard, *_ = drawn(run)
    same = gr.skip()
    return live, same, log, same, keep, discard, *[same] * 11, now, same


def look(studio: Studio, project: str, chosen: str, seen: Seen) -> tuple[Run | None, Run | None]:
    """(the run to show, the run going). While one is going, no other folder is read than its own and the shown one's."""
    known = run_history.run(studio, seen["active"]) if seen["active"] else training.active(studio)
    going = known if known and known.state in ACTIVE else None
    if not chosen and going and going.spec["project"] == project:
        return going, going
    wanted = chosen or seen["run"]
    return (run_history.run(studio, wanted) if wanted else None), going


def on_start(
    studio: Studio,
    person: Person,
    project: str,
    seen: Seen,
    counted: tuple[int, int, str],
    preset: str,
    general: float,
    *settings: Any,
) -> Any:
    """Start a run; where the page shows that one is going, let it wait. A second press finds the first one's run going,
    and says so. A run whose set or base are no longer what the plan had `counted` says that."""
    known = (int(counted[0]), int(counted[1]), str(counted[2])) if counted else None
    training.start(
        studio,
        person,
        project,
        preset,
        queue=bool(seen.get("active")),
        counted=known,
        **changes(general, settings),
    )
    return on_show(studio, person, project, "", "")


def on_measure(
    studio: Studio, person: Person, project: str, preset: str, general: float, *settings: Any
) -> Any:
    training.measure(studio, person, project, preset, **changes(general, settings))
    return on_show(studio, person, project, "", "")


def on_resume(studio: Studio, person: Person, project: str, hindered: str, chosen: str, seen: Seen) -> Any:
    training.resume(studio, seen["run"])
    return on_show(studio, person, project, hindered, chosen)


def on_repeat(studio: Studio, person: Person, seen: Seen) -> list[Any]:
    """The plan's fields as the shown run had them, for a person to change and start."""
    spec: dict[str, Any] = run_history.run(studio, seen["run"]).spec
    name = spec["preset"] if spec["preset"] in PRESETS else "standard"
    usual = asdict(Recipe(**PRESETS[name]))
    own = {key: value for key, value in spec["recipe"].items() if usual.get(key) != value}
    typed = [str(own.get(each, "auto" if each == "quantization" else "")) for each in NAMES]
    return [name, spec["recipe"]["general"], *typed]


def on_keep(studio: Studio, person: Person, project: str, hindered: str, chosen: str, seen: Seen) -> Any:
    training.stop(studio, seen["run"])
    return on_show(studio, person, project, hindered, chosen)


def on_discard(studio: Studio, person: Person, project: str, hindered: str, chosen: str, seen: Seen) -> Any:
    training.stop(studio, seen["run"], discard=True)
    return on_show(studio, person, project, hindered, chosen)


def on_ask() -> tuple[Any, Any]:
    """Ask again before a run is thrown away."""
    return gr.update(visible=False), gr.update(visible=True)


def on_go_on() -> tuple[Any, Any]:
    return gr.update(visible=True), gr.update(visible=False)


def on_press(
    studio: Studio, person: Person, project: str, hindered: str, chosen: str, event: gr.EventData
) -> Any:
    """Open or delete the run whose button was pressed, or let it wait less."""
    id = str(event.id)
    if event.press == "delete":
        run_history.delete(studio, id)
        return on_show(studio, person, project, hindered, "" if chosen == id else chosen)
    if event.press == "up":
        training.move_up(studio, id)
        return on_show(studio, person, project, hindered, chosen)
    return on_show(studio, person, project, hindered, id)
