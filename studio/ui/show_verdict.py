"""The score card of a run as HTML: the verdict first, what to do next, then every figure with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.core.estimate import Estimate
from studio.core.evidence import signed
from studio.core.growth import Stand
from studio.core.judging import titled
from studio.ui.charts import Frame, path
from studio.ui.show import counted, table, text
from studio.work.score_card import ScoreCard

MARK = {"yes": "", "none": "", "serious": " bad"}  # the note's kind; anything else warns


def verdict(card: ScoreCard) -> str:
    told = card.verdict
    kind = MARK.get(told.effects, " warn") or MARK.get(told.style, " warn")
    steps = items(told.next)
    return (
        f'<p class="note verdict{kind}" role="status">{text(told.sentence)}</p>'
        f"{f'<h3>What to do next</h3>{steps}' if steps else ''}"
        f"{folded('Why: the style', told.for_style)}{folded('Why: side effects', told.for_effects)}"
        f'<div class="score">{"".join(bars(card))}</div>{grown(card.growth)}{figures(card)}{in_words(card)}{missed(card)}'
    )


def items(said: Sequence[str]) -> str:
    return f"<ul class='dots'>{''.join(f'<li>{text(each)}</li>' for each in said)}</ul>" if said else ""


def folded(name: str, said: Sequence[str]) -> str:
    return f"<details><summary>{text(name)}</summary>{items(said)}</details>" if said else ""


def in_words(card: ScoreCard) -> str:
    return folded("What its answers still have otherwise than yours", card.arms[-1]["traits"] if card.arms else ())  # fmt: skip


def missed(card: ScoreCard) -> str:
    """The general questions that only the base got right, with both answers."""
    rows = [(question, base, run) for question, base, run in card.missed]
    shown = table(("Question", "The base", "This run"), rows, caption="General questions that it lost")
    return f"<details><summary>General questions that it lost</summary>{shown}</details>" if rows else ""


# --- bars


def bars(card: ScoreCard) -> Iterator[str]:
    """Rows of name, interval and figure, all from 0 to 100 %."""
    votes = card.evidence.votes
    if votes.clear:
        yield bar("Preferred over the base", votes.share, "votes")
    for each in card.arms:
        if each["style"]["score"] is not None:
            style = each["style"]
            yield bar(f"Style score, {titled(each['arm'])}", Estimate(style["score"], style["low"], style["high"]), each["kind"])  # fmt: skip
    if card.experts:
        yield bar("Style score, your own answers", Estimate(**card.experts), "own")


def bar(name: str, figure: Estimate, kind: str) -> str:
    left, width = 100 * figure.low, 100 * (figure.high - figure.low)
    half = "<s></s>" if kind == "votes" else ""
    shown = f"{100 * figure.value:.0f} % [{100 * figure.low:.0f} to {100 * figure.high:.0f}]"
    return (
        f'<div><span>{text(name)}</span><span class="interval {text(kind)}" aria-hidden="true">{half}<i style="left:{left:.1f}%;width:{width:.1f}%"></i>'
        f'<u style="left:{100 * figure.value:.1f}%"></u></span><span class="num">{shown}</span></div>'
    )


# --- figures


def figures(card: ScoreCard) -> str:
    rows = [*losses(card), *counts(card)]
    shown = table(
        ("", "Base", "This run", "Change, or 95 % interval"), rows, {1, 2, 3}, "What else was measured"
    )
    return f'{shown}<p class="soft">Loss: how much a text surprises the model, in nats a token. Less is nearer.</p>'


def losses(card: ScoreCard) -> Iterator[tuple[str, ...]]:
    known = card.evidence
    for name, pair, change in (
        ("Loss on your held-out answers", card.held_out, known.held_out),
        ("Loss on general text", card.general, known.general),
    ):
        if pair:
            interval = f" [{signed(change)}]" if change else ""
            share = f"{pair[1] / pair[0] - 1:+.0%}".replace("-", "−").replace("%", " %")
            yield name, f"{pair[0]:.2f}", f"{pair[1]:.2f}", f"{share}{interval}"


def counts(card: ScoreCard) -> Iterator[tuple[str, ...]]:
    known, quiz = card.evidence, card.evidence.quiz
    if quiz:
        yield (
            f"Right answers to {quiz.asked} general questions",
            str(quiz.base),
            str(quiz.run),
            f"{quiz.lost} lost, {quiz.won} won",
        )
    if length := known.length:
        yield (
            "Words for one of yours",
            f"{known.base_length:.1f}",
            f"{length.value:.1f}",
            f"{length.low:.1f} to {length.high:.1f}",
        )
    if card.copied:
        copied = (
            f"{counted(card.copied.longest, 'word')}, {card.copied.share:.0%}".replace("%", " %")
            if card.copied.longest
            else "nothing"
        )
        yield "The most that an answer copied from your examples", "", copied, ""
    for deed in known.deeds:
        yield f"Answers that {deed.says}", str(deed.usual), f"{deed.count} of {known.answers}", ""


# --- the interval, vote by vote


def grown(stands: Sequence[Stand]) -> str:
    """How the share of votes became surer; "" before the second clear vote. Drawn twice, for wide and narrow pages."""
    if len(stands) < 2:
        return ""
    last = stands[-1]
    words = (
        f"After {last.clear} clear votes the run is preferred in {100 * last.share.value:.0f} %. Interval for this number of votes: "
        f"{100 * last.share.low:.0f} to {100 * last.share.high:.0f} %; however often one looks: {100 * last.lasting.low:.0f} to {100 * last.lasting.high:.0f} %."
    )
    drawn = "".join(
        f'<svg class="curve votes {size}" viewBox="0 0 {width} 140" role="img" aria-label="{text(words)}">'
        f"{''.join(parts(Frame(width, 140, last.clear, 0.0, 1.0, left=48), stands))}</svg>"
        for size, width in (("wide", 760), ("narrow", 340))
    )
    legend = "<span><i class='lasting'></i>however often one looks: nothing is called better on less</span><span><i class='exact'></i>for this number of votes</span>"
    return f'<h3>Preferred over the base, vote by vote</h3>{drawn}<p class="soft beside-votes">{legend}</p>'


def parts(frame: Frame, stands: Sequence[Stand]) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        y = frame.y(share)
        yield f'<path class="grid" d="M{frame.left} {y:.1f}H{frame.width - frame.right}"/>'
        yield f'<text x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{100 * share:.0f} %</text>'
    for kind, intervals in (
        ("lasting", [each.lasting for each in stands]),
        ("exact", [each.share for each in stands]),
    ):
        over = [(each.clear, one.high) for each, one in zip(stands, intervals, strict=True)]
        under = [(each.clear, one.low) for each, one in zip(stands, intervals, strict=True)]
        yield f'<path class="{kind}" d="{path(frame, [*over, *reversed(under)])}Z"/>'
    yield f'<path class="share" d="{path(frame, [(each.clear, each.share.value) for each in stands])}"/>'
    for votes, anchor in ((0, "start"), (stands[-1].clear, "end")):
        said = f"{votes} votes" if votes else "0"
        yield f'<text x="{frame.x(votes):.1f}" y="{frame.height - 4}" text-anchor="{anchor}">{said}</text>'
