"""The computation that training repeats, in its fast form; each part has a plain twin and a test that they agree.

Architecture-neutral: packed rows whose conversations cannot see each other, LoRA linears as one function, and the loss
at learned positions only. `choose_loss` compares the fast form with the plain one on the model at hand before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.autograd import Function
from torch.nn.functional import cross_entropy, linear

from studio.core.encode import IGNORED
from studio.engine.batches import Pack

ATTENTION = "packed"
CHUNK = 512  # learned positions whose scores over the vocabulary are held at once


# --- attention that cannot cross conversations


class PackedAttention(Function):
    """Causal attention within each conversation of a packed row, as batched products over the heads.

    query [Hq, T, d]; key, value [Hk, T, d] with Hq a multiple of Hk. On the CPU torch's own attention kernel takes a
    third of a training step, most of it in its backward; batched bf16 products use the matrix units instead.
    """

    @staticmethod
    def forward(ctx: Any, query: Any, key: Any, value: Any, lengths: tuple[int, ...], scale: float) -> Any:
        out, chances = torch.empty_like(query), []
        heads = key.shape[0]
        for part, length in spans(lengths):
            q = grouped(query[:, part], heads)
            scores = torch.bmm(q, key[:, part].transpose(1, 2)).mul_(scale).view(heads, -1, length, length)
            scores += causal(length, scores)
            chance = scores.softmax(-1).view(heads, -1, length)
            out[:, part] = torch.bmm(chance, value[:, part]).view(-1, length, value.shape[2])
            chances.append(chance)
        ctx.save_for_backward(query, key, value, *chances)
        ctx.lengths, ctx.scale = lengths, scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        query, key, value, *chances = ctx.saved_tensors
        heads = key.shape[0]
        to_query, to_key, to_value = (torch.empty_like(each) for each in (query, key, value))
        for (part, length), chance in zip(spans(ctx.lengths), chances, strict=True):
            grad, q = grouped(grads[0][:, part], heads), grouped(query[:, part], heads)
            to_value[:, part] = torch.bmm(chance.transpose(1, 2), grad)
            to_chance = torch.bmm(grad, value[:, part].transpose(1, 2))
            to_score = torch._softmax_backward_data(to_chance, chance, -1, chance.dtype).mul_(ctx.scale)
            to_query[:, part] = torch.bmm(to_score, key[:, part]).view(-1, length, key.shape[2])
            to_key[:, part] = torch.bmm(to_score.transpose(1, 2), q)
        return to_query, to_key, to_value, None, None


def spans(lengths: tuple[int, ...]) -> Iterator[tuple[slice, int]]:
    start = 0
    for length in lengths:
        yield slice(start, start + length), length
        start += length


def grouped(heads: torch.Tensor, groups: int) -> torch.Tensor:
    """Query heads [Hq, L, d] put beside the key head that they share: [groups, Hq / groups * L, d]."""
    return heads.reshape(groups, -1, heads.shape[2])


def causal(length: int, like: torch.Tensor) -> torch.Tensor:
    return torch.full((length, length), float("-inf"), dtype=like.dtype, device=like.device).triu_(1)


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
    done = PackedAttention.apply(query[0], key[0], value[0], lengths, scale)
    return done.transpose(0, 1)[None], None


def use_packed_attention(model: Any) -> None:
    """Make the model's attention stay within conversations. `lengths` then comes with each forward call."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(ATTENTION, packed_attention)
    AttentionMaskInterface.register(ATTENTION, lambda *_, **__: None)
    model.set_attn_implementation(ATTENTION)


# --- a linear with its adapter


class LoraLinear(Function):
    """y = x W' + s (x A') B', computed in x's precision with A and B kept in fp32.

    PEFT's own form casts every input to fp32 for A and B, and bitsandbytes' 4-bit product on the CPU handles one row at
    a time. Here W is made whole once a use (`weight` is a function) and everything runs in bf16 products.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: Callable[[], torch.Tensor], bias: Any, a: Any, b: Any, scale: float) -> Any:  # fmt: skip
        rows = x.reshape(-1, x.shape[-1])
        a_low, b_low = a.to(x.dtype), (b * scale).to(x.dtype)
        middle = rows @ a_low.t()
        y = linear(rows, weight(), bias)
        y.addmm_(middle, b_low.t())
        ctx.save_for_backward(rows, middle, a_low, b_low)
        ctx.weight, ctx.scale, ctx.shape = weight, scale, x.shape
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        rows, middle, a_low, b_low = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1])
        grad_middle = grad @ b_low
        grad_a = (grad_middle.t() @ rows).float()
        grad_b = (grad.t() @ middle).float().mul_(ctx.scale)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad @ ctx.weight()).addmm_(grad_middle, a_low).view(ctx.shape)
        return grad_x, None, None, grad_a, grad_b, None


def whole_weight(layer: Any, dtype: torch.dtype) -> Callable[[], torch.Tensor]:
    """A function that gives a layer's weight in `dtype`: as it is, or out of its 4 bits, anew at each use."""
    state = getattr(layer.weight, "quant_state", None)
    if state is None:
        return lambda: layer.weight
    from bitsandbytes.functional import dequantize_4bit

    return lambda: dequantize_4bit(layer.weight.data, state).to(dtype)


def fuse_lora(model: Any, adapter: str = "default") -> int:
    """Give every LoRA linear of a PEFT model the fused form; returns how many."""
    layers = lora_layers(model, adapter)
    for layer in layers:
        layer.forward = fused(layer, adapter)
    return len(layers)


