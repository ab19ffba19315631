"""What held-out questions showed, as the Prompt tab displays it: the sentence, a row for each arm, and every answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.core.estimate import Estimate
from studio.core.evaluation import Evaluation
from studio.ui.show import counted, duration, empty_state, note, progress, text
from studio.work.measuring import Compared

HEADS = (
    "Answers of",
    "Style score",
    "",
    "Gap closed",
    "Overlap",
    "Length",
    "Copied",
    "Loss",
    "General loss",
    "Prompt tokens",
)
MEANINGS = (
    ("Style score", "how surely a classifier takes an answer for one of yours. It has read your answers and the base's own to "
     "the same learned questions. In brackets: between which values other questions of the kind would have put it, 95 %."),
    ("Gap closed", "how far an arm has come on the way from the base's score to that of your own answers."),
    ("Overlap", "how much of your answer to the same question stands in the arm's (chrF, 0 to 100)."),
    ("Length", "how many words an arm needs for one of yours."),
    ("Copied", "the share of answers that repeat a learned answer for the most part. They count as none of yours, and so do answers "
     "that repeat the question, or go on without an end at twice the length of yours."),
    ("Loss", "how much your own answers surprise the model, in nats a token; less is nearer to you. “General loss” is the "
     "same on text that has nothing to do with your examples: a run that forgets has more there than the base."),
    ("Prompt tokens", "what stands before every question, examples too. It is paid again with every answer."),
)  # fmt: skip
ORDERS = (
    ("Most different answers first", "apart"),
    ("Least like you first", "unlike"),
    ("By number", "number"),
)
EMPTY = (
    "Nothing was run yet",
    "Choose who shall answer and press the button. The answers come in the background, and you can go on working.",
)


def live(found: Evaluation | None, training: str = "") -> str:
    """How far an evaluation is, or why it stands still; nothing beside a result. `training`: what slows it down."""
    if found is None:
        return empty_state(*EMPTY)
    if found.state == "done":
        return ""
    done, rows = found.done, found.spec["rows"]
    if found.state == "going":
        left = f", about {duration(found.seconds_left)} left" if found.seconds_left is not None else ""
        slower = f" {training}, so this takes longer." if training else ""
        return progress(done / max(rows, 1), f"{done:,} of {rows:,} answers and measurements{left}.{slower}")
    why = found.trouble or "It was stopped."
    kept = f"{counted(done, 'answer or measurement', 'answers and measurements')} of {rows:,} are kept; “Go on” makes the others."
    return note(f"{why} {kept}", "bad" if found.trouble else "warn")


def asked(found: Evaluation) -> str:
    arms = [each["title"] for each in found.spec["arms"]]
    return f"{counted(found.spec['questions'], 'held-out question')} to {', '.join(arms[:-1])} and {arms[-1]}" if len(arms) > 1 else f"{counted(found.spec['questions'], 'held-out question')} to {arms[0]}"  # fmt: skip


def result(found: Evaluation | None) -> str:
    """The sentence first, its evidence folded; then a row for each arm, and what their answers differ in."""
    if found is None or found.result is None:
        return ""
    told = found.result
    evidence = [*told["evidence"], *classifier(told)]
    items = "".join(f"<li>{text(each)}</li>" for each in evidence)
    return (
        f'<p class="soft">{text(asked(found))}, by {text(found.spec["by"])}</p>'
        f'<p class="note verdict" role="status">{text(told["sentence"])}</p>'
        f"<details><summary>Why</summary><ul class='dots'>{items}</ul></details>"
        f"{arms(told)}{traits(told['arms'])}{meanings()}"
    )


def classifier(told: dict[str, Any]) -> list[str]:
    """How well the classifier tells both sides apart, and why there is no score."""
    auc = told["auc"]
    known = [f"Of one of your answers and one of the base's, the classifier picks yours in {percent(auc['value'])} of cases; 50 % is guessing."] if auc else []  # fmt: skip
    return [
        *known,
        *filter(None, [told["why_no_score"] if told["why_no_score"] not in told["sentence"] else ""]),
    ]


def arms(told: dict[str, Any]) -> str:
    """A table with a row for each arm, and one for the experts' own answers as the measure."""
    head = "".join(f"<th{' class=num' if at > 2 or at == 2 else ''}>{text(each) or '<span class=unseen>Interval</span>'}</th>" for at, each in enumerate(HEADS))  # fmt: skip
    rows = "".join(f"<tr>{arm(each)}</tr>" for each in told["arms"])
    own = ""
    if best := told["experts"]:
        own = f"<tr><td>your own answers</td>{score(best['value'], best['low'], best['high'], 'own')}{'<td></td>' * 7}</tr>"
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="What was measured"><table class="data arms">'
        f'<caption class="unseen">What was measured of each arm</caption><thead><tr>{head}</tr></thead><tbody>{rows}{own}</tbody></table></div>'
    )


