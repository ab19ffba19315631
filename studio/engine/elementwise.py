"""What a Llama-type layer does to single numbers: norm, gated activation, rotary positions; few passes, little kept.

Each is a pair of plain functions for use inside a larger autograd Function, or a Function of its own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function
from torch.nn.functional import gelu, silu

# --- root mean square norm


def normalised(x: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """x over its root mean square along the last axis, in x's precision, and the factor [.., 1] in fp32."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
    factor = length.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
    return torch.mul(x, factor, out=torch.empty_like(x)), factor


def through_norm(grad: torch.Tensor, normal: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """The gradient of x, from that of `normal`, as `normalised` gave it."""
    along = (grad * normal).sum(-1, keepdim=True, dtype=torch.float32).div_(normal.shape[-1])
    return torch.addcmul(grad, normal, along.to(normal.dtype), value=-1).mul_(factor.to(normal.dtype))


def scaled(normal: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    """normal * gain in normal's precision; a gain in fp32 is multiplied in fp32."""
    return (normal * gain).to(normal.dtype)


class Norm(Function):
    """normalised(x) * gain, for the norms that stand alone; the gain is frozen."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, gain: torch.Tensor, eps: float) -> torch.Tensor:
        normal, factor = normalised(x, eps)
        ctx.save_for_backward(normal, factor, gain)
        return scaled(normal, gain)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        normal, factor, gain = ctx.saved_tensors
        return through_norm(scaled(grads[0], gain), normal, factor), None, None


# --- gated activation


def activated(gate: torch.Tensor, kind: str) -> torch.Tensor:
    """`kind` is "silu" or "gelu", the latter by its tanh approximation."""
    return silu(gate) if kind == "silu" else gelu(gate, approximate="tanh")


def through_activation(grad: torch.Tensor, gate: torch.Tensor, kind: str) -> torch.Tensor:
    if kind == "silu":
        return torch.ops.aten.silu_backward(grad, gate)
    return torch.ops.aten.gelu_backward(grad, gate, approximate="tanh")


# --- rotary positions


class Rotary(Function):
    """Turn x [T, heads, d] by its positions' angles; cos and sin [T, 1, d] hold each angle twice, as halves."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(cos, sin)
        return turned(x, cos, sin)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        cos, sin = ctx.saved_tensors
        return turned(grads[0], cos, -sin), None, None


def turned(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    half = x.shape[-1] // 2
    out = x * cos
    out[..., :half].addcmul_(x[..., half:], sin[..., :half], value=-1)
    out[..., half:].addcmul_(x[..., :half], sin[..., half:])
    return out
