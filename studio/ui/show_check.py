"""The set's health and its findings as what the Check tab displays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from studio.core.records import Finding, Token
from studio.ui.show import counted, note, plan_card, text, token
from studio.work.checking import Health

RULES = {
    "structure": ("Cannot be learned from", "Training leaves these out."),
    "draft": (
        "Drafts not read yet",
        "A model wrote these. They are learned once a person has accepted or edited them.",
    ),
    "duplicate": ("Said twice", "What stands twice weighs double, and may be both learned and held out."),
    "placeholder": ("Gaps left open", "A model repeats a gap word for word."),
    "control token": (
        "Left-over markup",
        "Marks of another tool's chat format, learned as if they were words.",
    ),
}
MOST = 50  # findings of one rule that are listed
TOKENS = 2000  # tokens of one conversation that are drawn


def health(found: Health) -> str:
    """The set's numbers."""
    unknown = "not known yet"
    return plan_card(
        [
            (f"{found.conversations:,}", "conversations"),
            (f"{found.messages:,}", "turns"),
            (
                unknown if found.tokens is None else f"{found.tokens:,}",
                "tokens: the pieces of words a model reads",
            ),
            (unknown if found.learned_tokens is None else f"{found.learned_tokens:,}", learned_label(found)),
            (f"{found.held_out:,}", "conversations held out: never learned from, to measure on"),
        ]
    ) + note(found.trouble, "bad")


def learned_label(found: Health) -> str:
    share = f", {100 * (found.learned_tokens or 0) / found.tokens:.0f} % of all" if found.tokens else ""
    return f"learned tokens: those of the answers{share}"


def findings(found: Sequence[Finding]) -> str:
    """What the rules found, rule by rule; a press on a number opens that conversation below."""
    if not found:
        return note("Nothing to mend: no rule found anything.")
    order = list(RULES)
    ranked = sorted(found, key=lambda each: (each.severity, order.index(each.rule) if each.rule in order else 99, each.rule, each.number))  # fmt: skip
    return "".join(group(rule, list(some)) for rule, some in groupby(ranked, key=lambda each: each.rule))


def group(rule: str, some: Sequence[Finding]) -> str:
    title, why = RULES.get(rule, (rule.capitalize(), ""))
    kind, word = ("bad", "to mend") if some[0].severity == "error" else ("warn", "to look at")
    rest = f'<p class="soft">and {len(some) - MOST:,} more like these.</p>' if len(some) > MOST else ""
    return (
        f'<section class="rule"><h3>{text(title)} <span class="count {kind}">{len(some):,} {word}</span></h3><p class="soft">{text(why)}</p>'
        f'<ul class="findings">{"".join(map(row, some[:MOST]))}</ul>{rest}</section>'
    )


def row(each: Finding) -> str:
    turn = f'<span class="soft num">turn {each.message + 1}</span> ' if each.message is not None else ""
    return (
        f'<li><button class="quiet num" data-press="xray" data-id="{each.number}" aria-label="Show conversation {each.number:04} as the model sees it">'
        f"{each.number:04}</button><span>{turn}{text(each.text)}</span></li>"
    )


def xray(number: int, tokens: Sequence[Token]) -> str:
    """A conversation as the model sees it: learned tokens underlined, cut ones struck through, each with its id on hover."""
    kinds = (
        ("learned", sum(each.learned and not each.cut for each in tokens), "the model learns to write these"),
        (
            "context",
            sum(not each.learned and not each.cut for each in tokens),
            "it reads these, and learns nothing from them",
        ),
        ("cut", sum(each.cut for each in tokens), "beyond the model's limit: it never sees these"),
    )
    legend = "".join(
        f'<span><i class="tok {kind}">{kind}</i> <b class="num">{count:,}</b> {words}</span>'
        for kind, count, words in kinds
        if count
    )
    more = (
        note(f"The first {TOKENS:,} of {counted(len(tokens), 'token')} are shown.")
        if len(tokens) > TOKENS
        else ""
    )
    return (
        f'<h3>Conversation {number:04}, {counted(len(tokens), "token")}</h3><div class="legend">{legend}</div>{more}'
        f'<div class="xray" tabindex="0" role="region" aria-label="Conversation {number:04} as tokens">'
        f"{''.join(map(token, tokens[:TOKENS]))}</div>"
    )
