"""Llama and its kin (SmolLM, Mistral, Qwen2, Qwen3) on the CPU: which models these are, and their layers as few products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from studio.engine import packing
from studio.engine.adapters import Adapter
from studio.engine.overlay import Share, Stack, add, stacked

NAMES = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")
LAYER = {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}
ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
NORMS = {"q_norm", "k_norm"}  # of each head's queries and keys, in Qwen3
MLP = {"gate_proj", "up_proj", "down_proj", "act_fn"}
ROPES = (
    "default",
    "linear",
    "llama3",
    "yarn",
)  # angles that depend on the position alone, not on the longest row


def applies(model: Any) -> bool:
    """Whether the model is built as the forward of this family expects, part by part. Whether it also agrees is tried."""
    config = model.config
    if type(model).__name__ not in NAMES or not type(model).__module__.startswith("transformers.models."):
        return False
    rope = getattr(config, "rope_parameters", None) or {}
    if config.hidden_act != "silu" or rope.get("rope_type") not in ROPES:
        return False
    return has_known_parts(model) and has_one_plain_format(model) and not has_windows(model)


def has_known_parts(model: Any) -> bool:
    if children(model) != {"model", "lm_head"} or children(model.model) != {
        "embed_tokens",
        "layers",
        "norm",
        "rotary_emb",
    }:
        return False
    return type(model.model.embed_tokens) is nn.Embedding and all(
        children(layer) == LAYER
        and children(layer.self_attn) in (ATTENTION, ATTENTION | NORMS)
        and children(layer.mlp) == MLP
        for layer in model.model.layers
    )


def children(module: nn.Module) -> set[str]:
    return {name for name, _ in module.named_children()}


def has_one_plain_format(model: Any) -> bool:
    """All weights on the CPU in one format that the kernels take, none of them 4-bit or wrapped."""
    formats = {(each.dtype, each.device.type) for each in model.parameters()}
    found = [each for each in model.modules() if isinstance(each, nn.Linear)]
    return formats in ({(form, "cpu")} for form in packing.FORMS) and all(
        type(each) is nn.Linear for each in found
    )


def has_windows(model: Any) -> bool:
    """Whether some layer looks back no further than a window."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    return any(type(layer) is not DynamicLayer for layer in DynamicCache(config=model.config).layers)


class Fused:
    """Linears that share their input as one product, with the adapters laid over them.

    Packed, the product has a copy of the weights; plain, the linears' own weights become views of the whole, so that
    memory is not doubled.
    """

    def __init__(self, linears: dict[str, nn.Linear], pack: bool) -> None:
        self.sizes = {name: each.out_features for name, each in linears.items()}
        self.stack: Stack | None = None
        bias = whole_bias(list(linears.values()))
        if pack:
            self.product = packing.packed(joined(list(linears.values())), bias)
        else:
            self.product = packing.plain(shared(list(linears.values())), bias)

    def lay(self, adapters: Sequence[Adapter]) -> None:
        held = list(enumerate(adapters))
        self.stack = stacked(
            [
                (size, [(number, each.linears[name]) for number, each in held if name in each.linears])
                for name, size in self.sizes.items()
            ]
        )

    def __call__(self, x: torch.Tensor, share: Share) -> torch.Tensor:
        made = self.product(x)
        return made if self.stack is None else add(made, x, self.stack, share)


def joined(linears: Sequence[nn.Linear]) -> torch.Tensor:
    return (
        torch.cat([each.weight.detach() for each in linears])
        if len(linears) > 1
        else linears[0].weight.detach()
    )


def shared(linears: Sequence[nn.Linear]) -> torch.Tensor:
    """The joined weight, of which each linear's own weight is a view from now on."""
    whole = joined(linears)
    before = 0
    for each in linears:
        each.weight.data = whole[before : before + each.out_features]
        before += each.out_features
    return whole


def whole_bias(linears: Sequence[nn.Linear]) -> torch.Tensor | None:
    if all(each.bias is None for each in linears):
        return None
    parts = [each.weight.new_zeros(each.out_features) if each.bias is None else each.bias for each in linears]
    return torch.cat([each.detach() for each in parts])


@dataclass(frozen=True)
class Norm:
    weight: torch.Tensor
    eps: float

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.rms_norm(x, self.weight.shape, self.weight, self.eps)


def norm(module: Any) -> Norm:
    return Norm(module.weight.detach(), module.variance_epsilon)


@dataclass(frozen=True)
class Layer:
    before: Norm
    qkv: Fused
    q_norm: Norm | None
    k_norm: Norm | None
    out: Fused
    after: Norm
    gate_up: Fused
    down: Fused

    @property
    def fused(self) -> tuple[Fused, ...]:
        return self.qkv, self.out, self.gate_up, self.down


def layer(at: int, module: Any, pack: bool) -> Layer:
    """A layer of a model that `applies`, its weights in four products."""
    attention, mlp, name = module.self_attn, module.mlp, f"model.layers.{at}"

    def fused(part: str, owner: Any, *names: str) -> Fused:
        return Fused({f"{name}.{part}.{each}": getattr(owner, each) for each in names}, pack)

    has_norms = children(attention) >= NORMS
    return Layer(
        before=norm(module.input_layernorm),
        qkv=fused("self_attn", attention, "q_proj", "k_proj", "v_proj"),
        q_norm=norm(attention.q_norm) if has_norms else None,
        k_norm=norm(attention.k_norm) if has_norms else None,
        out=fused("self_attn", attention, "o_proj"),
        after=norm(module.post_attention_layernorm),
        gate_up=fused("mlp", mlp, "gate_proj", "up_proj"),
        down=fused("mlp", mlp, "down_proj"),
    )
