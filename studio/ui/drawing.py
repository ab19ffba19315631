"""How answers are made: the settings that Compare and Prompt share, folded away until somebody wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.records import Sampling

LONGEST = 1024  # tokens that a person may ask for
VARIED = 0.8  # the temperature when answers may vary


@dataclass(frozen=True)
class Drawing:
    """Give `inputs` to an event; `sampling` makes of their values how the answer is drawn."""

    longest: gr.Slider
    vary: gr.Checkbox
    seed: gr.Number

    @property
    def inputs(self) -> list[Any]:
        return [self.longest, self.vary, self.seed]


def lay_out(tab: str) -> Drawing:
    """Lay the settings out; `tab` begins their names for tests and styles."""
    with gr.Accordion("How the answers are made", open=False, elem_id=f"{tab}-drawing"):
        longest = gr.Slider(
            16, LONGEST, Sampling().max_tokens, step=16, label="Longest answer (tokens)", buttons=[],
            elem_id=f"{tab}-longest", info="A token is about three quarters of a word. A longer answer is cut off there.",
        )  # fmt: skip
        vary = gr.Checkbox(
            False, label="Vary the answers", container=False, elem_id=f"{tab}-vary",
            info="Otherwise each word is the likeliest one, and the same question gets the same answer.",
        )  # fmt: skip
        seed = gr.Number(
            0, label="Seed", info="The same seed varies the same way.", precision=0, visible=False,
            elem_id=f"{tab}-seed",
        )  # fmt: skip
    vary.change(lambda vary: gr.update(visible=vary), vary, seed, queue=False, show_progress="hidden")
    return Drawing(longest, vary, seed)


def sampling(longest: float | None, vary: bool, seed: float | None) -> Sampling:
    """The likeliest answer, or a drawn one that `seed` makes repeatable. What lies outside the limits is brought inside."""
    most = min(LONGEST, max(1, int(longest or Sampling().max_tokens)))
    return Sampling(most, VARIED if vary else 0.0, seed=max(0, int(seed or 0)))
