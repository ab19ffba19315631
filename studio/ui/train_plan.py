"""What the Train tab does about the plan: count what a run would do, and choose the base model under it."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import fields
from typing import Any

import gradio as gr

from studio.core.errors import BadInput, BadRecipe, StudioError
from studio.core.recipe import PRESET_HELP, Recipe, plain
from studio.core.records import Person
from studio.ui import need, show, show_plan
from studio.work import models, planning
from studio.work.studio import Studio

GROUPING = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
NO_PLAN = '<p class="soft">There is no plan yet.</p>'
NAMES = tuple(each.name for each in fields(Recipe) if each.name != "general")


def changes(general: float, settings: tuple[Any, ...]) -> dict[str, Any]:
    """What a person set otherwise than the preset; an empty field is no wish."""
    typed = {name: str(value or "").strip() for name, value in zip(NAMES, settings, strict=True)}
    return {"general": float(general), **{name: number(text) for name, text in typed.items() if text}}


def number(typed: str) -> int | float | str:
    """What was typed, as a number; as it is where it is none, for the recipe to refuse in its own words.

    A comma groups thousands, as in the ranges beside the fields; "2,5" is no number, and not twenty-five.
    """
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(GROUPING.sub("", typed))
    return typed


def on_plan(
    studio: Studio,
    person: Person,
    project: str,
    preset: str,
    general: float,
    *settings: Any,
) -> tuple[Any, ...]:
    """The plan's components as they should stand now; what hinders the training is said there, not in a toast."""
    help = f'<p class="soft">{show.text(PRESET_HELP.get(preset, ""))}</p>'
    try:
        base = models.base(studio, project)
        planned = planning.plan(studio, project, preset, **changes(general, settings))
    except StudioError as error:
        said = show.note(str(error), "bad")
        start, measure = gr.update(interactive=False), gr.update(visible=False)
        # Who types a number passes through some that are none: the plan stays there, else the page would jump.
        figures = gr.skip() if isinstance(error, BadRecipe) else NO_PLAN
        return figures, help, said, "", gr.skip(), start, measure, str(error), (), *unchanged()
    said = "".join([show.note(planned.obstacle, "warn"), *(show.note(each) for each in planned.advice)])
    ready = not planned.obstacle
    return (
        show_plan.plan(planned), help, said, show_plan.left_out(planned.sides.left_out), base_said(studio, base),
        gr.update(interactive=ready), gr.update(visible=ready and bool(base.path) and planned.seconds is None), planned.obstacle, (planned.learned, planned.held_out, base.id), *grey(planned.recipe),
    )  # fmt: skip


def on_nudge(studio: Studio, person: Person) -> str:
    """Something new each time: whoever sees it change makes the plan anew."""
    return str(time.time_ns())


def base_said(studio: Studio, base: models.Base) -> str:
    short = "It needs more memory than this machine has. Choose a smaller one below."
    return show_plan.base_line(base) + (
        show.note(short, "warn") if models.fits(studio, base) is False else ""
    )


def grey(recipe: Recipe) -> list[Any]:
    """Each empty field shows, in grey, what it would be."""
    return [
        gr.skip() if name == "quantization" else gr.update(placeholder=plain(getattr(recipe, name)))
        for name in NAMES
    ]


def unchanged() -> list[Any]:
    return [gr.skip() for _ in NAMES]


def on_base(studio: Studio, person: Person, project: str, id: str | None) -> tuple[Any, ...]:
    """Put the project on another base model."""
    if not (id or "").strip():
        raise BadInput("No base model is chosen. Choose one from the list, or type a folder or a name.")
    models.choose(studio, person, project, str(id).strip())
    return need.on_watch(studio, person, project)
