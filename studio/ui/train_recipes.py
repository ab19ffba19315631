"""Kept recipes in the Train tab: take one into the plan's fields, or keep what the fields say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.errors import BadInput
from studio.core.records import Person
from studio.ui.train_plan import NAMES, changes
from studio.ui.wire import bind
from studio.work import recipes
from studio.work.studio import Studio


@dataclass(frozen=True)
class RecipePart:
    kept: gr.Dropdown
    use: gr.Button
    name: gr.Textbox
    keep: gr.Button


def lay_out() -> RecipePart:
    with gr.Row(elem_classes="recipes"):
        kept = gr.Dropdown([], value=None, label="Kept recipes", elem_id="train-recipe")
        use = gr.Button("Use", elem_id="train-recipe-use", elem_classes="fit")
        name = gr.Textbox("", label="Keep these settings as", max_lines=1, elem_id="train-recipe-name")
        keep = gr.Button("Keep", elem_id="train-recipe-keep", elem_classes="fit")
    return RecipePart(kept, use, name, keep)


def wire(studio: Studio, tab: gr.Tab, part: RecipePart, fields: list[Any]) -> None:
    """`fields`: the preset, the general examples and the settings, in the plan's order."""
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    tab.select(bind(studio, on_show), None, [part.kept], **now)
    part.use.click(bind(studio, on_use), [part.kept], fields, **now)
    part.keep.click(bind(studio, on_keep), [part.name, *fields], [part.kept, part.name], **now)


def on_show(studio: Studio, person: Person) -> Any:
    return gr.update(choices=recipes.names(studio))


def on_use(studio: Studio, person: Person, name: str | None) -> list[Any]:
    """The plan's fields as the recipe has them."""
    if not name:
        raise BadInput(
            "No recipe is chosen. Choose one from the list, or keep the present settings under a name first."
        )
    preset, own = recipes.load(studio, name)
    typed = [str(own.get(each, "auto" if each == "quantization" else "")) for each in NAMES]
    return [preset, own["general"], *typed]


def on_keep(
    studio: Studio, person: Person, name: str, preset: str, general: float, *settings: Any
) -> tuple[Any, str]:
    kept = recipes.save(studio, person, name or "", preset, **changes(general, settings))
    return gr.update(choices=recipes.names(studio), value=kept), ""
