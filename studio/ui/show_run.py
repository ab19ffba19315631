"""Plans and runs as what the Train, Compare and Export tabs display: pure functions from records to HTML and words."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from studio.core.course import Course, as_csv, course
from studio.core.outcome import told as findings
from studio.core.records import ACTIVE, Run
from studio.ui import charts, show_watch
from studio.ui.show import counted, duration, empty_state, note, progress, size, text

STATES = {
    "queued": "waits for its turn",
    "starting": "starting",
    "running": "training",
    "finished": "finished",
    "stopped": "stopped, best kept",
    "discarded": "stopped, discarded",
    "failed": "failed",
    "paused": "paused",
    "killed": "cut off",
}
EARLY = {
    "worse": "; it ended early because the held-out loss no longer fell",
    "forgot": "; it ended early because too much general knowledge was being lost",
    "numbers": "; it ended early because the loss stopped being a number",
}
LINES = 200  # of a run's events that the page shows


def name(run: Run) -> str:
    return str(run.spec.get("name") or f"Run {run.id}")


def preset(run: Run) -> str:
    return str(run.spec.get("preset") or "own settings")


def change(run: Run) -> str:
    """How far the best held-out loss lies under the base's, as "−35 %"; "" where nothing was measured."""
    before, best = losses(run)
    return percent(before, best) if before and best is not None and best < before else ""


def losses(run: Run) -> tuple[float | None, float | None]:
    """(before, best) held-out loss, from the card or from the events so far."""
    if run.card:
        measured: Any = run.card["held_out_loss"]
        return measured["before"], measured["best"]
    told = course(run)
    return (told.held_out[0][1] if told.held_out else None), (told.best[1] if told.best else None)


def percent(before: float, after: float) -> str:
    # A real minus sign: a hyphen is left out by screen readers.
    return f"{100 * (after - before) / before:+.0f} %".replace("-", "−")


def label(run: Run) -> str:
    """A run in a list to choose from: "Run 7 (standard, −35 %)", or "Run 7, calm voice (…)" where it has another name. The
    number always stands there, for it is what sentences about a run call it.
    """
    number, given = f"Run {run.id}", name(run)
    called = number if given == number else f"{number}, {given}"
    return f"{called} ({', '.join(each for each in (preset(run), change(run)) if each)})"


def point_label(run: Run, point: dict[str, Any]) -> str:
    """A point of a run in the same list: "Run 7 after 40 of 120 updates (−21 %)"."""
    card: dict[str, Any] = run.card or {}
    far = f"Run {run.id} after {point['update']:,} of {counted(card['updates'], 'update')}"
    before, _ = losses(run)
    return f"{far} ({percent(before, point['held_out_loss'])})" if before else far


def when(run: Run) -> str:
    """The local time a run was started."""
    return f"{datetime.fromtimestamp(float(str(run.spec['created_at']))):%d %b %Y, %H:%M}"


def busy(going: Run | None) -> str:
    """Why the next run has to wait while one is going."""
    if going is None:
        return ""
    where = str(going.spec.get("project_name") or "")
    now = f"{name(going)}{f' of {where}' if where else ''} is training now"
    if going.spec.get("trial"):
        now = "Time and memory are being measured"
    return note(f"{now}. The next run waits until that is over, or stopped, and then begins by itself.")


def live(run: Run | None, wish: str = "", questions: Sequence[str] = ()) -> str:
    """One run, going or over: where it stands, its curve, what it did to general knowledge, and its answers on the way.

    `wish`: how it was asked to stop; `questions`: its watch-prompts.
    """
    if run is None:
        return empty_state("No run yet", "Start training above: its progress and its curve appear here. A run goes on when this page is closed.")  # fmt: skip
    if run.state == "queued":
        waits = "It waits for its turn, and begins by itself. Its examples are kept as they were when it was added."
        return f'<div class="head"><h2>{text(name(run))}</h2></div>{note(waits)}{remarks(run)}'
    told = course(run)
    head = f'<div class="head"><h2>{text(name(run))}</h2><span class="soft num">{text(standing(run, told, wish))}</span></div>'
    going = progress(told.share, told_words(told)) if run.state in ACTIVE else over(run, told)
    saved = "" if run.state in ACTIVE else save_curve(run, told)
    return f"{head}{going}{remarks(run, *told.remarks)}{drawing(told)}{saved}{show_watch.timeline(questions, told)}"


def remarks(run: Run, *more: str) -> str:
    """What was other than planned, from before its start and on its way."""
    planned: Any = run.spec.get("remarks", ())
    return note(" ".join([*planned, *more]), "warn")


def save_curve(run: Run, told: Course) -> str:
    if not told.learned:
        return ""
    data = base64.b64encode(as_csv(told).encode()).decode()
    return f'<p><a download="run-{text(run.id)}.csv" href="data:text/csv;base64,{data}">Save this curve as a table (CSV)</a></p>'


def over(run: Run, told: Course) -> str:
    """How a run ended, whether it did anything, and what to do next."""
    ended, kind = outcome(run, told)
    data: Any = run.spec.get("data", {})
    learned = int(data.get("train", {}).get("rows", 0))
    said = findings(run.card, told, learned) if run.card else []
    calm = " ".join([ended, *(sentence for sentence, warning in said if not warning)])
    return note(calm, kind) + "".join(note(*each) for each in said if each[1])


