"""Asking in Compare: one message to every model that is shown, all answers growing at once, each in its own conversation."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from studio.core.errors import BadInput
from studio.core.records import Answer, Arm, Message, Person, Sampling
from studio.ui import compare_arms, compare_prompt, drawing, markdown, talk
from studio.ui.asking import Left
from studio.ui.compare_arms import SIDES, Chosen
from studio.work import comparing, prompting
from studio.work.studio import Studio

Talks = list[list[talk.Turn]]


def on_ask(
    studio: Studio,
    person: Person,
    left: Left,
    project: str,
    message: str | None,
    many: int,
    talks: Any,
    longest: float | None,
    vary: bool,
    seed: float | None,
    *chosen: str | None,
) -> Generator[tuple[Any, ...]]:
    """Put one message to every side that is shown and yield their conversations as the answers grow."""
    sides, question = compare_arms.chosen(many, chosen), message or ""
    before = talk.checked_sides(talks, len(sides))
    try:
        yield from answered(studio, left, project, sides, before, question, drawing.sampling(longest, vary, seed), "")  # fmt: skip
    except Exception:
        yield *drawn(before), question  # the question goes back to where it can be sent again
        raise


def on_retry(
    studio: Studio,
    person: Person,
    left: Left,
    project: str,
    many: int,
    talks: Any,
    longest: float | None,
    vary: bool,
    seed: float | None,
    *chosen: str | None,
) -> Generator[tuple[Any, ...]]:
    """The last question once more, new answers in the place of the last ones; where answers vary, with the next seed."""
    sides = compare_arms.chosen(many, chosen)
    told, old = talk.checked_sides(talks, len(sides)), int(seed or 0)
    question, before = taken_back(told)
    if not question:
        raise BadInput("Nothing was asked yet. Write a question and send it.")
    new = old + 1 if vary else old
    try:
        yield from answered(studio, left, project, sides, before, question, drawing.sampling(longest, vary, new), new)  # fmt: skip
    except Exception:
        yield *drawn(told), old  # the answers that were there
        raise


def answered(
    studio: Studio,
    left: Left,
    project: str,
    sides: Sequence[Chosen],
    before: Talks,
    question: str,
    sampling: Sampling,
    beside: Any,
) -> Generator[tuple[Any, ...]]:
    """Each drawing of the panes while the question is answered. `beside` goes with the first: what is typed after it stays."""
    histories, marked = [talk.messages(each) for each in before], markdown.reader()

    def ask(stopping: Callable[[], bool]) -> Iterator[tuple[Answer, ...]]:
        arms = [
            side_arm(studio, project, side, history, question, sampling)
            for side, history in zip(sides, histories, strict=True)
        ]
        return comparing.ask(studio, project, arms, histories, question, sampling, stopping)

    if question.strip():
        begun = [[*each, talk.turn(question)] for each in before]
        yield *drawn(begun, talk.waiting(studio), marked), beside
    for answers in talk.paced(ask, is_over, left):
        now = [[*each, talk.turn(question, answer)] for each, answer in zip(before, answers, strict=True)]
        yield *drawn(now, "" if is_over(answers) else talk.WRITING, marked), gr.skip()


def is_over(answers: Sequence[Answer]) -> bool:
    return all(each.done for each in answers)


def side_arm(
    studio: Studio,
    project: str,
    side: Chosen,
    history: Sequence[Message],
    question: str,
    sampling: Sampling,
) -> Arm:
    """A side's model under its kept prompt, with the examples for this question, or under the system text in its box."""
    arm = comparing.arm(studio, project, compare_prompt.arm_name(side.model, side.prompt), anywhere=True)
    if not arm.prompt:
        return replace(arm, system=side.system)
    return prompting.under(studio, project, arm, history, question, sampling).arm


def drawn(talks: Talks, waiting: str = "", marked: talk.Marked | None = None) -> tuple[Any, ...]:
    """(every side's pane, what the page keeps); a side that these talks are not of stays as it is."""
    marked = marked or markdown.reader()
    panes = [talk.pane(each, waiting, marked) for each in talks]
    return *panes, *[gr.skip()] * (len(SIDES) - len(panes)), talks


def on_stop(studio: Studio, person: Person, talks: Any) -> tuple[Any, ...]:
    """The conversations as they stand."""
    return drawn(held(talks))


def on_last(studio: Studio, person: Person, talks: Any, message: str | None) -> tuple[Any, ...]:
    """The last question back in the box, to be changed and sent once more, and what was answered to it gone."""
    question, before = taken_back(held(talks))
    return *drawn(before), question or message or ""


def on_again(studio: Studio, person: Person) -> tuple[Any, ...]:
    return emptied()


def on_chosen(studio: Studio, person: Person, side: int, talks: Any) -> tuple[Any, ...]:
    """A side has another model or prompt: all begin anew, so that they go on telling of the same. One that has only just
    joined has nothing to forget."""
    told = held(talks)
    return emptied() if told[side] else (*drawn(told), gr.skip())


def emptied() -> tuple[Any, ...]:
    """Conversations that have not begun, and that no held-out question was asked."""
    return *drawn(held([])), ""


def held(talks: Any) -> Talks:
    """All sides' conversations, as the page holds them."""
    return talk.checked_sides(talks, len(SIDES))


def taken_back(talks: Talks) -> tuple[str, Talks]:
    """(the last question, the conversations before it); "" where nothing was asked."""
    question = next((each[-1]["question"] for each in talks if each), "")
    return question, [each[:-1] if each and each[-1]["question"] == question else each for each in talks]
