"""The plan of a run and its base model as the Train tab displays them: pure functions from records to HTML."""

from __future__ import annotations

from collections.abc import Sequence

from studio.ui.show import counted, duration, plan_card, size, table, text
from studio.work.models import Base
from studio.work.planning import Plan


def plan(planned: Plan) -> str:
    """The plan's numbers before the button is pressed."""
    return plan_card(
        [
            (
                f"{planned.learned:,}",
                f"conversations to learn{learned_tokens(planned)}, {planned.held_out:,} held out",
            ),
            (f"{planned.general:,}", f"general examples, {ratio(planned.recipe.general)}"),
            (f"{planned.updates:,}", f"updates, {seen(planned)}"),
            (duration(planned.seconds) if planned.seconds else "not known yet", time_label(planned)),
            memory_figure(planned),
        ]
    )


def learned_tokens(planned: Plan) -> str:
    return f" ({planned.learned_tokens:,} tokens of answers)" if planned.learned_tokens else ""


def time_label(planned: Plan) -> str:
    return "on this machine" if planned.seconds else "time here, measured by the first run"


def memory_figure(planned: Plan) -> tuple[str, str]:
    total = size(planned.memory_total)
    return (size(planned.memory), f"of {total} memory") if planned.memory else ("not known yet", f"of {total} memory, measured by the first run")  # fmt: skip


def ratio(general: float) -> str:
    return (
        f"{general:g} for each of yours" if general not in (0, 1) else ("1:1" if general else "none mixed in")
    )


def seen(planned: Plan) -> str:
    """How often an example is seen, which an exact number of updates may make a fraction."""
    if not planned.learned:
        return "none yet"
    if not planned.recipe.updates:
        return f"each example seen {counted(planned.recipe.passes, 'time')}"
    times = planned.updates * planned.recipe.batch / (planned.learned + planned.general)
    return f"each example seen {times:.1f} times"


def left_out(rows: Sequence[tuple[int, str]]) -> str:
    """Which conversations training leaves out, and why."""
    if not rows:
        return ""
    shown = [(f"{number:04}", why) for number, why in rows[:100]]
    rest = f'<p class="soft">and {len(rows) - 100:,} more.</p>' if len(rows) > 100 else ""
    one = len(rows) == 1
    title = f"{counted(len(rows), 'conversation')} {'is' if one else 'are'} left out: which, and why"
    inside = table(["Number", "Why, and what to do"], shown, {0}, "Conversations left out")
    return f"<details><summary>{title}</summary>{inside}{rest}</details>"


def base_line(base: Base) -> str:
    """The base model in one line: what it is, and whether it is on this machine."""
    missing = "it cannot be used" if base.trouble else f"not on this machine yet{download(base)}"
    where = "on this machine" if base.path else missing
    facts = ", ".join(each for each in (parameters(base), base.licence, where) if each)
    return f'<p class="soft">Base model: <b class="ink">{text(base.title)}</b>, {text(facts)}.</p>'


def parameters(base: Base) -> str:
    if not base.parameters:
        return ""
    many = base.parameters >= 10**6
    return f"{base.parameters / 10**6:,.0f} million weights" if many else f"{base.parameters:,} weights"


def download(base: Base) -> str:
    return f", {size(base.download)} to fetch" if base.download else ""
