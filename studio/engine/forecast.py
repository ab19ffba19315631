"""How much memory a training step will take, told before it is taken, from the model's shape and the row's tokens.

What a step keeps for its backward grows with the row; the largest row that fits is taken, and where not even the longest
conversation fits, the layers are computed again in the backward (checkpointing), which costs a third of the speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.core.steps import ROW
from studio.engine.attention import KEPT
from studio.engine.head import CHUNK

ROOM = (
    0.7  # of the memory that is free once the model is loaded: other programs and the allocator need the rest
)
LITTLE = (
    256  # tokens; rows below this keep the cores waiting for memory, so checkpointing is the better saving
)
# Numbers kept a token and layer, as multiples of those that the fused layers keep. The first two are measured
# (tests/engine/test_forecast.py); the last is an estimate on the safe side.
FUSED, NEUTRAL, PLAIN = 1.0, 2.2, 3.5


@dataclass(frozen=True)
class Shape:
    """Of a decoder. `number` is the bytes of one number of its states, 2 or 4."""

    layers: int
    width: int
    inner: int
    heads: int
    key_heads: int
    head_width: int
    vocabulary: int
    number: int


def shape(model: Any) -> Shape:
    """Raises AttributeError where the configuration does not name what nearly all name."""
    config = model.config.get_text_config()
    heads = config.num_attention_heads
    return Shape(
        config.num_hidden_layers,
        config.hidden_size,
        getattr(config, "intermediate_size", None) or 4 * config.hidden_size,
        heads,
        getattr(config, "num_key_value_heads", None) or heads,
        getattr(config, "head_dim", None) or config.hidden_size // heads,
        config.vocab_size,
        model.dtype.itemsize,
    )


def kept_by_layers(shape: Shape, tokens: int, longest: int, form: float) -> int:
    """Bytes kept for the backward by all layers for a row of `tokens` whose conversations have up to `longest`."""
    attention = (
        2 * (shape.heads + shape.key_heads) * shape.head_width
    )  # query and what is attended; key and value
    numbers = form * (2 * shape.width + attention + 2 * shape.inner)
    chances = shape.heads * min(longest, KEPT if form < PLAIN else longest)
    return round(shape.layers * tokens * shape.number * (numbers + chances))


def step(shape: Shape, tokens: int, longest: int, form: float, again: bool) -> int:
    """Bytes of one step on top of the loaded model; `again` with the layers computed again in the backward."""
    head = CHUNK * shape.vocabulary * (4 + shape.number)
    if form >= PLAIN:
        head = 3 * 4 * tokens * shape.vocabulary  # scores of all positions, their chances, and the gradient
    kept = kept_by_layers(shape, tokens, longest, form)
    if again:
        kept = kept // shape.layers + shape.layers * tokens * shape.width * shape.number
    passing = (
        4 * tokens * (shape.inner + shape.width) * shape.number
    )  # what one layer's backward holds meanwhile
    return kept + head + passing


@dataclass(frozen=True)
class Plan:
    """`row` in tokens; `again`: layers are computed again in the backward; `keep`: 4-bit weights are made whole once."""

    row: int
    again: bool
    keep: bool
    needed: int  # bytes of a step
    token: int  # bytes of it that one more token in the row takes

    def told(self, whole: int) -> str:
        """A sentence's part; `whole` is what the 4-bit weights take when made whole, 0 where there are none."""
        parts = [f"rows of up to {self.row:,} tokens, about {self.needed / 2**30:.1f} GB a step"]
        if whole:
            kept = f"kept whole ({whole / 2**30:.1f} GB)" if self.keep else "made whole at each use"
            parts.append(f"4-bit weights {kept}")
        if self.again:
            parts.append("layers computed again in the backward, as memory is short")
        return "; ".join(parts)


def plan(shape: Shape, longest: int, form: float, available: int, whole: int) -> Plan:
    """Fit a step into `available` bytes. Whole weights come last: they save a tenth of the time, a larger row saves more."""
    room = round(ROOM * available)
    for again in (False, True):
        row = largest(shape, longest, form, room, again)
        needed = step(shape, row, longest, form, again)
        if needed <= room:
            break
    return Plan(
        row, again, not again and 0 < whole <= room - needed, needed, a_token(shape, longest, form, again)
    )


def largest(shape: Shape, longest: int, form: float, room: int, again: bool) -> int:
    """The most tokens up to ROW whose step fits, but no fewer than the longest conversation, or LITTLE, has."""
    least = max(longest, min(LITTLE, ROW))
    fixed = step(shape, 0, longest, form, again)
    return max(least, min(ROW, (room - fixed) // max(1, a_token(shape, longest, form, again))))


def a_token(shape: Shape, longest: int, form: float, again: bool) -> int:
    """Bytes that one more token in the row takes."""
    return step(shape, 2, longest, form, again) - step(shape, 1, longest, form, again)
