"""Models with random weights for the benchmark: about the starter's size, in other shapes and architectures."""

from __future__ import annotations

import shutil
from pathlib import Path

SHAPES = {
    # No family form: norms behind the layers and over whole query and key rows.
    "olmo2": {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3},
    # Wider and shallower, at three times the starter's weights.
    "llama": {"hidden_size": 1536, "intermediate_size": 4096, "num_hidden_layers": 12, "num_attention_heads": 24, "num_key_value_heads": 8},
}  # fmt: skip


def model(kind: str, folder: Path, base: Path) -> Path:
    """Write a model of `kind` with the tokenizer of `base`; returns its folder."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    shutil.copytree(base, folder, ignore=shutil.ignore_patterns("*.safetensors", "config.json", "manifest*"))
    config = CONFIG_MAPPING[kind](
        vocab_size=49152,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        **SHAPES[kind],
    )
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    return folder
