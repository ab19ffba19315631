"""What is different between two runs as the Train tab displays it."""

from __future__ import annotations

from collections.abc import Sequence

from studio.core.course import course
from studio.core.records import Run
from studio.ui import charts
from studio.ui.show import counted, table, text
from studio.ui.show_run import name
from studio.work.run_difference import Difference

SHOWN = 50  # conversations of each kind


def difference(shown: Run, other: Run, told: Difference) -> str:
    """From the other run to the one that is shown: both curves, the settings, and the conversations."""
    drawn = charts.overlaid(course(shown), course(other))
    legend = (
        f'<div class="beside soft"><p><i class="learned"></i>{text(name(other))}, held out</p>'
        f'<p><i class="held"></i>{text(name(shown))}, held out</p></div>'
    )
    curves = f'<div class="course"><div>{drawn}</div>{legend}</div>' if drawn else ""
    head = ["Setting", name(other), name(shown)]
    settings = (
        table(head, told.settings, set(), "Settings that differ")
        if told.settings
        else "<p>The settings are the same.</p>"
    )
    lists = "".join(
        listed(title, rows)
        for title, rows in (("added", told.added), ("changed", told.changed), ("removed", told.removed))
    )
    return f"{curves}{settings}<p>{counted(told.same, 'conversation')} the same in both.</p>{lists}"


def listed(title: str, rows: Sequence[str]) -> str:
    if not rows:
        return ""
    items = "".join(f"<li>{text(each)}</li>" for each in rows[:SHOWN])
    rest = f"<p class=soft>and {len(rows) - SHOWN:,} more.</p>" if len(rows) > SHOWN else ""
    return f"<details><summary>{counted(len(rows), 'conversation')} {title}</summary><ul>{items}</ul>{rest}</details>"
