"""The runs of a project: what they are, what they took, what a person notes of them, and their end."""

from __future__ import annotations

from studio.core.errors import Busy
from studio.core.records import Run
from studio.core.text import clean
from studio.store import runs
from studio.work.studio import Studio


def run(studio: Studio, id: str) -> Run:
    return runs.load(studio.home, id)


def runs_of(studio: Studio, project_id: str) -> list[Run]:
    """A project's runs, newest first; without those that only measured."""
    found = (each for each in runs.load_all(studio.home) if each.spec["project"] == project_id)
    return [each for each in found if not each.spec.get("trial")]


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
