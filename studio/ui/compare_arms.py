"""What can be chosen in Compare: the base, each run with the points that it keeps, the newest run first, and a model
elsewhere while that is switched on."""

from __future__ import annotations

from collections.abc import Iterator

from studio.core.endpoint import titled
from studio.core.records import Run
from studio.ui import show_run
from studio.work import comparing, elsewhere
from studio.work.studio import Studio

BASE = ("Base as it came", "base")
INDENT = "\u2003"  # a browser does not swallow this one: the runs stand out among their points


def choices(studio: Studio, project: str) -> list[tuple[str, str]]:
    """(label, what `comparing.arm` reads)"""
    runs = [each for run in comparing.tuned(studio, project) for each in of_run(studio, run)]
    away = elsewhere.is_on(studio)
    return [BASE, *runs, *([(f"Elsewhere: {titled(away.arm)}", away.arm)] if away else [])]


def of_run(studio: Studio, run: Run) -> Iterator[tuple[str, str]]:
    yield show_run.label(run), f"run:{run.id}"
    for each in comparing.points(studio, run):
        yield f"{INDENT}{show_run.point_label(run, each)}", f"run:{run.id}@{each['update']}"
