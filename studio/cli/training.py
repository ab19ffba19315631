"""Commands for runs: start, follow, list, stop, resume, delete."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studio.cli.terminal import Home, Json, Name, fetching, here, say, tell
from studio.core.course import course
from studio.core.errors import TrainingFailed
from studio.core.records import RESUMABLE, Run

if TYPE_CHECKING:
    from studio.work.studio import Studio

commands = typer.Typer()


@commands.command()
def train(
    model: Annotated[str, typer.Option(help="starter, a hub id, or a local folder.")] = "",
    preset: Annotated[str, typer.Option(help="gentle, standard or strong.")] = "standard",
    quantization: Annotated[str, typer.Option(help="auto, nf4, bf16 or fp32.")] = "auto",
    general: Annotated[float, typer.Option(help="General conversations for each of yours.")] = 1.0,
    updates: Annotated[int, typer.Option(help="Stop after this many updates; 0 follows the passes.")] = 0,
    seed: int = 0,
    name: Annotated[str, typer.Option(help="What to call the run.")] = "",
    track: Annotated[
        str, typer.Option(help="Also log to tensorboard or trackio, or none; else as the Train tab is set.")
    ] = "",
    home: Home = None,
    project: Name = "default",
    as_json: Json = False,
) -> None:
    """Train, following the run until it ends. Ctrl-C stops it and keeps the best."""
    from studio.work import models, tracking, training

    at = here(home, project)
    if model:
        models.choose(at.studio, at.person, at.project.id, model)
    settings: dict[str, Any] = {
        "quantization": quantization,
        "general": general,
        "updates": updates,
        "seed": seed,
    }
    tracker = {"": None, "none": ""}.get(track, track)
    run = training.start(at.studio, at.person, at.project.id, preset, name, tracker=tracker, **settings)
    if logged := str(run.spec["tracker"]):
        say(f"To look at the log: {tracking.where(at.studio, logged)[1]}")
    at.studio.jobs.watch()
    ended(follow(at.studio, run), as_json)


def follow(studio: Studio, run: Run) -> Run:
    """Say how a run is going until it is over."""
    from studio.store.runs import is_active
    from studio.work import run_history, training

    said, bytes_said = 0, fetching()
    while True:
        try:
            run = run_history.run(studio, run.id)
            for event in run.events[said:]:
                report(event, bytes_said)
            said = len(run.events)
            if not is_active(run):
                return run
            time.sleep(0.5)
        except KeyboardInterrupt:
            say("Stopping; the best adapter so far is kept.")
            training.stop(studio, run.id)


def report(event: dict[str, Any], bytes_said: Callable[[int, int], None]) -> None:
    if event["kind"] == "fetching":
        bytes_said(event["done"], event["total"])
    elif event["kind"] == "loading":
        say(f"Base model {event['base']} in {event['precision']} on {event['device']}: {event['why']}.")
    elif event["kind"] == "planned":
        say(f"{event['updates']} updates; {event['path']}.")
    elif event["kind"] == "evaluated":
        best = ", the best so far" if event["best"] else ""
        say(f"After {event['update']} updates: held-out loss {event['held_out_loss']:.3f}{best}; general {event['general_loss']:.3f}.")  # fmt: skip
    elif event["kind"] == "resumed":
        say(f"Going on after {event['update']} updates.")
    elif event["kind"] == "halved":
        say(f"Memory ran out: rows of {event['row']} tokens from here on.")
    elif event["kind"] == "skipped":
        say(f"Update {event['update']} was skipped: {event['why']}.")
    elif event["kind"] == "untracked":
        say(event["message"])


def ended(run: Run, as_json: bool) -> None:
    """Tell the result of a run that is over. Raises TrainingFailed for one without a result."""
    if run.state in RESUMABLE:
        raise TrainingFailed(course(run).trouble)
    result = {"run": run.id, "state": run.state, **{key: (run.card or {}).get(key) for key in CARD}}
    if run.card:
        result["adapter"] = str(run.folder / "adapter")
    tell(as_json, result, summary(run))


CARD = ("updates", "seconds", "learned_tokens", "held_out_loss", "general_loss", "best_step", "adapter", "peak_memory_mb")  # fmt: skip


def summary(run: Run) -> str:
    name = run.spec["name"]
    if not run.card:
        return f"{name} (run {run.id}) {run.state}."
    held: Any = run.card["held_out_loss"]
    change = held["best"] / held["before"] - 1
    return f"{name} (run {run.id}) {run.state}: held-out loss {held['before']:.3f} to {held['best']:.3f} ({change:+.0%})."


@commands.command("runs")
def runs_(home: Home = None, project: Name = "default", as_json: Json = False) -> None:
    """The project's runs, newest first."""
    from studio.work import run_history

    at = here(home, project)
    found = run_history.runs_of(at.studio, at.project.id)
    rows = [
        {"run": each.id, "name": each.spec["name"], "state": each.state, "preset": each.spec["preset"],
         **{key: (each.card or {}).get(key) for key in CARD[:-2]}}
        for each in found
    ]  # fmt: skip
    tell(as_json, {"runs": rows}, "\n".join(summary(each) for each in found) or "There are no runs yet.")


@commands.command("run")
def run_(id: str, home: Home = None, project: Name = "default", as_json: Json = False) -> None:
    """One run: its recipe, its data, its events."""
    from studio.work import run_history

    found = run_history.run(here(home, project).studio, id)
    result = {"run": found.id, "state": found.state, "spec": found.spec, "recipe": found.spec["recipe"],
              "data": found.spec["data"], "card": found.card, "events": list(found.events)}  # fmt: skip
    tell(as_json, result, summary(found))


@commands.command()
def stop(
    id: str,
    discard: Annotated[bool, typer.Option("--discard", help="Keep nothing.")] = False,
    home: Home = None,
    project: Name = "default",
    as_json: Json = False,
) -> None:
    """Stop a run and keep its best adapter, or discard it; waits until it has stopped."""
    from studio.work import training

    studio = here(home, project).studio
    studio.jobs.watch()
    ended(follow(studio, training.stop(studio, id, discard)), as_json)


@commands.command()
def resume(id: str, home: Home = None, project: Name = "default", as_json: Json = False) -> None:
    """Go on with a run that was cut off, following it until it ends."""
    from studio.work import training

    studio = here(home, project).studio
    studio.jobs.watch()
    ended(follow(studio, training.resume(studio, id)), as_json)


@commands.command()
def delete(id: str, home: Home = None, project: Name = "default", as_json: Json = False) -> None:
    """Remove a run that is over and free its disk space."""
    from studio.work import run_history

    run_history.delete(here(home, project).studio, id)
    tell(as_json, {"run": id, "state": "deleted"}, f"Run {id} is deleted.")
