"""Held-out questions in Compare: the next one to ask, and one handed over from "Run on held-out" with its kept answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.errors import StudioError
from studio.core.records import Person
from studio.ui import show, talk
from studio.work import asked_before, planning
from studio.work.asked_before import Asked, Side
from studio.work.studio import Studio


@dataclass(frozen=True)
class Handed:
    """What to show: the right side's model and prompt (the left one is the base as it came), and both sides' talk."""

    model: str
    prompt: str
    systems: tuple[str, str]
    talks: list[list[talk.Turn]]


def read(studio: Studio, project: str, given: Any) -> tuple[Handed | None, Any]:
    """(what the Prompt tab has handed over, what is said of it); that is only where to look, and may not be there any more."""
    if not is_mine(given):
        return None, gr.skip()
    try:
        where = str(given["evaluation"]), int(given["number"]), int(given["arm"])
        asked = asked_before.read(studio, project, *where)
    except (TypeError, KeyError, ValueError):
        return None, show.note("This page has lost track of the question. Open it once more from the Prompt tab.", "bad")  # fmt: skip
    except StudioError as error:
        return None, show.note(str(error), "bad")
    left, right = asked.sides
    talks = [[*map(earlier, asked.earlier), turn(asked, each)] for each in asked.sides]
    return Handed(right.model, right.prompt, (left.system, right.system), talks), said(asked, right)


def is_mine(given: Any) -> bool:
    """Not what is on its way to Write: the tab may be read once more while it is left."""
    return bool(given) and not (isinstance(given, dict) and "conversation" in given)


def taken(given: Any) -> Any:
    """What is left of what was handed over."""
    return None if is_mine(given) else gr.skip()


def earlier(pair: tuple[str, str]) -> talk.Turn:
    question, answer = pair
    return {**talk.turn(question), "answer": answer}


def turn(asked: Asked, side: Side) -> talk.Turn:
    kept = {key: side.answer[key] for key in ("tokens", "seconds", "cut", "fingerprint")}
    return {**talk.turn(asked.question), "answer": side.answer["text"], **kept}


def said(asked: Asked, right: Side) -> str:
    """Where the answers come from, and what is otherwise when one goes on from here."""
    where = (
        f"Held-out question, conversation {asked.number:04}: the answers that the base and {right.title} gave when it was run. "
        "Go on with a question of your own, or ask this one again."
    )
    notes = []
    if right.examples and not right.prompt:
        notes.append(
            "Examples stood before the question then. These words are not kept under a name, so "
            "what you ask here has the system text only. Keep them in the Prompt tab to have the examples here, too."
        )
    if asked.other_base:
        notes.append(f"The base was {asked.other_base} then. What you ask now goes to the project's base.")
    own = f'<details><summary>Your own answer to it</summary><p class="said">{show.text(asked.reference)}</p></details>'
    return f'<p class="soft">{show.text(where)}</p>{own}{"".join(show.note(each, "warn") for each in notes)}'


def system(text: str, prompt: str | None) -> Any:
    """A side's system text as it was; under a kept prompt it is the prompt's, to be read only."""
    return gr.update(value=text, interactive=not prompt)


def on_next(studio: Studio, person: Person, project: str, place: int) -> tuple[str, str, int]:
    """The next held-out question, put into the box; after the last comes the first again."""
    held_out = sorted(planning.sides(studio, project).held_out, key=lambda each: each.number)
    if not held_out:
        return "", show.note("There are no held-out examples yet: write or import a few more.", "warn"), 0
    at = place % len(held_out)
    conversation = held_out[at]
    question, answer = (
        next((each.content for each in conversation.messages if each.role == role), "")
        for role in ("user", "assistant")
    )
    where = f"Held-out question {at + 1} of {len(held_out)}, conversation {conversation.number:04}: never learned from."
    own = (
        f'<details><summary>Your own answer to it</summary><p class="said">{show.text(answer)}</p></details>'
    )
    return question, f'<p class="soft">{where}</p>{own}', at + 1
