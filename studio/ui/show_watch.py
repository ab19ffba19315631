"""The watch-prompts of a run as the Train tab displays them: what the model answered as it learned."""

from __future__ import annotations

from collections.abc import Sequence

from studio.core.course import Course
from studio.ui.show import text


def timeline(questions: Sequence[str], told: Course) -> str:
    """Each question with the base's answer beside the newest, and the ones between folded away; "" before the first."""
    if not questions or not told.watched:
        return ""
    asked = "".join(one(question, at, told) for at, question in enumerate(questions))
    return f'<section class="watch"><h3>What it would answer</h3>{asked}</section>'


def one(question: str, at: int, told: Course) -> str:
    first, *later = [(update, answers[at]) for update, answers in told.watched]
    newest = later[-1] if later else None
    best = told.best[0] if told.best else None
    shown = answer("Base", first[1]) + (answer(after(newest[0], best), newest[1]) if newest else "")
    between = "".join(answer(after(update, best), said) for update, said in later[:-1])
    folded = f"<details><summary>On the way there</summary>{between}</details>" if between else ""
    return f'<article><p class="asked">{text(question)}</p><div class="two">{shown}</div>{folded}</article>'


def after(update: int, best: int | None) -> str:
    return f"After {update:,} updates{', the best' if update == best else ''}"


def answer(who: str, said: str) -> str:
    return f'<div class="said"><span class="soft num">{text(who)}</span><p class="text">{text(said) or "(nothing)"}</p></div>'
