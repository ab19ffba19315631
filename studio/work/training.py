"""From the plan to a run: the frozen data, the start, the queue, the stop and the resumption."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from studio import __version__
from studio.core.errors import BadInput, NothingToLearn
from studio.core.records import ACTIVE, RESUMABLE, Person, Project, Run
from studio.core.text import clean
from studio.store import projects, runs
from studio.work import experience, run_data, tracking, writing
from studio.work.planning import Plan, plan
from studio.work.studio import Studio

Counted = tuple[int, int, str]  # conversations to learn and held out, and the base
TRIAL = 4  # updates that tell what a run takes; the first warms up


def start(
    studio: Studio,
    person: Person,
    project_id: str,
    preset_name: str = "standard",
    name: str = "",
    queue: bool = False,
    tracker: str | None = None,
    counted: Counted | None = None,
    **changes: Any,
) -> Run:
    """Freeze the data and start a worker; with `queue`, or let the run wait where another is going. Where the plan is no
    longer the one that the person saw `counted`, the run says so. For `tracker` see `tracking.ready`.

    Raises NothingToLearn, BadRecipe, BadInput, DoesNotFit, and Busy where another is going and this one may not wait, or
    where an answer is being written by a model that has to make room.
    """
    planned = plan(studio, project_id, preset_name, **changes)
    spec, data = contents(studio, person, project_id, preset_name, planned)
    spec["tracker"] = tracking.ready(studio, tracker)
    spec["remarks"] = remarks(planned, spec["base"], counted) if counted else []

    def prepare(place: int) -> Path:
        id = runs.next_id(studio.home)
        return runs.freeze(studio.home, id, {"name": name or f"Run {id}", **spec}, data, place)

    experience.make_room(studio, planned.memory)
    return begin(studio, prepare, queue)


def remarks(planned: Plan, base: str, counted: Counted) -> list[str]:
    """What became other between the plan that a person saw and the start."""
    said = []
    if counted[:2] != (planned.learned, planned.held_out):
        said.append(
            f"The set was changed after its plan was made: it learns from {planned.learned:,} conversations and holds out {planned.held_out:,}."
        )
    if counted[2] != base:
        said.append(
            f"The base model was changed after its plan was made: it trains {base}. Stop it if you meant another."
        )
    return said


def begin(studio: Studio, prepare: Callable[[int], Path], queue: bool = False) -> Run:
    return runs.load(studio.home, studio.jobs.start(prepare, queue).name)


def contents(
    studio: Studio, person: Person, project_id: str, preset_name: str, planned: Plan
) -> tuple[dict[str, Any], dict[str, run_data.Rows]]:
    """(spec, data) of a run as it is planned. Raises NothingToLearn."""
    if planned.obstacle:
        raise NothingToLearn(planned.obstacle)
    project = writing.by_id(studio, project_id)
    spec = {
        "project": project.id,
        "project_name": project.name,
        "preset": preset_name,
        "recipe": asdict(planned.recipe),
        "base": project.base,
        "by": person.name,
        "versions": versions(),
    }
    return spec, run_data.frozen(planned.sides.learned, planned.sides.held_out, project, planned.recipe)


def measure(
    studio: Studio, person: Person, project_id: str, preset_name: str = "standard", **changes: Any
) -> Run:
    """Find out what a run takes here by some updates of it, of which nothing is kept. Raises as `start` does."""
    planned = plan(studio, project_id, preset_name, **changes)
    spec, data = contents(studio, person, project_id, preset_name, planned)
    recipe = replace(planned.recipe, updates=TRIAL, evaluations=1)
    spec |= {"name": "Measuring", "trial": True, "recipe": asdict(recipe)}
    experience.forget_measurements(studio, spec)
    id = f"trial-{time.time_ns()}"
    return begin(studio, lambda place: runs.freeze(studio.home, id, spec, data))


def versions() -> dict[str, str]:
    return {
        "studio": __version__,
        **{each: version(each) for each in ("torch", "transformers", "peft", "bitsandbytes")},
    }


def stop(studio: Studio, id: str, discard: bool = False) -> Run:
    """Ask a run to stop: keeping its best adapter, or discarding everything. Stopping one that is over does nothing."""
    run = runs.load(studio.home, id)
    if runs.is_active(run):
        runs.ask_to_stop(run.folder, discard)
    return run


def resume(studio: Studio, id: str) -> Run:
    """Go on with a run that was cut off, from where it was saved last. Raises Busy, and BadInput for one that cannot."""
    found = runs.load(studio.home, id)
    if found.state not in RESUMABLE:
        raise BadInput(cannot_resume(found))
    studio.jobs.start(lambda place: found.folder)
    return runs.load(studio.home, id)


def cannot_resume(run: Run) -> str:
    if run.state in ACTIVE:
        return "This run is going already."
    if run.state == "queued":
        return "This run waits for its turn; it begins by itself when the one before it is over."
    if run.state == "discarded":
        return "This run was discarded, and nothing of it was kept. Start it again with Repeat."
    return "This run is over and has its adapter. To learn more, repeat it with more passes."


def stopping(run: Run) -> str:
    """What was asked of a run that has not ended yet: "keep", "discard", or "" for nothing."""
    return runs.asked_to_stop(run.folder) if runs.is_active(run) else ""


def active(studio: Studio) -> Run | None:
    return studio.jobs.active()


def queue(studio: Studio) -> list[Run]:
    """The runs that wait, the next one first."""
    return runs.load_queue(studio.home)


def move_up(studio: Studio, id: str) -> None:
    """Let a run that waits change places with the one before it."""
    runs.move_up(studio.home, id)


def set_watch(studio: Studio, person: Person, project_id: str, typed: str) -> Project:
    """Set a project's watch-prompts, one a line; none for held-out questions. Raises BadInput, NotFound."""
    asked = [line.strip() for line in clean(typed, "A watch-prompt").splitlines() if line.strip()]
    if len(asked) > run_data.WATCHED:
        raise BadInput(
            f"These are {len(asked)} watch-prompts; up to {run_data.WATCHED} are asked. Keep those that tell most."
        )
    with studio.database.writing() as db:
        return projects.set_watch(db, project_id, asked)
