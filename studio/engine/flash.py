"""Attention within conversations by torch's own flash kernels, where the accelerator has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch

Kernel = Callable[..., Any]


def kernel(device: torch.device, dtype: torch.dtype) -> Kernel | None:
    """torch's attention over conversations of any lengths; None where this torch, device or number format has none."""
    if device.type != "cuda" or dtype not in (torch.bfloat16, torch.float16):
        return None
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:  # an older torch
        return None
    return varlen_attn


@dataclass(frozen=True)
class Spread:
    """A packed row laid out so that each conversation is whole: the shared beginning stands before every rest.

    rows: where each of the spread tokens comes from; back: where each of the row's own tokens then is; ends: the
    conversations' borders, from 0, as the kernels want them; longest: tokens of the longest.
    """

    rows: torch.Tensor
    back: torch.Tensor
    ends: torch.Tensor
    longest: int


def spread(lengths: tuple[int, ...], shared: int, device: torch.device) -> Spread:
    starts = list(accumulate(lengths, initial=shared))
    begun = list(range(shared))
    rows = [
        at
        for start, length in zip(starts, lengths, strict=False)
        for at in (*begun, *range(start, start + length))
    ]
    ends = list(accumulate((shared + length for length in lengths), initial=0))
    rests = [
        at
        for end, length in zip(ends, lengths, strict=False)
        for at in range(end + shared, end + shared + length)
    ]
    as_index = {"device": device, "dtype": torch.long}
    return Spread(
        torch.tensor(rows, **as_index),  # type: ignore[arg-type]
        torch.tensor([*begun, *rests], **as_index),  # type: ignore[arg-type]
        torch.tensor(ends, device=device, dtype=torch.int32),
        shared + max(lengths),
    )


def attention(attend: Kernel) -> Callable[..., torch.Tensor]:
    """`attend` in the shape of PackedAttention.apply: query [T, Hq, d]; key, value [T, Hk, d]; returns [T, Hq, d]."""

    def within(
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        lengths: tuple[int, ...],
        shared: int,
        scale: float,
    ) -> torch.Tensor:
        plan = spread(lengths, shared, query.device)
        q, k, v = (each[plan.rows] if shared else each for each in (query, key, value))
        made: torch.Tensor = attend(
            q, k, v, plan.ends, plan.ends, plan.longest, plan.longest,
            scale=scale, window_size=(-1, 0), enable_gqa=query.shape[1] != key.shape[1],
        )  # fmt: skip
        return made[plan.back] if shared else made

    return within
