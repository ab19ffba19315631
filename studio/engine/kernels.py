"""Which form training computes in: each fast one has a plain twin, and is compared with it before it is used.

The fast forms, best first: fused layers for Llama-type models (family), and for any architecture packed rows whose
conversations cannot see each other, with each LoRA linear as one function. Both take the head at learned positions only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn.functional import cross_entropy, pad

from studio.core.encode import IGNORED
from studio.engine import family, flash
from studio.engine.attention import Attend, PackedAttention, spans, use_packed_attention
from studio.engine.batches import Pack
from studio.engine.head import HeadLoss
from studio.engine.lora import fuse_lora, lora_layers

Loss = Callable[[Any, Pack], torch.Tensor]

# bf16 products summed in another order move states by some hundredths and losses by some thousandths; conversations
# that see each other move the states of the later ones by a third and more.
SAME_STATES, SAME_LOSS = 0.1, 0.01
EVEN = 8  # rows of products are a multiple of it: 1,334 rows, which no block of the CPU's kernels fits, take 9 % longer than 1,336


@dataclass(frozen=True)
class Form:
    """A fast form: what it is, what speaks against it for a model and its longest conversation, how it is put on."""

    told: str
    against: Callable[[Any, int], str]
    put_on: Callable[[Any, bool], None]


def forms(model: Any) -> Iterator[Form]:
    """The fast forms for a model, best first, each with the ways of attention that its device has."""
    layers = (
        ("packed rows, fused Llama-type layers, head at learned positions", family.against, family.put_on),
        ("packed rows, fused LoRA, head at learned positions", nothing_against, put_on_any),
    )
    for told, against, put_on in layers:
        for way, attend in ways_of_attention(model):
            yield Form(told + way, against, partial(put_on, attend=attend))


def ways_of_attention(model: Any) -> Iterator[tuple[str, Attend]]:
    base = model.get_base_model()
    if attend := flash.kernel(base.device, base.dtype):
        yield ", flash attention", flash.attention(attend)
    yield "", PackedAttention.apply


def nothing_against(model: Any, longest: int) -> str:
    return ""


def put_on_any(model: Any, keep: bool, attend: Attend = PackedAttention.apply) -> None:
    use_packed_attention(model.get_base_model(), attend)
    fuse_lora(model, keep)


def choose_loss(model: Any, sample: Pack, longest: int, keep: bool = False) -> tuple[Loss, str]:
    """Take the fastest form that gives this model's own states and losses on `sample`, else the plain one.

    Returns the form's loss and a sentence on which it is and why. `sample` must hold at least two conversations for the
    check to find attention that crosses them. It also finds capped scores and scaled heads. A sliding window shows only
    in conversations longer than itself, so it is asked for by name; `longest` is in tokens. With `keep`, 4-bit weights
    are made whole once and kept so.
    """
    window = getattr(model.get_base_model().config.get_text_config(), "sliding_window", None)
    if window and longest > window:
        return plain_loss, f"one conversation at a time: the model attends within {window} tokens"
    own, refused = measured(model, sample, plain_hidden, plain_loss), ""
    for form in forms(model):
        difference = form.against(model, longest) or tried(form, model, sample, own, keep)
        if not difference:
            return fast_loss, form.told + refused
        refused = f" (nothing faster: {difference})"
    return plain_loss, f"one conversation at a time: {difference}"


def tried(form: Form, model: Any, sample: Pack, own: tuple[torch.Tensor, float], keep: bool) -> str:
    """Put a form on and say how it differs from the model's own; "" if it does not, else it is off again."""
    implementation = model.get_base_model().config._attn_implementation
    try:
        form.put_on(model, keep)
        difference = differs(own, measured(model, sample, fast_hidden, fast_loss))
    except (TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError) as error:
        difference = f"the fast form does not run on this model ({type(error).__name__})"
    if difference:
        restore(model, implementation)
    return difference


@torch.no_grad()
def measured(model: Any, sample: Pack, hidden: Loss, loss: Loss) -> tuple[torch.Tensor, float]:
    return hidden(model, sample).float(), loss(model, sample).item()


def differs(own: tuple[torch.Tensor, float], fast: tuple[torch.Tensor, float]) -> str:
    moved = float((fast[0] - own[0]).norm() / own[0].norm())
    if moved <= SAME_STATES and abs(fast[1] - own[1]) <= SAME_LOSS * abs(own[1]):
        return ""
    return f"the fast form differs from the model's own (states by {moved:.0%}, loss {fast[1]:.1f} for {own[1]:.1f})"


def restore(model: Any, implementation: str) -> None:
    """Take the fast forms off again."""
    model.get_base_model().set_attn_implementation(implementation)
    family.take_off(model)
    for layer in lora_layers(model):
        vars(layer).pop("forward", None)


# --- the losses


def fast_loss(model: Any, pack: Pack) -> torch.Tensor:
    """Summed loss of a packed row's learned tokens: the decoder once over the row, the head only where it is learned."""
    head = model.get_base_model().get_output_embeddings()
    learned = pack.targets != IGNORED
    states = fast_hidden(model, pack)[learned]
    return HeadLoss.apply(states, head.weight, head.bias, pack.targets[learned])


def fast_hidden(model: Any, pack: Pack) -> torch.Tensor:
    """The decoder's last states [T, width] of a packed row, all conversations at once."""
    decoder = model.get_base_model().get_decoder()
    length = pack.ids.shape[1]
    # The last conversation is made longer: its own tokens do not see what comes after them.
    more = -length % EVEN
    *lengths, last = pack.lengths
    states: torch.Tensor = decoder(
        input_ids=pad(pack.ids, (0, more)),
        position_ids=pad(pack.positions, (0, more)),
        use_cache=False,
        lengths=(*lengths, last + more),
        shared=pack.shared,
    ).last_hidden_state
    return states[0, :length]


def plain_loss(model: Any, pack: Pack) -> torch.Tensor:
    """The plain twin: every conversation by itself through the model's own forward."""
    total = torch.zeros((), dtype=torch.float32, device=pack.ids.device)
    for ids, targets in each_by_itself(pack):
        scores = model(input_ids=ids, use_cache=False).logits[0].float()
        total = total + cross_entropy(scores, targets, ignore_index=IGNORED, reduction="sum")
    return total


def plain_hidden(model: Any, pack: Pack) -> torch.Tensor:
    """The decoder's last states [T, width], every conversation by itself."""
    decoder = model.get_base_model().get_decoder()
    states = [decoder(input_ids=ids, use_cache=False).last_hidden_state[0] for ids, _ in each_by_itself(pack)]
    return torch.cat([states[0][: pack.shared], *(each[pack.shared :] for each in states)])


def each_by_itself(pack: Pack) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The ids [1, L] and targets [L] of each conversation of a row, with the beginning that it shares."""
    begun = slice(0, pack.shared)
    for rest in spans(pack.lengths, pack.shared):
        ids = torch.cat([pack.ids[:, begun], pack.ids[:, rest]], dim=1)
        yield ids, torch.cat([pack.targets[begun], pack.targets[rest]])
