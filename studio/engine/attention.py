"""Attention that cannot cross conversations: causal within each conversation of a packed row, as products of matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.autograd import Function

NAME = "packed"  # what transformers knows it by
BLOCK = 256  # queries taken at once: what lies behind a block's last query is never computed
KEPT = 1024  # tokens up to which a conversation's attention is kept for the backward, and not computed again there


class PackedAttention(Function):
    """query [T, Hq, d]; key, value [T, Hk, d] with Hq a multiple of Hk; returns [T, Hq, d].

    On the CPU torch's own attention kernel takes a third of a training step, most of it in its backward; batched bf16
    products use the matrix units instead. Query heads that share a key head become more rows of one product.
    """

    @staticmethod
    def forward(ctx: Any, query: Any, key: Any, value: Any, lengths: tuple[int, ...], scale: float) -> Any:
        out, kept = torch.empty_like(query, memory_format=torch.contiguous_format), []
        for queries, keys in blocks(lengths):
            chance = chances(query[queries], key[keys], scale)
            put(out[queries], torch.bmm(chance, value[keys].transpose(0, 1)))
            if keys.stop - keys.start <= KEPT:
                kept.append(chance)
        ctx.save_for_backward(query, key, value, *kept)
        ctx.lengths, ctx.scale = lengths, scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        query, key, value, *kept = ctx.saved_tensors
        to_query, to_key, to_value = (torch.empty_like(each) for each in (query, key, value))
        remembered = iter(kept)
        for queries, keys in blocks(ctx.lengths):
            k, v = key[keys], value[keys]
            short = keys.stop - keys.start <= KEPT
            chance = next(remembered) if short else chances(query[queries], k, ctx.scale)
            grad = grouped(grads[0][queries], k.shape[1])
            to_chance = torch.bmm(grad, v.permute(1, 2, 0))
            to_score = torch._softmax_backward_data(to_chance, chance, -1, chance.dtype).mul_(ctx.scale)
            put(to_query[queries], torch.bmm(to_score, k.transpose(0, 1)))
            fresh = queries.start == keys.start  # the conversation's first block
            q = grouped(query[queries], k.shape[1])
            gather(to_key, queries, keys, torch.bmm(to_score.transpose(1, 2), q), fresh)
            gather(to_value, queries, keys, torch.bmm(chance.transpose(1, 2), grad), fresh)
        return to_query, to_key, to_value, None, None


def spans(lengths: tuple[int, ...]) -> Iterator[slice]:
    """Where each conversation of a packed row lies."""
    start = 0
    for length in lengths:
        yield slice(start, start + length)
        start += length


def blocks(lengths: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Queries that are taken at once, each with the keys that its last query may see."""
    for span in spans(lengths):
        for start in range(span.start, span.stop, BLOCK):
            stop = min(start + BLOCK, span.stop)
            yield slice(start, stop), slice(span.start, stop)


def chances(query: torch.Tensor, key: torch.Tensor, scale: float) -> torch.Tensor:
    """How much each query attends to each key: [Hk, Hq / Hk * queries, keys], every row of which sums to one."""
    heads, asked, seen = key.shape[1], len(query), len(key)
    scores = torch.bmm(grouped(query, heads), key.permute(1, 2, 0)).mul_(scale)
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


def gather(total: torch.Tensor, queries: slice, keys: slice, part: torch.Tensor, fresh: bool) -> None:
    """Add a block's share [Hk, keys, d] to `total` [T, Hk, d]; the block's own keys have got nothing before it."""
    part = part.transpose(0, 1)
    if not fresh:
        earlier = slice(keys.start, queries.start)
        total[earlier] += part[: queries.start - keys.start]
    total[queries] = part[queries.start - keys.start :]


def packed_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    lengths: tuple[int, ...] = (),
    **unknown: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers calls it. query: [1, Hq, T, d]; key, value: [1, Hk, T, d]; returns [1, T, Hq, d]."""
    if unknown.get("softcap") is not None or unknown.get("s_aux") is not None:
        raise NotImplementedError("attention with capped scores or sinks")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    # transformers made these from [T, heads, d], so this mostly undoes a view and moves nothing.
    rows = (each[0].transpose(0, 1).contiguous() for each in (query, key, value))
    return PackedAttention.apply(*rows, lengths, scale)[None], None


def use_packed_attention(model: Any) -> None:
    """Make the model's attention stay within conversations. `lengths` then comes with each forward call."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, packed_attention)
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)
    model.set_attn_implementation(NAME)
