"""Llama-type models: which ones are built as the fused layer is, and how they get it.

A model is taken by its structure, not by its name: every module that the fused layer stands for must be of the class
whose code it repeats. Whoever puts it on compares its numbers with the model's own as well (kernels.choose_loss).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from studio.engine import lora
from studio.engine.attention import Attend, PackedAttention, use_packed_attention
from studio.engine.elementwise import Norm
from studio.engine.layer import Gain, Layer, Mlp, as_transformers_calls_it

# A model type and what transformers puts before its class names. SmolLM and many others are Llamas by type.
FAMILIES = {"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3", "gemma": "Gemma"}
ACTIVATIONS = {"SiLUActivation": "silu", "SiLU": "silu", "GELUTanh": "gelu"}
OF_ATTENTION, OF_MLP = ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")
CAPS = ("attn_logit_softcapping", "final_logit_softcapping")


def against(model: Any, longest: int) -> str:
    """Why a PEFT model cannot have the fused layers, in a few words; "" if it can. `longest` conversation in tokens."""
    base = model.get_base_model()
    config, decoder = base.config, base.get_decoder()
    if config.model_type not in FAMILIES:
        return f"{config.model_type} is no Llama-type family that is known"
    if any(getattr(config, name, None) for name in CAPS):
        return "capped scores"
    window = getattr(config, "sliding_window", None)
    if window and longest > window:
        return f"the model attends within {window} tokens"
    foreign = [each for each, role in roles(decoder) if not is_own(each, config.model_type, role)]
    if foreign:
        return f"{type(foreign[0]).__name__} is not the family's own"
    return next(filter(None, map(against_layer, decoder.layers)), "")


def roles(decoder: Any) -> Iterator[tuple[Any, str]]:
    """Each module that the fused form stands for, or relies on, with what it should be."""
    yield decoder, "Model"
    yield decoder.rotary_emb, "RotaryEmbedding"
    yield decoder.norm, "RMSNorm"
    for layer in decoder.layers:
        yield layer, "DecoderLayer"
        yield layer.self_attn, "Attention"
        yield layer.mlp, "MLP"
        for name, each in [*layer.named_children(), *layer.self_attn.named_children()]:
            if name.endswith("norm"):
                yield each, "RMSNorm"


def is_own(module: Any, family: str, role: str) -> bool:
    """Whether a module is of transformers' own class for this role, with nothing hung on it."""
    kind = type(module)
    known = (f"transformers.models.{family}.modeling_{family}", FAMILIES[family] + role)
    untouched = "forward" not in vars(module) and not module._forward_hooks and not module._forward_pre_hooks
    return (kind.__module__, kind.__name__) == known and untouched


def against_layer(layer: Any) -> str:
    attention, mlp = layer.self_attn, layer.mlp
    if attention.attention_dropout or not attention.is_causal:
        return "attention with dropout or without order"
    if type(mlp.act_fn).__name__ not in ACTIVATIONS:
        return f"an activation that is not known ({type(mlp.act_fn).__name__})"
    norms = {name for name, _ in [*layer.named_children(), *attention.named_children()] if "norm" in name}
    if norms - {"input_layernorm", "post_attention_layernorm", "q_norm", "k_norm"}:
        return "norms in other places"
    linears = [getattr(attention, name) for name in OF_ATTENTION] + [getattr(mlp, name) for name in OF_MLP]
    return next(filter(None, map(lora.unknown_to_us, linears)), "") or against_ranks(linears)


def against_ranks(linears: list[Any]) -> str:
    """Linears that read the same input share one product for their A, so rank and scale must be the same."""
    kinds = {(each.r[lora.ADAPTER], each.scaling[lora.ADAPTER]) for each in linears}
    return "adapters of different ranks" if len(kinds) > 1 else ""


def put_on(model: Any, keep: bool, attend: Attend = PackedAttention.apply) -> None:
    """Give the decoder layers and the last norm their fused forward; `keep` 4-bit weights whole. `restore` undoes it."""
    base = model.get_base_model()
    decoder, dtype = base.get_decoder(), base.dtype
    use_packed_attention(base, attend)
    for layer in decoder.layers:
        layer.forward = as_transformers_calls_it(fused(layer, dtype, keep, attend), layer)
    last = gain(decoder.norm)
    decoder.norm.forward = lambda x: Norm.apply(x, last.gain, last.eps)


def take_off(model: Any) -> None:
    decoder = model.get_base_model().get_decoder()
    for module in [*getattr(decoder, "layers", []), getattr(decoder, "norm", None)]:
        vars(module).pop("forward", None) if module is not None else None


def fused(layer: Any, dtype: torch.dtype, keep: bool, attend: Attend) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp
    qkv, qkv_adapters = lora.grouped([attention.q_proj, attention.k_proj, attention.v_proj], dtype, keep)
    out, out_adapters = lora.grouped([attention.o_proj], dtype, keep)
    pair, pair_adapters = lora.grouped([mlp.gate_proj, mlp.up_proj], dtype, keep)
    down, down_adapters = lora.grouped([mlp.down_proj], dtype, keep)
    kind = ACTIVATIONS[type(mlp.act_fn).__name__]
    return Layer(
        norm=gain(layer.input_layernorm),
        attention=qkv,
        attention_adapters=qkv_adapters,
        query_norm=gain(attention.q_norm) if hasattr(attention, "q_norm") else None,
        key_norm=gain(attention.k_norm) if hasattr(attention, "k_norm") else None,
        width=attention.head_dim,
        scale=attention.scaling,
        out=out,
        out_adapters=out_adapters,
        mlp=Mlp(gain(layer.post_attention_layernorm), pair, down, kind),
        mlp_adapters=[*pair_adapters, *down_adapters],
        attend=attend,
    )


def gain(norm: Any) -> Gain:
    """Gemma stores its gains less one, and multiplies in fp32; the others multiply in their own precision."""
    if type(norm).__name__ == "GemmaRMSNorm":
        return Gain(1.0 + norm.weight.float(), norm.eps)
    return Gain(norm.weight, norm.variance_epsilon)
