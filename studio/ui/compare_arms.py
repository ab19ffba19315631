"""What a column of Compare can hold: the base, each run with an adapter, and a model elsewhere while that is switched on."""

from __future__ import annotations

from studio.core.endpoint import titled
from studio.ui import show_run
from studio.work import comparing, elsewhere
from studio.work.studio import Studio

BASE = ("Base as it came", "base")


def choices(studio: Studio, project: str) -> list[tuple[str, str]]:
    """(label, name as `comparing.arm` reads it), the newest run first."""
    runs = [(show_run.label(each), f"run:{each.id}") for each in comparing.tuned(studio, project)]
    away = elsewhere.is_on(studio)
    return [BASE, *runs, *([(f"Elsewhere: {titled(away.arm)}", away.arm)] if away else [])]
