"""Records as what the page displays: pure functions to HTML, in which every text of a person is escaped."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

from studio.core.records import Token

STEPS = (
    ("Write", "Write examples of how the model should answer, or import them."),
    ("Check", "See what would teach the model something wrong, and mend it."),
    ("Prompt", "Try whether a few words and examples are already enough."),
    ("Train", "Let the model learn from your examples, on this machine."),
    ("Compare", "Ask the base and the tuned model the same, side by side."),
    ("Export", "Take the result home: the adapter, the model, the examples."),
)


def text(value: object) -> str:
    """Any text, safe in HTML, also inside an attribute's quotes."""
    return html.escape(str(value))


def empty_state(title: str, sentence: str) -> str:
    """What a place without content says: what belongs here, and what to do first."""
    return f'<div class="empty"><h2>{text(title)}</h2><p>{text(sentence)}</p></div>'


def note(sentence: str, kind: str = "") -> str:
    """A sentence set apart; `kind` is "", "warn" or "bad". It is read out when it appears."""
    word = {"warn": "Note: ", "bad": "Problem: "}.get(kind, "")
    said = f'<span class="unseen">{word}</span>{text(sentence)}' if word else text(sentence)
    return f'<p class="note {text(kind)}" role="status">{said}</p>' if sentence else ""


def plan_card(figures: Sequence[tuple[str, str]]) -> str:
    """Large numbers with what they count under them."""
    cells = "".join(
        f'<div><b class="num">{text(number)}</b><span>{text(label)}</span></div>' for number, label in figures
    )
    return f'<div class="plan">{cells}</div>'


def table(
    headers: Sequence[str], rows: Sequence[Sequence[object]], numeric: Collection[int] = (), caption: str = ""
) -> str:
    """A table for reading; the columns in `numeric` (from 0) stand to the right. `caption` says what it is."""

    def cells(tag: str, row: Sequence[object]) -> str:
        return "".join(
            f"<{tag}{' class=num' if column in numeric else ''}>{text(each)}</{tag}>"
            for column, each in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    named = f'<caption class="unseen">{text(caption)}</caption>' if caption else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption or "Table")}"><table class="data">{named}'
        f"<thead><tr>{cells('th', headers)}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def progress(share: float, sentence: str) -> str:
    """A bar over the width of its place with a sentence under it."""
    percent = 100 * min(1.0, max(0.0, share))
    return (
        f'<div class="progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent:.0f}" '
        f'aria-label="{text(sentence)}"><i style="width:{percent:.1f}%"></i></div><p class="soft num">{text(sentence)}</p>'
    )


def stepper(done: int = 0) -> str:
    """The way in six steps; `done` of them are behind."""
    items = "".join(
        f"<li{' class=done' if place < done else ' aria-current=step' if place == done else ''}>"
        f"<b>{text(name)}</b><span>{text(sentence)}</span></li>"
        for place, (name, sentence) in enumerate(STEPS)
    )
    return f'<ol class="stepper" aria-label="The way in six steps">{items}</ol>'


def token(each: Token) -> str:
    kind = "cut" if each.cut else "learned" if each.learned else "context"
    title = f"token {each.id}, {kind}: {each.text!r}"
    return f'<span class="tok {kind}" title="{text(title)}">{text(each.text)}</span>'


def size(count: int | None) -> str:
    """Bytes in a unit that fits: "3.1 GB"."""
    if count is None:
        return "not known"
    for unit, bytes_ in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if count >= bytes_:
            return f"{count / bytes_:.1f} {unit}" if count < 100 * bytes_ else f"{count / bytes_:,.0f} {unit}"
    return f"{count} bytes"


def duration(seconds: float | None) -> str:
    """Seconds in words: "40 s", "9 min", "2 h 5 min"."""
    if seconds is None:
        return "not known yet"
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 example", "1,024 examples"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