def standing(run: Run, told: Course, wish: str) -> str:
    if run.state not in ACTIVE:
        return ", ".join([STATES[run.state], preset(run), when(run)])
    asked = {"keep": "stopping, the best is kept", "discard": "stopping, nothing is kept"}.get(wish)
    return ", ".join(each for each in (asked, preset(run), loading(told)) if each)


def loading(told: Course) -> str:
    return (
        f"{told.loading['precision']} on {told.loading['device']}"
        if told.loading
        else "waiting for its process"
    )


def told_words(told: Course) -> str:
    """How far, how fast and how long still: the sentence under the bar."""
    if not told.done:
        return told.doing[:1].upper() + told.doing[1:] + "."
    if told.done >= told.updates:
        return "Every update is made. The best adapter is being checked and kept."
    left = f", about {duration(told.seconds_left)} left" if told.seconds_left is not None else ""
    held = f", {size(told.memory)} of memory" if told.memory else ""
    pace = f"{told.tokens_a_second:,.0f} tokens a second, learning rate {told.rate:.2g}{held}"
    return f"Update {told.done:,} of {told.updates:,}{left}. {pace}."


def outcome(run: Run, told: Course) -> tuple[str, str]:
    """(sentence, kind of note) for a run that is over."""
    if told.trouble:
        return told.trouble, "bad"
    if run.state == "discarded":
        return "It was stopped and discarded; nothing of it was kept.", ""
    before, best = losses(run)
    card: dict[str, Any] = run.card or {}
    took = f"{counted(card['updates'], 'update')} in {duration(card['seconds'])}"
    return (
        f"{took}{EARLY.get(card.get('why', ''), '')}. Held-out loss {before:.2f} to {best:.2f} ({change(run)}), "
        f"best at update {card['best_step']:,}: that adapter is kept{beside(card)}. See in the Compare tab how it answers."
    ), ""


def beside(card: dict[str, Any]) -> str:
    """The points that are kept beside the best, as the rest of a sentence's part; nothing where there are none."""
    kept = ", ".join(f"{each['update']:,}" for each in card.get("points", ()))
    return f", and to compare with it those at {' and '.join(kept.rsplit(', ', 1))}" if kept else ""


def drawing(told: Course) -> str:
    """The curve, and beside it what its lines are and what became of general knowledge."""
    drawn = charts.curve(told)
    if not drawn:
        return ""
    mean = f", mean of {charts.NEIGHBOURS} neighbouring updates" if len(told.learned) > charts.SHORT else ""
    legend = (
        f'<p><i class="learned"></i>Learned: your and the general examples{mean}.</p>'
        '<p><i class="held"></i>Held out: examples of yours that it never learns from. The ring is the best, which is kept.</p>'
        "<p>Loss says how much a text surprises the model: lower is better.</p>"
    )
    gauge = charts.gauge(told)
    if gauge:
        legend += '<p><i class="general"></i>General (the lower line, on a scale of its own): other text that it never learns from.</p>'
    return f'<div class="course"><div>{drawn}{gauge}</div><div class="beside soft">{legend}{general(told)}</div></div>'


def general(told: Course) -> str:
    """What became of general knowledge at the best point, as a sentence."""
    if len(told.general) < 2 or not told.best:
        return ""
    before = told.general[0][1]
    now = dict(told.general).get(told.best[0], told.general[-1][1])
    rise = (now - before) / before
    if rise <= 0.01:
        verdict, kind = "nothing forgotten", ""
    elif rise <= 0.03:
        verdict, kind = "a little forgotten", "warn"
    else:
        verdict, kind = (
            "general knowledge has suffered; mix in more general examples or train more gently",
            "bad",
        )
    return note(f"Loss on general text {before:.2f} to {now:.2f} at the best point: {verdict}.", kind)


def events(run: Run | None) -> str:
    """What the run said, newest last, as text."""
    if run is None:
        return ""
    lines = [event_line(each) for each in run.events[-LINES:]]
    return f'<p class="soft">{text(lineage(run))}</p><pre class="log" tabindex="0">{text(chr(10).join(lines))}</pre>'


def lineage(run: Run) -> str:
    """From what a run was made, so that it can be made again: data and base by the beginnings of their hashes."""
    data: Any = run.spec.get("data", {})
    parts = [
        f"{label} {data[kind]['rows']:,} conversations ({str(data[kind]['sha256'])[:8]})"
        for label, kind in (("learned from", "train"), ("held out", "held_out"), ("general", "general"))
        if data.get(kind, {}).get("rows")
    ]
    revision = f" ({str(run.spec['base_revision'])[:8]})" if run.spec.get("base_revision") else ""
    versions: Any = run.spec.get("versions", {})
    under = ", ".join(f"{each} {number}" for each, number in versions.items())
    said = f"Run {run.id}, started by {run.spec.get('by', 'nobody named')}: {', '.join(parts)}. Base model {run.spec['base']}{revision}."
    return f"{said} Under {under}." if under else said


def event_line(event: dict[str, Any]) -> str:
    rest = {
        key: round(value, 4) if isinstance(value, float) else value
        for key, value in event.items()
        if key not in ("kind", "at", "clock")
    }
    return f"{datetime.fromtimestamp(event['at']):%H:%M:%S} {event['kind']} {json.dumps(rest, ensure_ascii=False)}"
