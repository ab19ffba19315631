"""Attention by flash kernels: the layout they are given is that of whole conversations. The kernels themselves need CUDA."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from studio.engine import flash
from studio.engine.attention import PackedAttention

LENGTHS, SCALE = (5, 3, 9), 0.3


def by_itself(q, k, v, ends, ends_k, longest, longest_k, *, scale, window_size, enable_gqa):
    """What the kernels compute, one conversation after the other: causal attention from each border to the next."""
    assert (window_size, enable_gqa) == ((-1, 0), True)
    parts = []
    for start, stop in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        heads = [each[start:stop].transpose(0, 1)[None] for each in (q, k, v)]
        made = scaled_dot_product_attention(*heads, is_causal=True, scale=scale, enable_gqa=True)
        parts.append(made[0].transpose(0, 1))
    return torch.cat(parts)


def rows(shared):
    torch.manual_seed(0)
    total = shared + sum(LENGTHS)
    return [torch.randn(total, heads, 8, requires_grad=True) for heads in (4, 2, 2)]


@pytest.mark.parametrize("shared", [0, 4])
def test_states_and_gradients_are_those_of_the_products(shared):
    results = []
    for attend in (PackedAttention.apply, flash.attention(by_itself)):
        given = rows(shared)
        made = attend(*given, LENGTHS, shared, SCALE)
        (made * torch.arange(made.numel()).view_as(made).sin()).sum().backward()
        results.append([made, *(each.grad for each in given)])

    for ours, theirs in zip(*results, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_control_a_border_in_the_wrong_place_is_seen():
    def shifted(q, k, v, ends, *more, **named):
        return by_itself(q, k, v, torch.cat([ends[:1], ends[1:-1] + 1, ends[-1:]]), *more, **named)

    given = rows(4)
    with torch.no_grad():
        right = PackedAttention.apply(*given, LENGTHS, 4, SCALE)
        wrong = flash.attention(shifted)(*given, LENGTHS, 4, SCALE)
    assert not torch.allclose(right, wrong, atol=1e-2)


def test_the_cpu_has_none():
    assert flash.kernel(torch.device("cpu"), torch.bfloat16) is None
