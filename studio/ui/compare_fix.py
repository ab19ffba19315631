"""“Fix this answer” in Compare: sends an answer to Write, and leads there."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.core.errors import BadInput
from studio.core.judging import titled
from studio.core.records import Person
from studio.ui import compare_prompt, talk
from studio.ui.show import counted
from studio.work import fixing
from studio.work.fixing import Sent
from studio.work.studio import Studio


def on_fix(
    studio: Studio, person: Person, project: str, side: int, talks: Any, *chosen: str
) -> tuple[Any, Any]:
    """(what Write is to open, the tab): one side's last answer as a draft. `chosen`: every side's model, then its prompt."""
    sides = len(chosen) // 2
    said = talk.checked_sides(talks, sides)[side]
    if said and said[-1]["error"]:
        raise BadInput("This side has not answered the last question. Ask it once more, then fix the answer.")
    turns = talk.messages(said)
    arm = compare_prompt.arm_name(chosen[side], chosen[sides + side])
    return handed(fixing.answer(studio, person, project, arm, turns)), gr.update(selected="write")


def handed(sent: Sent) -> dict[str, Any]:
    return {"conversation": sent.conversation.id, "own": sent.own}


def on_leave(studio: Studio, person: Person, event: gr.EventData) -> tuple[Any, Any]:
    """From the judging card to what was sent to Write."""
    return {"conversation": str(event.conversation), "own": event.own is True}, gr.update(selected="write")


def on_fix_round(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """One side of a round whose vote stands."""
    side = str(given["side"])
    sent = fixing.of_round(studio, person, str(given["project"]), str(given["round"]), side)
    number = f"{sent.conversation.number:04}"
    if sent.own:
        said = f"The question is held-out conversation {number}'s, which was tagged “{fixing.TAG}”: read your own answer there, and write another like it."
    else:
        said = f"The {side} answer is a draft in Write, conversation {number}."
    return {"said": said, **handed(sent)}


def on_send_lost(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """All that an arm lost against another."""
    arms = (str(given[each]) for each in ("one", "two", "arm"))
    sent = fixing.send_lost(studio, person, str(given["project"]), *arms)
    if not sent:
        return {"said": "All of them are in Write already."}
    own = sum(each.own for each in sent)
    parts = [f"{counted(len(sent) - own, 'draft')} to mend"] if len(sent) > own else []
    if own:
        parts.append(f"{counted(own, 'held-out conversation')}, to write others like them")
    said = f"Tagged “{fixing.TAG}” in Write now: {' and '.join(parts)}."
    return {"said": said, **handed(sent[0])}


def offers(studio: Studio, project: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """For each pair of arms, what can be sent to Write of it."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (pair, arm), fixes in fixing.lost(studio, project).items():
        label = f"Send the questions that {titled(arm)} lost, or where both were bad, to Write ({len(fixes)})"
        offer = {"one": pair[0], "two": pair[1], "arm": arm, "label": label}
        found.setdefault(pair, []).extend([offer] if fixes else [])
    return found