def arm(each: dict[str, Any]) -> str:
    style, near = each["style"], each["overlap"]
    figures = (
        percent_of(each["closed"]) if each["kind"] != "base" else "",
        spread(Estimate(**near)),
        f"{each['length_ratio']:.1f} ×" if each["length_ratio"] is not None else "",
        percent(each["copied"]),
        loss(each["held_out_loss"]),
        loss(each["general_loss"]),
        f"{each['prompt_tokens']:,.0f}",
    )
    cells = "".join(f'<td class="num">{text(figure)}</td>' for figure in figures)
    return f"<td>{text(each['title'])}</td>{score(style['score'], style['low'], style['high'], each['kind'])}{cells}"


def score(value: float | None, low: float, high: float, kind: str) -> str:
    """Two cells: the bar with its interval, and the same in numbers."""
    if value is None:
        return '<td></td><td class="num">none</td>'
    left, width = 100 * low, 100 * (high - low)
    bar = f'<span class="interval {text(kind)}" aria-hidden="true"><i style="left:{left:.1f}%;width:{width:.1f}%"></i><u style="left:{100 * value:.1f}%"></u></span>'
    return f'<td class="bar">{bar}</td><td class="num">{100 * value:.0f} [{100 * low:.0f} to {100 * high:.0f}]</td>'


def loss(value: float | None) -> str:
    return f"{value:.2f}" if value is not None else ""


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def percent_of(figure: dict[str, float] | None) -> str:
    """A share of the gap: less than nothing is nothing."""
    if figure is None:
        return "not known"
    low, value, high = (min(max(figure[each], 0), 1) for each in ("low", "value", "high"))
    return f"{percent(value)} [{100 * low:.0f} to {100 * high:.0f}]"


def spread(figure: Estimate) -> str:
    return f"{figure.value:.0f} [{figure.low:.0f} to {figure.high:.0f}]"


def traits(told: Sequence[dict[str, Any]]) -> str:
    """In words, what an arm's answers have otherwise than the experts'."""
    found = "".join(
        f"<h4>{text(each['title'])}</h4><ul class='dots'>{''.join(f'<li>{text(said)}</li>' for said in each['traits'])}</ul>"
        for each in told
        if each["traits"]
    )
    said = found or '<p class="soft">Nothing that so few answers would show surely.</p>'
    return f"<details><summary>What differs from your answers, in words</summary>{said}</details>"


def meanings() -> str:
    rows = "".join(f"<li><b>{text(name)}</b>: {text(said)}</li>" for name, said in MEANINGS)
    return f"<details><summary>What these figures mean</summary><ul class='dots'>{rows}</ul></details>"


def answers(shown: Sequence[Compared], at: int, pages: int) -> str:
    """A page of questions, each with the expert's answer and every arm's."""
    if not shown:
        return ""
    return f'<ol class="asked">{"".join(map(question, shown))}</ol>{turning(at, pages)}'


LONG = 400  # characters from which on an answer is shown in part at first


def question(each: Compared) -> str:
    own = f'<div><h4>Your own answer</h4><p class="said">{text(each.reference)}</p></div>'
    said = "".join(
        f'<div><h4>{text(one.title)}</h4><p class="said">{text(one.text) or "<span class=soft>No answer.</span>"}</p>'
        f'<p class="soft num">{text(figures(one.style, one.overlap, one.cut))}</p>{to_compare(each, place)}</div>'
        for place, one in enumerate(each.answers)
    )
    texts = [each.reference, *(one.text for one in each.answers)]
    whole = '<button class="quiet" data-fold aria-expanded="false">Read them in full</button>' if any(map(is_long, texts)) else ""  # fmt: skip
    return f'<li><h3><span class="num">{each.number:04}</span> <span class="said">{text(each.question)}</span></h3><div class="beside-each">{own}{said}</div>{whole}</li>'


def is_long(said: str) -> bool:
    return len(said) > LONG or said.count("\n") > 6


def to_compare(each: Compared, place: int) -> str:
    """The base comes first, and stands on the left there whatever is on the right."""
    if place == 0:
        return ""
    label = f"Open the answers of the base and {each.answers[place].title} to question {each.number:04} in Compare"
    return f'<button class="quiet" data-press="compare" data-id="{each.number}:{place}" aria-label="{text(label)}">Open in Compare</button>'


def figures(style: float | None, overlap: float, cut: bool) -> str:
    score = f"style {100 * style:.0f}, " if style is not None else ""
    return f"{score}overlap {overlap:.0f}{', cut off at the longest length' if cut else ''}"


def turning(at: int, pages: int) -> str:
    if pages < 2:
        return ""
    back = f'<button class="quiet" data-press="page" data-id="{at - 1}"{" disabled" if at == 0 else ""}>Earlier</button>'
    on = f'<button class="quiet" data-press="page" data-id="{at + 1}"{" disabled" if at == pages - 1 else ""}>Later</button>'
    return f'<p class="turning">{back}<span class="soft num">Page {at + 1} of {pages}</span>{on}</p>'
