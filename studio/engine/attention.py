"""Attention that cannot cross conversations: causal within each conversation of a packed row, as products of matrices.

A row is the beginning that all its conversations share, once, and then each conversation's own rest (batches.Pack). A rest
sees the shared beginning and itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.autograd import Function

Attend = Callable[..., torch.Tensor]  # (query, key, value, lengths, shared, scale), as PackedAttention.apply
NAME = "packed"  # what transformers knows it by
BLOCK = 256  # queries taken at once: what lies behind a block's last query is never computed
KEPT = 1024  # tokens up to which a conversation's attention is kept for the backward, and not computed again there


class PackedAttention(Function):
    """query [T, Hq, d]; key, value [T, Hk, d] with Hq a multiple of Hk; returns [T, Hq, d].

    On the CPU torch's own attention kernel takes a third of a training step, most of it in its backward; batched bf16
    products use the matrix units instead. Query heads that share a key head become more rows of one product.
    """

    @staticmethod
    def forward(
        ctx: Any, query: Any, key: Any, value: Any, lengths: tuple[int, ...], shared: int, scale: float
    ) -> Any:
        out, kept = torch.empty_like(query, memory_format=torch.contiguous_format), []
        for block in blocks(lengths, shared):
            chance = chances(query[block.queries], block.seen(key), scale)
            put(out[block.queries], torch.bmm(chance, block.seen(value).transpose(0, 1)))
            if block.kept:
                kept.append(chance)
        ctx.save_for_backward(query, key, value, *kept)
        ctx.lengths, ctx.shared, ctx.scale = lengths, shared, scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        query, key, value, *kept = ctx.saved_tensors
        to_query, remembered = torch.empty_like(query), iter(kept)
        to_key, to_value = Gathered(key, ctx.shared), Gathered(value, ctx.shared)
        for block in blocks(ctx.lengths, ctx.shared):
            k, v = block.seen(key), block.seen(value)
            chance = next(remembered) if block.kept else chances(query[block.queries], k, ctx.scale)
            grad = grouped(grads[0][block.queries], k.shape[1])
            to_chance = torch.bmm(grad, v.permute(1, 2, 0))
            to_score = torch._softmax_backward_data(to_chance, chance, -1, chance.dtype)
            put(to_query[block.queries], torch.bmm(to_score, k.transpose(0, 1)))
            q = grouped(query[block.queries], k.shape[1]) * ctx.scale
            to_key.add(block, torch.bmm(to_score.transpose(1, 2), q))
            to_value.add(block, torch.bmm(chance.transpose(1, 2), grad))
        return to_query.mul_(ctx.scale), to_key.whole(), to_value.whole(), None, None, None


@dataclass(frozen=True)
class Block:
    """Queries that are taken at once; their conversation's own tokens up to the last of them; the shared ones before."""

    queries: slice
    own: slice
    shared: int

    @property
    def kept(self) -> bool:
        return self.shared + self.own.stop - self.own.start <= KEPT

    def seen(self, rows: torch.Tensor) -> torch.Tensor:
        """The keys, or values, that the block's last query may see."""
        return torch.cat([rows[: self.shared], rows[self.own]]) if self.shared else rows[self.own]


def blocks(lengths: tuple[int, ...], shared: int) -> Iterator[Block]:
    """The shared beginning, which sees only itself, then every conversation's rest, each in blocks."""
    for own in [slice(0, shared), *spans(lengths, shared)]:
        before = shared if own.start else 0
        for start in range(own.start, own.stop, BLOCK):
            stop = min(start + BLOCK, own.stop)
            yield Block(slice(start, stop), slice(own.start, stop), before)


def spans(lengths: tuple[int, ...], start: int = 0) -> Iterator[slice]:
    """Where each conversation's part of a packed row lies."""
    for length in lengths:
        yield slice(start, start + length)
        start += length


class Gathered:
    """The gradient of keys, or values, [T, Hk, d], added up over the blocks that saw them."""

    def __init__(self, like: torch.Tensor, shared: int) -> None:
        self.total = torch.empty_like(like)
        # Every conversation adds to the shared beginning: in bf16 that many roundings would add up.
        self.shared = torch.zeros_like(like[:shared], dtype=torch.float32)

    def add(self, block: Block, part: torch.Tensor) -> None:
        """`part` [Hk, seen, d] is what one block's queries have to say."""
        part = part.transpose(0, 1)
        self.shared[: block.shared] += part[: block.shared]
        earlier = block.queries.start - block.own.start  # own tokens that the blocks before this one asked
        self.total[block.own.start : block.queries.start] += part[block.shared : block.shared + earlier]
        self.total[block.queries] = part[block.shared + earlier :]

    def whole(self) -> torch.Tensor:
        self.total[: len(self.shared)] += self.shared
        return self.total


def chances(query: torch.Tensor, key: torch.Tensor, scale: float) -> torch.Tensor:
    """How much each query attends to each key: [Hk, Hq / Hk * queries, keys], every row of which sums to one."""
    heads, asked, seen = key.shape[1], len(query), len(key)
    # Scaling the queries touches far fewer numbers than scaling the scores.
    scores = torch.bmm(grouped(query, heads) * scale, key.permute(1, 2, 0))
    # Only the last `asked` keys can lie ahead of a query of the block.
    scores.view(heads, -1, asked, seen)[..., seen - asked :].add_(ahead(asked, scores))
    return scores.softmax(-1)


def ahead(length: int, like: torch.Tensor) -> torch.Tensor:
    return torch.full((length, length), float("-inf"), dtype=like.dtype, device=like.device).triu_(1)


def grouped(heads: torch.Tensor, groups: int) -> torch.Tensor:
    """Query heads [L, Hq, d] put beside the key head that they share: [groups, Hq / groups * L, d]."""
    length, _, width = heads.shape
    return heads.view(length, groups, -1, width).permute(1, 2, 0, 3).reshape(groups, -1, width)


def put(place: torch.Tensor, heads: torch.Tensor) -> None:
    """Lay what `grouped` put together back into `place` [L, Hq, d]."""
    length, _, width = place.shape
    place.view(length, len(heads), -1, width).copy_(
        heads.view(len(heads), -1, length, width).permute(2, 0, 1, 3)
    )


def packed_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    lengths: tuple[int, ...] = (),
    shared: int = 0,
    attend: Attend = PackedAttention.apply,
    **unknown: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers calls it. query: [1, Hq, T, d]; key, value: [1, Hk, T, d]; returns [1, T, Hq, d]."""
    if unknown.get("softcap") is not None or unknown.get("s_aux") is not None:
        raise NotImplementedError("attention with capped scores or sinks")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    # transformers made these from [T, heads, d], so this mostly undoes a view and moves nothing.
    rows = (each[0].transpose(0, 1).contiguous() for each in (query, key, value))
    return attend(*rows, lengths, shared, scale)[None], None


def use_packed_attention(model: Any, attend: Attend = PackedAttention.apply) -> None:
    """Make the model's attention stay within conversations. `lengths` and `shared` then come with each call."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, partial(packed_attention, attend=attend))
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)
    model.set_attn_implementation(NAME)
