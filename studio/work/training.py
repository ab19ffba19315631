"""From the set to a run: the honest plan, the frozen data, the start, the stop and the history."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from studio import __version__
from studio.core import lint
from studio.core.errors import BadInput, Busy, DoesNotFit, NothingToLearn
from studio.core.recipe import Recipe, general_wanted, planned_updates, preset
from studio.core.records import ACTIVE, RESUMABLE, Conversation, Person, Project, Run
from studio.core.split import held_out
from studio.core.text import clean
from studio.store import projects, runs
from studio.work import checking, experience, run_data, writing
from studio.work.studio import Studio

TRIAL = 4  # updates that tell what a run takes; the first warms up
FEW = 20  # conversations below which the plan says that more would help


@dataclass(frozen=True)
class Sides:
    """The set as training takes it. `left_out` says of each conversation that is not taken why not."""

    learned: tuple[Conversation, ...]
    held_out: tuple[Conversation, ...]
    left_out: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Plan:
    """What a run will do, before anyone starts it. None where it cannot be known yet."""

    recipe: Recipe
    learned: int
    held_out: int
    general: int
    updates: int
    learned_tokens: int | None  # in one pass over the project's own conversations
    seconds: float | None  # from the pace of an earlier run of this base on this machine
    memory: int | None  # bytes, from the peak of an earlier run
    memory_total: int
    left_out: tuple[tuple[int, str], ...]
    advice: tuple[str, ...]
    obstacle: str  # why it cannot start; "" if it can


def sides(studio: Studio, project_id: str, limit: int | None = None) -> Sides:
    """Who is learned and who is held out. Rejected conversations are in neither; so are unfinished and too long ones."""
    everyone = [each for each in writing.all_conversations(studio, project_id) if each.status != "rejected"]
    left_out = {each.number: why for each in everyone if (why := lint.unlearnable(each.messages))}
    taken = [each for each in everyone if each.number not in left_out]
    counted = checking.sizes(studio, project_id, taken) if limit else None
    for each, (tokens, _) in zip(taken, counted or (), strict=bool(counted)):
        if limit and tokens > limit:
            left_out[each.number] = (
                f"It has {tokens:,} tokens and the limit is {limit:,}. Shorten or split it."
            )
    taken = [each for each in taken if each.number not in left_out]
    apart = held_out([each.id for each in taken])
    return Sides(
        tuple(each for each in taken if each.id not in apart),
        tuple(each for each in taken if each.id in apart),
        tuple(sorted(left_out.items())),
    )


def plan(studio: Studio, project_id: str, preset_name: str = "standard", **changes: Any) -> Plan:
    """Plan a run without starting it. Raises BadRecipe, TemplateNotSplittable."""
    base = writing.by_id(studio, project_id).base
    limit = min(preset(preset_name, 1, **changes).max_length, model_limit(studio, base))
    split = sides(studio, project_id, limit)
    recipe = preset(preset_name, len(split.learned), **{**changes, "max_length": limit})
    counted = checking.sizes(studio, project_id, list(split.learned))
    updates = planned_updates(recipe, len(split.learned))
    apart = checking.sizes(studio, project_id, list(split.held_out))
    seconds, memory = experience.forecast(studio, base, updates, recipe, counted or [], apart or [])
    return Plan(
        recipe=recipe,
        learned=len(split.learned),
        held_out=len(split.held_out),
        general=general_wanted(recipe, len(split.learned)),
        updates=updates,
        learned_tokens=sum(each[1] for each in counted) if counted is not None else None,
        seconds=seconds,
        memory=memory,
        memory_total=studio.engine.device().total_memory,
        left_out=split.left_out,
        advice=(*advice(split, recipe), *experience.room(studio, memory)),
        obstacle=obstacle(split),
    )


def model_limit(studio: Studio, base: str) -> int:
    return studio.engine.limit(base) if studio.engine.base(base).path else 2**31


def obstacle(split: Sides) -> str:
    """Why nothing can be learned from this set, as a sentence with the next step; "" if something can."""
    if split.learned and split.held_out:
        return ""
    if not split.learned and not split.held_out and not split.left_out:
        return "There are no examples yet. Write or import a few in the Write tab."
    if not split.learned and not split.held_out:
        return "None of the examples can be learned from. The Check tab says why, one by one."
    return (
        "There is only one example that can be used. Training needs at least two: one to learn from and one held out "
        "to measure on. Write or import more."
    )


def advice(split: Sides, recipe: Recipe) -> list[str]:
    said = []
    if 0 < len(split.learned) < FEW:
        said.append(
            f"{len(split.learned)} examples show the way but teach little. Fifty to a few hundred do."
        )
    if recipe.general == 0:
        said.append("Without general examples the model forgets other things. Keep 1:1 unless you want that.")
    if recipe.learning_rate > 6e-4:
        said.append(
            "This learning rate is so high that the model may forget how to speak. Start at 2e-4 and measure."
        )
    if recipe.learning_rate < 2e-5:
        said.append("This learning rate is so low that an adapter hardly moves. Start at 1e-4 and measure.")
    return said


def start(
    studio: Studio,
    person: Person,
    project_id: str,
    preset_name: str = "standard",
    name: str = "",
    queue: bool = False,
    **changes: Any,
) -> Run:
    """Freeze the data and start a worker; with `queue`, or let the run wait where another is going.

    Raises NothingToLearn, BadRecipe, DoesNotFit, and Busy where another is going and this one may not wait, or where an
    answer is being written by a model that has to make room.
    """
    planned = plan(studio, project_id, preset_name, **changes)
    spec, data = contents(studio, person, project_id, preset_name, planned)

    def prepare(place: int) -> Path:
        id = runs.next_id(studio.home)
        return runs.freeze(studio.home, id, {"name": name or f"Run {id}", **spec}, data, place)

    experience.make_room(studio, planned.memory)
    return begin(studio, prepare, queue)


def begin(studio: Studio, prepare: Callable[[int], Path], queue: bool = False) -> Run:
    try:
        folder = studio.jobs.start(prepare, queue)
    except OSError as error:
        raise DoesNotFit(f"The run could not be prepared ({error.strerror}). Free some disk space and start again.") from error  # fmt: skip
    return runs.load(studio.home, folder.name)


def contents(
    studio: Studio, person: Person, project_id: str, preset_name: str, planned: Plan
) -> tuple[dict[str, Any], dict[str, run_data.Rows]]:
    """(spec, data) of a run as it is planned. Raises NothingToLearn."""
    if planned.obstacle:
        raise NothingToLearn(planned.obstacle)
    project = writing.by_id(studio, project_id)
    split = sides(studio, project_id, planned.recipe.max_length)
    spec = {
        "project": project.id,
        "project_name": project.name,
        "preset": preset_name,
        "recipe": asdict(planned.recipe),
        "base": project.base,
        "by": person.name,
        "versions": versions(),
    }
    return spec, run_data.frozen(split.learned, split.held_out, project, planned.recipe)


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


def taken(run: Run) -> tuple[int, int]:
    """How many conversations a run learns from, and how many it holds out."""
    data: Any = run.spec["data"]
    return data["train"]["rows"], data["held_out"]["rows"]


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
    asked = runs.asked_to_stop(run.folder) if runs.is_active(run) else None
    return asked[0] if asked else ""


def run(studio: Studio, id: str) -> Run:
    return runs.load(studio.home, id)


def history(studio: Studio, project_id: str) -> list[Run]:
    """A project's runs, newest first; without those that only measured."""
    found = (each for each in runs.load_all(studio.home) if each.spec["project"] == project_id)
    return [each for each in found if not each.spec.get("trial")]


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


def questions(run: Run) -> list[str]:
    """What a run is asked at each evaluation; none of runs from before there were watch-prompts."""
    if not (run.folder / "watch.jsonl").is_file():
        return []
    return [messages[-1].content for messages in runs.frozen(run.folder, "watch")]


def set_note(studio: Studio, id: str, note: str) -> Run:
    """Write down what a person thinks of a run. Raises NotFound, BadInput."""
    runs.write_note(runs.load(studio.home, id), clean(note, "The note", 2000).strip())
    return runs.load(studio.home, id)


def delete(studio: Studio, id: str) -> None:
    """Remove a run and free its disk space. Raises Busy while it runs."""
    found = runs.load(studio.home, id)
    if runs.is_active(found):
        raise Busy("This run is still going. Stop it first, then delete it.")
    runs.remove(studio.home, found)
