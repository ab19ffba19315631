"""A conversation with a model as the page keeps and shows it: plain turns, checked each time they come back.

The page holds the turns, not the server: they survive a restarted server, and two windows do not mix. So they are what
some page says, and are only ever put to a model or shown, escaped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from studio.core.errors import BadInput
from studio.core.records import Answer, Message
from studio.ui.show import counted, note, text
from studio.work import occupied
from studio.work.studio import Studio

Turn = dict[str, Any]  # as KEYS has it
Marked = Callable[[str], str]  # an answer -> its Markdown as HTML
TEXTS = ("question", "answer", "error", "fingerprint")
NUMBERS = ("tokens", "seconds", "cut")
KEYS = (*TEXTS, *NUMBERS)
LOST = "This page has lost track of the conversation. Press “Start again” and ask once more."
PRINT = "The fingerprint of what answered: base, adapter, prompt and sampling. Another one is another model or other words."
MOST = 200  # turns of one conversation
WRITING = "…"  # stands before an answer's first word; while the model is loaded first, the other does
LOADING = "Loading the model; the line at the top shows how far it is."
NEXT = "Another question is being answered first."
LENGTH = 200_000  # characters of one turn
PAUSE = 0.1  # seconds between two drawings of an answer that is being written: the whole conversation is drawn each time


def checked(given: object) -> list[Turn]:
    """The turns that a page sent back. Raises BadInput for anything else."""
    turns = given if given is not None else []
    if not isinstance(turns, list) or len(turns) > MOST or not all(map(is_turn, turns)):
        raise BadInput(LOST)
    return [{key: each[key] for key in KEYS} for each in turns]


def checked_sides(given: object, sides: int) -> list[list[Turn]]:
    """The conversations of so many sides; empty ones for those that joined since. Raises BadInput as `checked` does."""
    talks = given or []
    if not isinstance(talks, list):
        raise BadInput(LOST)
    return [checked(each) for each in [*talks, *[[]] * sides][:sides]]


def is_turn(each: object) -> bool:
    return (
        isinstance(each, dict)
        and all(isinstance(each.get(key), str) and len(each[key]) <= LENGTH for key in TEXTS)
        and all(isinstance(each.get(key), int | float) for key in NUMBERS)
    )


def messages(turns: Sequence[Turn]) -> tuple[Message, ...]:
    """The turns as a model's history. A turn whose answer was stopped before its first word, or broke off, is left out."""
    asked = [each for each in turns if each["answer"].strip() and not each["error"]]
    return tuple(
        message
        for each in asked
        for message in (Message("user", each["question"]), Message("assistant", each["answer"]))
    )


def turn(question: str, answer: Answer | None = None) -> Turn:
    if answer is None:
        answer = Answer("", 0, 0.0, False, "")
    return {
        "question": question,
        "answer": answer.text,
        "tokens": answer.tokens,
        "seconds": round(answer.seconds, 1),
        "cut": answer.cut,
        "error": answer.error,
        "fingerprint": answer.fingerprint,
    }


def waiting(studio: Studio) -> str:
    """What stands in an answer's place before its first word."""
    going = occupied.training(studio)
    slower = f" {going}, so this takes longer." if going else ""
    if studio.engine.answering_now():
        return NEXT + slower
    return (WRITING if studio.engine.loaded() else LOADING) + slower


def pane(turns: Sequence[Turn], waiting: str = "", marked: Marked | None = None) -> str:
    """The turns as HTML, white space kept. `waiting` stands for the last answer while it has no word; "" if it is over.

    With `marked` each answer stands there once more, as Markdown; the stylesheet shows one of the two.
    """
    if not turns:
        return '<p class="soft">Nothing asked yet.</p>'
    last = len(turns) - 1
    drawn = (
        said(each, waiting if place == last else "", marked(each["answer"]) if marked else "")
        for place, each in enumerate(turns)
    )
    return f'<div class="talk">{"".join(drawn)}</div>'


def said(each: Turn, waiting: str, marked: str) -> str:
    if each["error"]:
        return broken(each)
    answer = text(each["answer"]) or f'<span class="soft">{text(waiting or "No answer.")}</span>'
    whose = '<span class="unseen">Answer: </span>'
    ended = (
        ", cut off there: “How the answers are made” allows longer ones"
        if each["cut"] and not waiting
        else ""
    )
    print_of = f' <span title="{PRINT}">{text(each["fingerprint"])}</span>' if each["fingerprint"] else ""
    pace = f"{counted(each['tokens'], 'token')} in {each['seconds']:.1f} s{ended}{print_of}"
    again = f'<div class="marked">{whose}{marked}</div>' if marked else ""
    return (
        f'<p class="said you"><span class="unseen">You: </span>{text(each["question"])}</p>'
        f'<p class="said">{whose}{answer}</p>{again}<p class="pace num">{pace}</p>'
    )


def broken(each: Turn) -> str:
    """A turn that was not answered: why, and what came before that, which is no answer."""
    began = f'<p class="said soft">{text(each["answer"])}</p>' if each["answer"] else ""
    asked = f'<p class="said you"><span class="unseen">You: </span>{text(each["question"])}</p>'
    return f"{asked}{began}{note(each['error'], 'bad')}"


Sofar = TypeVar("Sofar")


def paced(
    ask: Callable[[Callable[[], bool]], Iterator[Sofar]],
    done: Callable[[Sofar], bool],
    left: Callable[[], bool],
) -> Iterator[Sofar]:
    """Ask, and yield what is answered so far as often as a page can draw it.

    `ask` is given what it has to look at after each token: whether to stop. The model stops when nobody listens any more,
    because the answer was `left()` or the page closed.
    """
    closed: list[bool] = []
    last = 0.0
    answers = ask(lambda: bool(closed) or left())
    try:
        for each in answers:
            if time.monotonic() - last >= PAUSE or done(each):
                last = time.monotonic()
                yield each
    finally:
        closed.append(True)
        answers.close()  # type: ignore[attr-defined]