def lora_layers(model: Any, adapter: str) -> list[Any]:
    from peft.tuners.lora import LoraLayer

    return [each for each in model.modules() if isinstance(each, LoraLayer) and adapter in each.lora_A]


def fused(layer: Any, adapter: str) -> Callable[..., torch.Tensor]:
    base = layer.get_base_layer()
    a, b = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
    scale = layer.scaling[adapter]

    def forward(x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        y: torch.Tensor = LoraLinear.apply(x, whole_weight(base, x.dtype), base.bias, a, b, scale)
        return y

    return forward


# --- loss at learned positions only


class HeadLoss(Function):
    """Sum of the token losses of `hidden` [N, width] under the head `weight` [vocabulary, width]; targets [N].

    The gradient for `hidden` is made in the forward, chunk by chunk, so that the scores of all positions over the whole
    vocabulary never stand in memory at once. The head is frozen and gets no gradient.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        grad = torch.empty_like(hidden)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for start in range(0, len(targets), CHUNK):
            part, wanted = hidden[start : start + CHUNK], targets[start : start + CHUNK, None]
            scores = (part @ weight.t()).float()
            log_sum = scores.logsumexp(1, keepdim=True)
            total += (log_sum - scores.gather(1, wanted)).sum()
            chances = scores.sub_(log_sum).exp_()
            chances.scatter_add_(1, wanted, torch.full_like(log_sum, -1.0))
            torch.mm(chances.to(weight.dtype), weight, out=grad[start : start + CHUNK])
        ctx.save_for_backward(grad)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = ctx.saved_tensors
        return grad * grads[0].to(grad.dtype), None, None


def fast_loss(model: Any, pack: Pack) -> torch.Tensor:
    """Summed loss of a packed row's learned tokens: the decoder once over the row, the head only where it is learned."""
    head = model.get_base_model().get_output_embeddings()
    learned = pack.targets != IGNORED
    return HeadLoss.apply(fast_hidden(model, pack)[learned], head.weight, pack.targets[learned])


def fast_hidden(model: Any, pack: Pack) -> torch.Tensor:
    """The decoder's last states [T, width] of a packed row, all conversations at once."""
    decoder = model.get_base_model().get_decoder()
    states: torch.Tensor = decoder(
        input_ids=pack.ids, position_ids=pack.positions, use_cache=False, lengths=pack.lengths
    ).last_hidden_state
    return states[0]


def plain_loss(model: Any, pack: Pack) -> torch.Tensor:
    """The plain twin: every conversation by itself through the model's own forward."""
    total = torch.zeros((), dtype=torch.float32, device=pack.ids.device)
    for part, _ in spans(pack.lengths):
        scores = model(input_ids=pack.ids[:, part], use_cache=False).logits[0].float()
        total = total + cross_entropy(scores, pack.targets[part], ignore_index=IGNORED, reduction="sum")
    return total


def plain_hidden(model: Any, pack: Pack) -> torch.Tensor:
    """The decoder's last states [T, width], every conversation by itself."""
    decoder = model.get_base_model().get_decoder()
    parts = [pack.ids[:, part] for part, _ in spans(pack.lengths)]
    return torch.cat([decoder(input_ids=part, use_cache=False).last_hidden_state[0] for part in parts])


# bf16 products summed in another order move states by some hundredths and losses by some thousandths; conversations
# that see each other move the states of the later ones by a third and more.
SAME_STATES, SAME_LOSS = 0.1, 0.01


def choose_loss(model: Any, sample: Pack, longest: int) -> tuple[Callable[[Any, Pack], torch.Tensor], str]:
    """Take the fast form where it gives this model's own states and losses on `sample`, else the plain one.

    Returns the form and a sentence on which it is and why. `sample` must hold at least two conversations for the check
    to find attention that crosses them. It also finds capped scores and scaled heads. A sliding window shows only in
    conversations longer than itself, so it is asked for by name; `longest` is in tokens.
    """
    window = getattr(model.get_base_model().config.get_text_config(), "sliding_window", None)
    if window and longest > window:
        return plain_loss, f"one conversation at a time: the model attends within {window} tokens"
    implementation = model.get_base_model().config._attn_implementation
    try:
        difference = differs(model, sample)
    except (TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError) as error:
        difference = f"the fast form does not run on this model ({type(error).__name__})"
    if not difference:
        return fast_loss, "packed rows, fused LoRA, head at learned positions"
    restore(model, implementation)
    return plain_loss, f"one conversation at a time: {difference}"


@torch.no_grad()
def differs(model: Any, sample: Pack) -> str:
    """Put the fast form on and say how it differs from the plain one; "" if it does not."""
    if model.get_base_model().get_output_embeddings().bias is not None:
        return "the head has a bias"
    states, loss = plain_hidden(model, sample).float(), plain_loss(model, sample).item()
    use_packed_attention(model.get_base_model())
    fuse_lora(model)
    moved = float((fast_hidden(model, sample).float() - states).norm() / states.norm())
    fast = fast_loss(model, sample).item()
    if moved <= SAME_STATES and abs(fast - loss) <= SAME_LOSS * abs(loss):
        return ""
    return (
        f"the fast form differs from the model's own (states by {moved:.0%}, loss {fast:.1f} for {loss:.1f})"
    )


def restore(model: Any, implementation: str) -> None:
    """Take the fast form off again."""
    model.get_base_model().set_attn_implementation(implementation)
    for layer in lora_layers(model, "default"):
        layer.__dict__.pop("forward", None)
