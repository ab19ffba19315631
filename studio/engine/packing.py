"""Weights laid out as the CPU's matrix kernels (oneDNN) read them: with few rows, reading weights is all an answer waits for.

The layout serves any number of rows and costs one copy of the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from studio.engine import device as devices

FORMS = (torch.float32, torch.bfloat16)
ROOM = 0.5  # of the memory available, for the copy
AGREE = {torch.float32: 1e-4, torch.bfloat16: 2e-2}  # largest difference, as a share of the largest value

Product = Callable[[torch.Tensor], torch.Tensor]


def able(weight: torch.Tensor) -> bool:
    """Whether this torch, on this machine, can lay the weight out anew."""
    there = hasattr(torch.ops.mkldnn, "_reorder_linear_weight") and torch.backends.mkldnn.is_available()
    if not there or weight.device.type != "cpu" or weight.dtype not in FORMS:
        return False
    return weight.dtype != torch.bfloat16 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def fits(weights: int) -> bool:
    """Whether memory has room for a copy of so many bytes."""
    return weights <= ROOM * devices.available_memory("cpu")


def plain(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    return lambda x: nn.functional.linear(x, weight, bias)


def packed(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    """The product x W' + bias over a copy of the weight; the plain one where the kernels do not agree with it."""
    usual = plain(weight, bias)
    try:
        copy = torch.ops.mkldnn._reorder_linear_weight(weight, None)
    except RuntimeError:  # a shape or machine that the kernels do not take
        return usual
    multiply = (
        torch.ops.mkldnn._linear_pointwise.default
    )  # named in full: looking for it takes time at each call

    def product(x: torch.Tensor) -> torch.Tensor:
        return multiply(x, copy, bias, "none", [], "")

    return product if agree(product, usual, weight) else usual


@torch.inference_mode()
def agree(one: Product, other: Product, weight: torch.Tensor) -> bool:
    x = torch.linspace(-1, 1, 2 * weight.shape[1], dtype=weight.dtype).view(2, -1).sin()
    first, second = one(x).float(), other(x).float()
    return bool((first - second).abs().max() <= AGREE[weight.dtype] * second.abs().max())


def linears(model: Any) -> Iterator[nn.Linear]:
    """The model's plain linears that can be packed; 4-bit ones have a layout of their own."""
    return (each for each in model.modules() if type(each) is nn.Linear and able(each.weight))


def pack(model: Any) -> None:
    """Let the model's plain linears multiply by packed copies, where memory allows. It can only answer from then on."""
    found = list(linears(model))
    if found and fits(sum(each.weight.numel() * each.weight.element_size() for each in found)):
        for linear in found:
            bias = None if linear.bias is None else linear.bias.detach()
            # On this linear alone. What is called around it, the hooks that lay adapters over it, stays.
            linear.__dict__["forward"] = packed(linear.weight.detach(), bias)
