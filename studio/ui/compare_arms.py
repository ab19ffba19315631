"""The models that Compare can set side by side, and what is chosen for each of the sides that are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from studio.core.endpoint import titled
from studio.core.records import Run
from studio.ui import show_run
from studio.work import comparing, elsewhere
from studio.work.studio import Studio

SIDES = ("left", "right", "third", "fourth")
FEWEST = 2  # sides that are always shown
BASE = ("Base as it came", "base")
INDENT = "\u2003"  # a browser does not swallow this one: the runs stand out among their points


@dataclass(frozen=True)
class Chosen:
    """One side's model, its kept prompt ("" for none) and its system text, as the page says."""

    model: str
    prompt: str
    system: str = ""


def choices(studio: Studio, project: str) -> list[tuple[str, str]]:
    """(label, what `comparing.arm` reads): the base, each run with its points, the newest first, and a model elsewhere if on."""
    runs = [each for run in comparing.tuned(studio, project) for each in of_run(studio, run)]
    away = elsewhere.is_on(studio)
    return [BASE, *runs, *([(f"Elsewhere: {titled(away.arm)}", away.arm)] if away else [])]


def newest(choices: Sequence[tuple[str, str]]) -> str:
    """The arm of the newest run among them; the base where there is none."""
    return next((arm for _, arm in choices if arm.startswith("run:")), BASE[1])


def of_run(studio: Studio, run: Run) -> Iterator[tuple[str, str]]:
    yield show_run.label(run), f"run:{run.id}"
    for each in comparing.points(studio, run):
        yield f"{INDENT}{show_run.point_label(run, each)}", f"run:{run.id}@{each['update']}"


def shown(many: object) -> int:
    """How many sides the page shows; what is no such number means the fewest."""
    return many if isinstance(many, int) and FEWEST <= many <= len(SIDES) else FEWEST


def by_kind(given: Sequence[Any]) -> list[list[str]]:
    """What the page sends of all sides, the models of all first, then their prompts, then, where asked for, system texts."""
    texts, sides = [str(each or "") for each in given], len(SIDES)
    return [texts[begin : begin + sides] for begin in range(0, len(texts), sides)]


def chosen(many: object, given: Sequence[Any]) -> list[Chosen]:
    """What is chosen for each side that is shown."""
    return [Chosen(*each) for each in zip(*by_kind(given), strict=True)][: shown(many)]
