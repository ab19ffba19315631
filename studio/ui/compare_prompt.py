"""Kept prompts in the Compare tab: either side may stand under one, with the examples that it shows."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.core.errors import NotFound
from studio.core.records import Person
from studio.work import prompts, writing
from studio.work.studio import Studio

OWN = ("None, the system text below", "")


def lay_out(name: str) -> gr.Dropdown:
    return gr.Dropdown(
        [OWN],
        value="",
        label=f"Prompt of the {name} model",
        filterable=False,
        min_width=200,
        elem_id=f"compare-{name}-prompt",
    )


def known(studio: Studio, project: str, chosen: str = "") -> list[tuple[str, str]]:
    """The newest version of each prompt, and the chosen one, as what `comparing.arm` reads after "prompt:"."""
    found = prompts.all_of(studio, project)
    with contextlib.suppress(NotFound):
        found += [each for each in [prompts.called(studio, project, chosen)] if chosen and each not in found]
    return [OWN, *((f"{each.name}, version {each.version}", f"{each.name}@{each.version}") for each in found)]


def refreshed(studio: Studio, project: str, chosen: str | None) -> tuple[Any, Any]:
    """(the choice as it is now, the system text where what was chosen is not there any more)"""
    choices = known(studio, project, chosen or "")
    there = (chosen or "") in {value for _, value in choices}
    value = (chosen or "") if there else ""
    return gr.update(choices=choices, value=value), gr.skip() if there else words(studio, project, "")


def of_sides(studio: Studio, project: str, chosen: Sequence[str], mine: bool) -> tuple[list[Any], list[Any]]:
    """Every side's choice and system text; not `mine`: what was chosen was chosen in another project."""
    if not mine:
        begun = refreshed(studio, project, "")[0], words(studio, project, "")
        return [begun[0] for _ in chosen], [begun[1] for _ in chosen]
    pairs = [refreshed(studio, project, each) for each in chosen]
    return [each for each, _ in pairs], [each for _, each in pairs]


def on_prompt(studio: Studio, person: Person, project: str, chosen: str | None) -> Any:
    """The system text under a prompt is the prompt's own, to be read; without one it is the project's, to be changed."""
    return words(studio, project, chosen or "")


def words(studio: Studio, project: str, chosen: str) -> Any:
    text = prompts.called(studio, project, chosen).system if chosen else writing.by_id(studio, project).system
    return gr.update(value=text, interactive=not chosen)


def arm_name(model: str, chosen: str | None) -> str:
    return f"{model}+prompt:{chosen}" if chosen else model
