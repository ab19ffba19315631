"""Linears with their adapters, in a fast form: one or several that read the same input, as one function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd import Function
from torch.nn.functional import linear

ADAPTER = "default"
Weight = Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Linears:
    """The frozen part of `count` linears that read the same input: weights [out, in], biases, LoRA scale and rank."""

    weights: tuple[Weight, ...]
    biases: tuple[torch.Tensor | None, ...]
    scale: float
    rank: int

    @property
    def count(self) -> int:
        return len(self.weights)

    def lowered(self, adapters: Sequence[torch.Tensor], dtype: torch.dtype) -> tuple[Any, list[Any]]:
        """The A matrices under each other and each B with the scale in it, in `dtype`; given as A, A, .. B, B, .."""
        a, b = adapters[: self.count], adapters[self.count :]
        return torch.cat(list(a)).to(dtype), [(each * self.scale).to(dtype) for each in b]

    def forward(self, rows: torch.Tensor, a: torch.Tensor, b: Sequence[torch.Tensor]) -> tuple[Any, list[Any]]:  # fmt: skip
        """x A' of all of them side by side [T, count * rank], and each y = x W' + (x A') B'."""
        middle, outs = rows @ a.t(), []
        for place, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            out = linear(rows, weight(), bias)
            outs.append(out.addmm_(self.part(middle, place), b[place].t()))
        return middle, outs

    def backward(
        self,
        rows: torch.Tensor,
        middle: torch.Tensor,
        a: torch.Tensor,
        b: Sequence[torch.Tensor],
        grads: Sequence[torch.Tensor],
        to_input: bool,
    ) -> tuple[torch.Tensor | None, list[torch.Tensor]]:
        """The gradient of the input, if it is asked for, and those of A, A, .. B, B, .. in fp32."""
        to_middle = torch.empty_like(middle)
        to_b, to_rows = [], None
        for place, grad in enumerate(grads):
            self.part(to_middle, place).copy_(grad @ b[place])
            to_b.append((grad.t() @ self.part(middle, place)).float().mul_(self.scale))
            if to_input:
                whole = self.weights[place]()
                to_rows = grad @ whole if to_rows is None else to_rows.addmm_(grad, whole)
        if to_rows is not None:
            to_rows.addmm_(to_middle, a)
        to_a = (to_middle.t() @ rows).float().split(self.rank)
        return to_rows, [*to_a, *to_b]

    def part(self, middle: torch.Tensor, place: int) -> torch.Tensor:
        return middle[:, place * self.rank : (place + 1) * self.rank]


class LoraLinear(Function):
    """y = x W' + bias + s (x A') B' of a single linear, computed in x's precision with A and B kept in fp32.

    PEFT's own form casts every input to fp32 for A and B, and bitsandbytes' 4-bit product on the CPU handles one row at
    a time. Here W is made whole (`Linears.weights` are functions) and everything runs in bf16 products.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, linears: Linears, *adapters: torch.Tensor) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1])
        a, b = linears.lowered(adapters, x.dtype)
        middle, (out,) = linears.forward(rows, a, b)
        ctx.save_for_backward(rows, middle, a, *b)
        ctx.linears, ctx.shape = linears, x.shape
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        rows, middle, a, *b = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1])
        to_x, to_adapters = ctx.linears.backward(rows, middle, a, b, [grad], ctx.needs_input_grad[0])
        return None if to_x is None else to_x.view(ctx.shape), None, *to_adapters


def grouped(layers: Sequence[Any], dtype: torch.dtype, keep: bool = False) -> tuple[Linears, list[Any]]:
    """LoRA linears of PEFT that read the same input, as `Linears` and their adapters A, A, .. B, B, .."""
    bases = [each.get_base_layer() for each in layers]
    frozen = Linears(
        tuple(whole_weight(each, dtype, keep) for each in bases),
        tuple(each.bias for each in bases),
        layers[0].scaling[ADAPTER],
        layers[0].r[ADAPTER],
    )
    adapters = [each.lora_A[ADAPTER].weight for each in layers]
    return frozen, adapters + [each.lora_B[ADAPTER].weight for each in layers]


def whole_weight(layer: Any, dtype: torch.dtype, keep: bool = False) -> Weight:
    """A function that gives a layer's weight in `dtype`: as it is, or out of its 4 bits, once (`keep`) or at each use."""
    state = getattr(layer.weight, "quant_state", None)
    if state is None:
        return lambda: layer.weight
    from bitsandbytes.functional import dequantize_4bit

    def whole() -> torch.Tensor:
        return dequantize_4bit(layer.weight.data, state).to(dtype)

    if not keep:
        return whole
    kept = whole()
    return lambda: kept


def fuse_lora(model: Any, keep: bool = False) -> int:
    """Give every LoRA linear of a PEFT model the fused form; returns how many."""
    layers = lora_layers(model)
    for layer in layers:
        layer.forward = fused(layer, model.get_base_model().dtype, keep)
    return len(layers)


def fused(layer: Any, dtype: torch.dtype, keep: bool) -> Callable[..., torch.Tensor]:
    linears, adapters = grouped([layer], dtype, keep)

    def forward(x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        y: torch.Tensor = LoraLinear.apply(x, linears, *adapters)
        return y

    return forward


def lora_layers(model: Any) -> list[Any]:
    from peft.tuners.lora import LoraLayer

    return [each for each in model.modules() if isinstance(each, LoraLayer) and ADAPTER in each.lora_A]


def unknown_to_us(layer: Any) -> str:
    """Why a layer is more than a linear with a plain LoRA, in a few words; "" if it is not."""
    from torch import nn

    if type(layer).__module__.split(".")[0] != "peft" or type(layer).__name__ not in ("Linear", "Linear4bit"):
        return "a linear without a LoRA that is known"
    base = layer.get_base_layer()
    if type(base) is not nn.Linear and type(base).__name__ != "Linear4bit":
        return f"a linear of another kind ({type(base).__name__})"
    if layer.lora_variant or layer.lora_bias.get(ADAPTER) or layer.merged or layer.disable_adapters:
        return "a LoRA of another kind"
    if getattr(layer.lora_dropout[ADAPTER], "p", 0.0) > 0.0:
        return "dropout"
    if list(layer.active_adapters) != [ADAPTER]:
        return "another adapter"
    return ""
