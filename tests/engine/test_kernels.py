"""Each fast part against its plain twin, in fp32, on a real model."""

import pytest
import torch
from torch.nn.functional import cross_entropy, linear

from studio.core.encode import encode
from studio.core.recipe import Recipe
from studio.core.records import Message
from studio.engine import batches, kernels, models, worker


@pytest.fixture
def model(rehearsal_path):
    model = worker.with_adapter(models.load(rehearsal_path, "fp32", "cpu"), Recipe(rank=4))
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(0, 0.05)
    return model


@pytest.fixture
def row(rehearsal_path):
    template = models.ChatTemplate(models.load_tokenizer(rehearsal_path))
    talks = [
        ("Where is my parcel?", "On the boat."),
        ("Hum", "That is the dimmer, and it is harmless."),
        ("Why", "So."),
    ]
    return batches.pack([encode((Message("user", q), Message("assistant", a)), template) for q, a in talks])


def gradients(model, loss, row):
    model.zero_grad()
    loss(model, row).backward()
    return torch.cat([each.grad.flatten() for each in model.parameters() if each.grad is not None])


def relative(one, two):
    return float((one - two).norm() / two.norm())


def test_the_fast_form_gives_the_losses_and_gradients_of_one_conversation_at_a_time(model, row):
    plain, plain_gradient = kernels.plain_loss(model, row).item(), gradients(model, kernels.plain_loss, row)
    loss, why = kernels.choose_loss(model, row, longest=100)

    assert loss is kernels.fast_loss, why
    assert loss(model, row).item() == pytest.approx(plain, rel=1e-5)
    assert relative(gradients(model, loss, row), plain_gradient) < 1e-5


def test_conversations_that_see_each_other_are_found_out(model, row, monkeypatch):
    """The switch that brings the bug back: attention over the whole row."""
    whole = kernels.PackedAttention.apply
    monkeypatch.setattr(
        kernels.PackedAttention,
        "apply",
        lambda q, k, v, lengths, scale: whole(q, k, v, (sum(lengths),), scale),
    )
    loss, why = kernels.choose_loss(model, row, longest=100)

    assert loss is kernels.plain_loss
    assert "differs from the model's own" in why


def test_after_a_refusal_the_model_is_as_it_was(model, row, monkeypatch):
    before = gradients(model, kernels.plain_loss, row)
    monkeypatch.setattr(kernels, "differs", lambda *_: kernels.fuse_lora(model) and "it was told to")
    loss, _ = kernels.choose_loss(model, row, longest=100)

    assert relative(gradients(model, loss, row), before) < 1e-6


def test_a_conversation_longer_than_a_sliding_window_takes_the_plain_form(model, row):
    model.get_base_model().config.sliding_window = 32

    assert kernels.choose_loss(model, row, longest=33)[0] is kernels.plain_loss
    assert kernels.choose_loss(model, row, longest=32)[0] is kernels.fast_loss


def test_the_head_loss_is_cross_entropy_summed_over_chunks():
    torch.manual_seed(0)
    hidden = torch.randn(kernels.CHUNK + 7, 16, requires_grad=True)
    weight, targets = torch.randn(40, 16), torch.randint(0, 40, (kernels.CHUNK + 7,))
    expected = cross_entropy(linear(hidden, weight), targets, reduction="sum")
    (expected_gradient,) = torch.autograd.grad(expected, hidden)
    found = kernels.HeadLoss.apply(hidden, weight, targets)
    (gradient,) = torch.autograd.grad(found, hidden)

    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    assert relative(gradient, expected_gradient) < 1e-5


def test_a_4_bit_base_gives_the_gradients_of_its_own_weights_made_whole(rehearsal_path, row):
    """NF4 through the fused linear against plain linears over the same weights, taken out of their 4 bits once."""
    from bitsandbytes.functional import dequantize_4bit

    packed = worker.with_adapter(models.load(rehearsal_path, "nf4", "cpu"), Recipe(rank=4))
    whole = worker.with_adapter(models.load(rehearsal_path, "bf16", "cpu"), Recipe(rank=4))
    layers = zip(kernels.lora_layers(packed, "default"), kernels.lora_layers(whole, "default"), strict=True)
    for four, sixteen in layers:
        weight = four.get_base_layer().weight
        sixteen.get_base_layer().weight.data = dequantize_4bit(weight.data, weight.quant_state).bfloat16()
    for model in (packed, whole):
        kernels.use_packed_attention(model.get_base_model())
        kernels.fuse_lora(model)

    assert (
        relative(gradients(packed, kernels.fast_loss, row), gradients(whole, kernels.fast_loss, row)) < 1e-3
    )
