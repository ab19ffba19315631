"""The list of runs as the Train tab displays it: pure functions from records to HTML."""

from __future__ import annotations

from collections.abc import Sequence

from studio.core.course import Course, course
from studio.core.records import ACTIVE, Run
from studio.ui import charts
from studio.ui.show import counted, duration, text
from studio.ui.show_run import STATES, change, losses, name, preset, when


def history(runs: Sequence[Run], shown: str = "") -> str:
    """The runs, newest first; each opens by its name, and can be deleted after a second press."""
    if not runs:
        return ""
    return f'<h2>Runs</h2><ul class="runs">{"".join(row(each, each.id == shown) for each in runs)}</ul>'


def row(run: Run, on: bool) -> str:
    told = course(run)
    return (
        f'<li{" class=on" if on else ""}><button class="quiet" data-press="open" data-id="{text(run.id)}"{" aria-current=true" if on else ""}>'
        f'{text(name(run))}</button><span class="state {run.state}">{STATES[run.state]}</span>'
        f'<span class="num soft when">{text(when(run))}</span>{charts.spark(told.held_out, told.updates)}'
        f'<span class="num soft facts">{text(facts(run, told))}</span>{up(run)}{remove(run)}</li>'
    )


def up(run: Run) -> str:
    if run.state != "queued":
        return ""
    return f'<button class="quiet" data-press="up" data-id="{text(run.id)}">Earlier<span class="unseen">: {text(name(run))}</span></button>'


def facts(run: Run, told: Course) -> str:
    before, best = losses(run)
    fell = f" to {best:.2f} ({change(run)})" if best is not None and change(run) else ""
    loss = f"held-out loss {before:.2f}{fell}" if before is not None else ""
    took = duration(float(str(run.card["seconds"]))) if run.card else ""
    return ", ".join(
        each for each in (preset(run), counted(told.done, "update"), loss, took, run.note) if each
    )


def remove(run: Run) -> str:
    if run.state in ACTIVE:
        return ""
    who = text(name(run))
    return (
        f'<details class="confirm"><summary><span class="ask-it">Delete<span class="unseen"> {who}</span></span><span class="keep-it">Keep it</span></summary><span>Its adapter and curve are gone then.</span>'
        f'<button data-press="delete" data-id="{text(run.id)}">Delete {who}</button></details>'
    )
