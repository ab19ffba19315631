"""LoRA adapters as PEFT writes them: read, matched with the linears they change, and merged."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from studio.core.errors import ModelNotReady

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
PREFIX = "base_model.model."
# Settings that change what an adapter computes in ways that the sums below do not follow.
UNKNOWN = (
    "use_dora",
    "lora_bias",
    "modules_to_save",
    "alpha_pattern",
    "layer_replication",
    "trainable_token_indices",
    "use_qalora",
    "arrow_config",
    "target_parameters",
)
# Ways to begin that leave the base's weights as they are; the others (PiSSA and its kin) change them.
STARTS = (True, False, "gaussian", "eva", "orthogonal")


@dataclass(frozen=True, eq=False)
class Adapter:
    """For each linear by its name in the model: A [inputs, rank] and B [rank, outputs] in fp32, the strength within B."""

    name: str
    linears: dict[str, tuple[torch.Tensor, torch.Tensor]]
    fingerprint: str


def read(folder: Path, device: str = "cpu") -> Adapter:
    """Read an adapter. Raises ModelNotReady where it is missing, damaged, or of a kind that the studio cannot answer with."""
    try:
        settings = json.loads((folder / CONFIG).read_text("utf-8"))
        tensors = load_file(folder / WEIGHTS, device=device)
        print_of = fingerprint(folder)
    except Exception as error:  # safetensors has exceptions of its own
        raise ModelNotReady(
            f"The adapter in {folder} is missing or damaged. Train again, or choose another run."
        ) from error
    refuse_unknown(folder, settings)
    linears = dict(pairs(folder, settings, tensors))
    return Adapter(str(folder), linears, print_of)


def fingerprint(folder: Path) -> str:
    """Over the weights and the settings: the same weights at another strength answer differently."""
    both = (folder / CONFIG).read_bytes() + (folder / WEIGHTS).read_bytes()
    return hashlib.sha256(both).hexdigest()


def refuse_unknown(folder: Path, settings: dict[str, Any]) -> None:
    found = [name for name in UNKNOWN if settings.get(name)]
    if settings.get("peft_type") != "LORA":
        found.append(f"type {settings.get('peft_type')}")
    if settings.get("bias", "none") != "none":
        found.append("bias")
    if settings.get("init_lora_weights", True) not in STARTS:
        found.append(f"started by {settings['init_lora_weights']}")
    if found:
        raise ModelNotReady(
            f"The adapter in {folder} is of a kind that the studio cannot answer with ({', '.join(found)}). "
            "Use an adapter that was trained here, or plain LoRA."
        )


def pairs(
    folder: Path, settings: dict[str, Any], tensors: dict[str, torch.Tensor]
) -> Iterator[tuple[str, tuple[torch.Tensor, torch.Tensor]]]:
    firsts = [name for name in tensors if name.endswith(".lora_A.weight")]
    if not firsts or len(tensors) != 2 * len(firsts):
        raise ModelNotReady(
            f"The adapter in {folder} holds more than plain LoRA weights. Use one that was trained here."
        )
    for name in firsts:
        a, b = tensors[name].float(), tensors[name.replace("lora_A", "lora_B")].float()
        rank = a.shape[0]
        scale = settings["lora_alpha"] / (math.sqrt(rank) if settings.get("use_rslora") else rank)
        linear = name.removeprefix(PREFIX).removesuffix(".lora_A.weight")
        yield linear, (a.t().contiguous(), (b * scale).t().contiguous())


def linears_of(model: Any, adapter: Adapter) -> Iterator[tuple[nn.Linear, torch.Tensor, torch.Tensor]]:
    """Each linear of the model that the adapter changes, with its A and B. Raises ModelNotReady where one does not fit."""
    modules = dict(model.named_modules())
    for name, (a, b) in adapter.linears.items():
        linear = modules.get(name)
        if not isinstance(linear, nn.Linear) or (linear.in_features, linear.out_features) != (
            a.shape[0],
            b.shape[1],
        ):
            raise ModelNotReady(
                f"The adapter in {adapter.name} does not fit this base model ({name}). Choose the base it was trained on."
            )
        yield linear, a, b


@torch.inference_mode()
def merge(model: Any, adapter: Adapter) -> None:
    """Add the adapter to the model's own weights, in place; each sum is made in fp32 and rounded once."""
    for linear, a, b in linears_of(model, adapter):
        delta = (a @ b).t()
        linear.weight.data = (linear.weight.data.float() + delta).to(linear.weight.dtype)
