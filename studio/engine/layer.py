"""A Llama-type layer in three autograd functions, which keep for the backward only what is dear to compute again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd import Function
from torch.utils.checkpoint import checkpoint

from studio.engine.attention import Attend
from studio.engine.elementwise import (
    Norm,
    Rotary,
    activated,
    normalised,
    scaled,
    through_activation,
    through_norm,
)
from studio.engine.lora import Linears, LoraLinear


@dataclass(frozen=True)
class Gain:
    """A root mean square norm with its frozen gain; the gain is what x is multiplied with, as such."""

    gain: torch.Tensor
    eps: float


class NormedLinears(Function):
    """Norm, then several LoRA linears of its output: rows [T, width] to one [T, out] each."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, norm: Gain, linears: Linears, *adapters: torch.Tensor) -> Any:
        normal, factor = normalised(rows, norm.eps)
        a, b = linears.lowered(adapters, rows.dtype)
        middle, outs = linears.forward(scaled(normal, norm.gain), a, b)
        ctx.save_for_backward(normal, factor, middle, a, *b)
        ctx.norm, ctx.linears = norm, linears
        return tuple(outs)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        normal, factor, middle, a, *b = ctx.saved_tensors
        inputs, wanted = scaled(normal, ctx.norm.gain), ctx.needs_input_grad[0]
        to_inputs, to_adapters = ctx.linears.backward(inputs, middle, a, b, grads, wanted)
        to_rows = through_norm(scaled(to_inputs, ctx.norm.gain), normal, factor) if wanted else None
        return to_rows, None, None, *to_adapters


@dataclass(frozen=True)
class Mlp:
    """The frozen part of a gated feed-forward: gate and up read the normed rows, down what they make together."""

    norm: Gain
    pair: Linears
    down: Linears
    kind: str  # of activation, "silu" or "gelu"


class GatedMlp(Function):
    """rows + down(activation(gate(norm(rows))) * up(norm(rows))), rows [T, width]. Adapters: those of the pair, then of down."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, mlp: Mlp, *adapters: torch.Tensor) -> torch.Tensor:
        normal, factor = normalised(rows, mlp.norm.eps)
        a, b = mlp.pair.lowered(adapters[:4], rows.dtype)
        middle, (gate, up) = mlp.pair.forward(scaled(normal, mlp.norm.gain), a, b)
        a_down, b_down = mlp.down.lowered(adapters[4:], rows.dtype)
        middle_down, (out,) = mlp.down.forward(activated(gate, mlp.kind).mul_(up), a_down, b_down)
        ctx.save_for_backward(normal, factor, middle, gate, up, middle_down, a, *b, a_down, *b_down)
        ctx.mlp = mlp
        return out.add_(rows)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        normal, factor, middle, gate, up, middle_down, a, b_gate, b_up, a_down, b_down = ctx.saved_tensors
        mlp, active = ctx.mlp, activated(gate, ctx.mlp.kind)
        to_product, to_down = mlp.down.backward(active * up, middle_down, a_down, [b_down], grads, True)
        to_up = active.mul_(to_product)
        to_gate = through_activation(to_product.mul_(up), gate, mlp.kind)
        inputs, wanted = scaled(normal, mlp.norm.gain), ctx.needs_input_grad[0]
        to_inputs, to_pair = mlp.pair.backward(inputs, middle, a, [b_gate, b_up], [to_gate, to_up], wanted)
        to_rows = None
        if wanted:
            to_rows = through_norm(scaled(to_inputs, mlp.norm.gain), normal, factor).add_(grads[0])
        return to_rows, None, *to_pair, *to_down


@dataclass(frozen=True)
class Layer:
    """One decoder layer. Each list of adapters is A, A, .. B, B, .. of the linears beside it."""

    norm: Gain
    attention: Linears  # query, key, value
    attention_adapters: list[torch.Tensor]
    query_norm: Gain | None
    key_norm: Gain | None
    width: int  # of a head
    scale: float
    out: Linears
    out_adapters: list[torch.Tensor]
    mlp: Mlp
    mlp_adapters: list[torch.Tensor]
    attend: Attend

    def forward(self, rows: torch.Tensor, angles: Any, lengths: tuple[int, ...], shared: int) -> torch.Tensor:
        """rows: [T, width of the model]; angles: cos and sin, each [T, 1, width of a head]."""
        made = NormedLinears.apply(rows, self.norm, self.attention, *self.attention_adapters)
        query, key, value = (each.view(len(rows), -1, self.width) for each in made)
        query = Rotary.apply(per_head(query, self.query_norm), *angles)
        key = Rotary.apply(per_head(key, self.key_norm), *angles)
        attended = self.attend(query, key, value, lengths, shared, self.scale).view(len(rows), -1)
        rows = rows + LoraLinear.apply(attended, self.out, *self.out_adapters)
        return GatedMlp.apply(rows, self.mlp, *self.mlp_adapters)


def per_head(heads: torch.Tensor, norm: Gain | None) -> torch.Tensor:
    return heads if norm is None else Norm.apply(heads, norm.gain, norm.eps)


def as_transformers_calls_it(layer: Layer, module: Any) -> Callable[..., torch.Tensor]:
    """The forward of the decoder layer `module`. transformers wraps checkpointing around the forward that this replaces."""

    def forward(hidden_states: torch.Tensor, *_: Any, position_embeddings: Any, lengths: Any, shared: int, **__: Any) -> torch.Tensor:  # fmt: skip
        cos, sin = (each[0][:, None] for each in position_embeddings)
        row = (hidden_states[0], (cos, sin), lengths, shared)
        if module.gradient_checkpointing and module.training:
            again: torch.Tensor = checkpoint(layer.forward, *row, use_reentrant=False)
            return again[None]
        return layer.forward(*row)[None]

    return forward
