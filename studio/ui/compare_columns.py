"""The columns of Compare: one more model beside the others, and one taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from studio.core.endpoint import ARM
from studio.core.records import Person
from studio.ui import compare_arms, compare_prompt, compare_talk, talk
from studio.ui.compare_arms import SIDES, Chosen
from studio.work.studio import Studio


def on_add(studio: Studio, person: Person, project: str, many: int, *models: str) -> Any:
    """(how many, the button, columns, models, prompts, system texts, panes) with one more side: a model that is not there yet.

    It has said nothing so far and joins at the next question; answers that are being written go on.
    """
    place = compare_arms.shown(many)
    if place == len(SIDES):
        return gr.skip()
    choices, there = compare_arms.choices(studio, project), models[:place]
    # Nothing that leaves this machine comes by itself.
    local = [value for _, value in choices if not value.startswith(ARM)]
    model = next((each for each in local if each not in there), compare_arms.BASE[1])
    prompt, _ = compare_prompt.refreshed(studio, project, "")
    given = (gr.update(visible=True), gr.update(choices=choices, value=model), prompt, compare_prompt.words(studio, project, ""), talk.pane([]))  # fmt: skip
    at_its_place = (each if side == place else gr.skip() for each in given for side in range(len(SIDES)))
    return place + 1, addable(place + 1), *at_its_place


def on_remove(
    studio: Studio, person: Person, project: str, place: int, many: int, talks: Any, *chosen: str
) -> Any:
    """As `on_add`, and what the page keeps: one side less. Those behind it move up with their conversations."""
    sides = compare_arms.chosen(many, chosen)
    told, choices = talk.checked_sides(talks, len(sides)), compare_arms.choices(studio, project)
    if place >= len(sides):
        return gr.skip()
    del sides[place], told[place]

    def moved(shown: Callable[[Chosen], Any]) -> list[Any]:
        return [shown(sides[side]) if place <= side < len(sides) else gr.skip() for side in range(len(SIDES))]

    return (
        len(sides), addable(len(sides)), *columns(len(sides)),
        *moved(lambda each: gr.update(choices=choices, value=each.model)),
        *moved(lambda each: compare_prompt.refreshed(studio, project, each.prompt)[0]),
        *moved(lambda each: gr.update(value=each.system, interactive=not each.prompt)),
        *compare_talk.drawn(told),
    )  # fmt: skip


def columns(many: int) -> list[Any]:
    return [gr.update(visible=side < many) for side in range(len(SIDES))]


def addable(many: int) -> Any:
    return gr.update(visible=many < len(SIDES))
