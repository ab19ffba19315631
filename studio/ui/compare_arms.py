"""The models that Compare can set side by side, and what is chosen for each of the sides that are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.ui import show_run
from studio.work import comparing
from studio.work.studio import Studio

SIDES = ("left", "right", "third", "fourth")
FEWEST = 2  # sides that are always shown
BASE = ("Base as it came", "base")


@dataclass(frozen=True)
class Chosen:
    """One side's model, its kept prompt ("" for none) and its system text, as the page says."""

    model: str
    prompt: str
    system: str = ""


def choices(studio: Studio, project: str) -> list[tuple[str, str]]:
    """(label, what `comparing.arm` reads) of every model that can be chosen; the base first, then runs, newest first."""
    runs = comparing.tuned(studio, project)
    return [BASE, *((show_run.label(each), f"run:{each.id}") for each in runs)]


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
