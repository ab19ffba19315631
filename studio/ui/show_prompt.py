"""Prompts as what the Prompt tab displays: the examples and why, the exact prompt, versions and what differs in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from studio.core.difference import Part, words
from studio.core.records import Prompt, Token
from studio.ui.show import counted, note, table, text
from studio.ui.show_held_out import percent_of, spread
from studio.work.examples import Example
from studio.work.prompt_results import Result
from studio.work.prompting import Prompted

TOKENS = 2000  # tokens that are listed


def examples(prompted: Prompted) -> str:
    """Which conversations stand before the question and why, how many found no room, and which pinned ones are left out."""
    rows = [(f"{each.conversation.number:04}", question(each), why(each)) for each in prompted.examples]
    head = ["Number", "Question", "Why this one"]
    listed = table(head, rows, {0}, "Examples shown to the model") if rows else ""
    title = (
        "<h3>Shown to the model before the question</h3>"
        if rows
        else '<p class="soft">No examples were shown to the model.</p>'
    )
    short = (
        f"{counted(prompted.dropped, 'example')} found no room beside the question and the answer."
        if prompted.dropped
        else ""
    )
    return title + listed + "".join(note(each, "warn") for each in (short, *prompted.left_out))


def question(example: Example) -> str:
    return next((each.content for each in example.conversation.messages if each.role == "user"), "")


def why(example: Example) -> str:
    """The reason that a person can check: pinned, or how much alike and by which words."""
    if example.pinned:
        return "pinned"
    if example.likeness < 0.005:
        return "nothing is alike; it is only the first"
    by = f", by {', '.join(example.words)}" if example.words else ""
    return f"{100 * example.likeness:.0f} % alike{by}"


def seen(tokens: Sequence[Token]) -> str:
    """All that the model reads before its answer: as text with the marks of the chat template, and token by token."""
    whole = "".join(map(piece, tokens))
    chips = "".join(map(chip, tokens[:TOKENS]))
    rest = f'<p class="soft">and {len(tokens) - TOKENS:,} more.</p>' if len(tokens) > TOKENS else ""
    return (
        f'<details class="seen"><summary>The exact prompt, {counted(len(tokens), "token")}</summary>'
        '<p class="soft">All that the model reads before it answers. Marked is what the chat template puts between turns.</p>'
        f'<div class="xray" tabindex="0" role="region" aria-label="The exact prompt">{whole}</div>'
        f'<details><summary>Token by token, with its number in the model\'s list</summary><div class="chips" tabindex="0" role="region" aria-label="The prompt token by token"><ol>{chips}</ol></div>{rest}</details></details>'
    )


def piece(token: Token) -> str:
    return f'<mark class="control">{text(token.text)}</mark>' if token.control else text(token.text)


def chip(token: Token) -> str:
    shown = token.text.replace("\n", "↵").replace("\t", "⇥").replace(" ", "␣") or "…"
    return f'<li{" class=control" if token.control else ""}>{text(shown)}<span class="num">{token.id}</span></li>'


def version_label(prompt: Prompt) -> str:
    return f"{prompt.version}, {datetime.fromisoformat(prompt.at).astimezone():%d %b}"


def when(prompt: Prompt) -> str:
    """The local time at which a version was kept."""
    return f"{datetime.fromisoformat(prompt.at).astimezone():%d %b %Y, %H:%M}"


def shown(prompt: Prompt) -> str:
    """How many examples a version shows."""
    pinned = f", {len(prompt.pinned)} pinned" if prompt.pinned else ""
    return f"{prompt.shots} nearest{pinned}"


def versions(found: Sequence[Prompt], used: Prompt | None, measured: Mapping[int, Sequence[Result]]) -> str:
    """Every version with who kept it, when and why, and what held-out questions said of it."""
    rows = [
        (
            each.version,
            when(each),
            each.by,
            shown(each),
            on_held_out(measured.get(each.version, ())),
            ", ".join(filter(None, ["used in this project" if each == used else "", each.note])),
        )
        for each in found
    ]
    head = ["Version", "Kept", "By", "Examples", "On held-out", "Note"]
    return table(head, rows, {0}, f"Versions of {found[0].name}") if found else ""


def on_held_out(results: Sequence[Result]) -> str:
    """The newest result in words, and how many there are before it."""
    if not results:
        return "not asked yet"
    more = f" ({len(results) - 1} earlier)" if len(results) > 1 else ""
    return f"{figures(results[0])}\n{circumstances(results[0])}{more}"


def figures(result: Result) -> str:
    closed = percent_of(asdict(result.closed)) + " of the gap closed" if result.closed else "gap not known"
    return f"{closed}, overlap {spread(result.overlap)}"


def circumstances(result: Result) -> str:
    day = f"{datetime.fromtimestamp(result.at).astimezone():%d %b %Y}"
    return f"{counted(len(result.asked), 'question')}, {day}, {result.base}"


def difference(before: Prompt, after: Prompt, measured: Mapping[int, Sequence[Result]]) -> str:
    """Two versions side by side: what went is marked in the earlier one, what came in the later one; and their results."""
    parts = words(before.system, after.system)
    same = "<p class=soft>The words are the same.</p>" if before.system == after.system else ""
    results = [measured.get(each.version, ()) for each in (before, after)]
    pair, unlike = comparable(*results)
    sides = "".join(
        side(each, parts, kind, result)
        for each, kind, result in zip((before, after), ("gone", "new"), pair, strict=True)
    )
    return f'<div class="two-sides">{sides}</div>{same}{note(unlike)}'


def comparable(
    before: Sequence[Result], after: Sequence[Result]
) -> tuple[tuple[Result | None, Result | None], str]:
    """The newest two results that may be compared, and a sentence where there are no such two."""
    for one in before:
        for other in after:
            if (one.asked, one.base) == (other.asked, other.base):
                return (one, other), ""
    newest = next(iter(before), None), next(iter(after), None)
    if None in newest:
        return newest, ""
    return newest, (
        "These two were measured on other questions or on another base, so their figures cannot be compared. Choose one of "
        "the versions above, and run it on held-out once more with as many questions as the other."
    )


def side(prompt: Prompt, parts: Sequence[Part], kind: str, result: Result | None) -> str:
    tag = {"gone": "del", "new": "ins"}[kind]
    told = "".join(
        text(each.text) if each.kind == "same" else f"<{tag}>{text(each.text)}</{tag}>"
        for each in parts
        if each.kind in ("same", kind)
    )
    said = f"{figures(result)} ({circumstances(result)})" if result else "not asked yet"
    return (
        f"<section><h3>Version {prompt.version}, {text(prompt.by)}</h3>"
        f'<p class="text">{told}</p><p class="soft">Examples: {shown(prompt)}</p>'
        f'<p class="soft">On held-out: {text(said)}</p></section>'
    )
