"""Tiny models of several architectures with random weights, each with an adapter that changes its answers."""

import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from studio.core.encode import IGNORED, Encoded
from studio.core.recipe import Recipe
from studio.engine import batches, preparing

SMALL = {
    "vocab_size": 160,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
    "attention_dropout": 0.0,
    "hidden_dropout": 0.0,
    "pad_token_id": 0,
}
WITH_FAMILY = ("llama", "qwen2", "qwen3", "mistral", "gemma")
WITHOUT_FAMILY = ("olmo2", "gpt_neox", "phi")


def model(kind, dtype=torch.float32, **settings):
    """A PEFT model in eval mode; `settings` change its configuration."""
    if kind in ("qwen3", "gemma", "gemma2"):
        settings = {"head_dim": 16, **settings}
    config = CONFIG_MAPPING[kind](**{**SMALL, **settings})
    torch.manual_seed(3)
    base = AutoModelForCausalLM.from_config(config, dtype=dtype)
    for name, weight in base.named_parameters():
        if "norm" in name or name.endswith("bias"):  # else gains are all one and biases all zero
            weight.data += 0.3 * torch.randn_like(weight)
    return with_trained_adapter(base)


def with_trained_adapter(base):
    peft = preparing.with_adapter(base.requires_grad_(False).eval(), Recipe(rank=4))
    torch.manual_seed(4)
    for name, weight in peft.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(0, 0.05)
    return peft.eval()


def row(lengths=(9, 23, 14), vocabulary=SMALL["vocab_size"], shared=4):
    """A packed row of random conversations that begin alike, in which about half the other tokens are learned."""
    numbers = torch.Generator().manual_seed(5)
    talks = []
    for length in lengths:
        ids = torch.randint(1, vocabulary, (length,), generator=numbers).tolist()
        ids[:shared] = range(20, 20 + shared)
        learned = torch.rand(length, generator=numbers).gt(0.5)
        learned[: shared + 1] = False
        talks.append(
            Encoded(ids, [id if yes else IGNORED for id, yes in zip(ids, learned.tolist(), strict=True)])
        )
    return batches.pack(talks)


def gradients(model, loss, row):
    """Of every adapter weight, by name, in fp32."""
    model.zero_grad()
    loss(model, row).backward()
    return {name: each.grad.float() for name, each in model.named_parameters() if each.grad is not None}


def relative(one, two):
    """How far two sets of gradients, or two tensors, lie apart, as a share of the second."""
    if isinstance(one, dict):
        assert one.keys() == two.keys()
        one, two = (torch.cat([each[name].flatten() for name in two]) for each in (one, two))
    return float((one.float() - two.float()).norm() / two.float().norm())
