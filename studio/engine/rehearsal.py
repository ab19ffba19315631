"""A real two-layer model and tokenizer, made on the spot: for fast tests, and for a look round with no download."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

VOCABULARY = 512
CONTEXT = 2048  # tokens
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TEXT = (
    "system user assistant",
    "Hello! How can I help you today? Thank you for asking; here is what I would do first.",
    "Please write a short answer. What is the capital of France? The capital of France is Paris.",
    "Could you tell me when my order will arrive? It left our house this morning and should be with you on Friday.",
    "I am sorry that the parcel was late. We will send another one at once, and there is nothing you need to pay.",
    "First open the settings, then choose the language that you want, and press the button to save it.",
    "The weather is fine, the water is warm, and the people of the town are walking along the river.",
    "She said that they had never seen anything like this before, and that it would not happen again.",
    "1 2 3 4 5 6 7 8 9 10, one two three four five six seven eight nine ten.",
)


def make(folder: Path, seed: int = 0) -> Path:
    """Write the model, some 360,000 parameters, and its tokenizer to `folder`, replacing what is there.

    The same seed gives the same files. Returns the folder, in which everything is whole when it appears.
    """
    staging = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    save_tokenizer(staging)
    model(seed).save_pretrained(staging)
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
    return folder


def model(seed: int) -> Any:
    """A Llama of two layers, 128 wide, with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        # Larger than usual, so that an untrained model prefers some tokens clearly and does not repeat one for ever.
        initializer_range=0.08,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def save_tokenizer(folder: Path) -> None:
    """Train a byte-level BPE on TEXT, so that any text can be written with it, and save it as transformers reads it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": SPECIAL[1],
        "eos_token": SPECIAL[2],
        "pad_token": SPECIAL[2],
        "unk_token": SPECIAL[0],
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHATML,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
