"""Each fast part against its plain twin, in fp32, on a real model."""

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit
from torch.nn.functional import cross_entropy, linear

from studio.core.encode import encode
from studio.core.records import Message
from studio.engine import attention, batches, family, kernels, lora, models
from studio.engine.head import CHUNK, HeadLoss
from tests.engine.architectures import gradients, relative, with_trained_adapter

BF16_NOISE = 0.05  # gradients of plain PEFT in bf16 lie up to this far from those in fp32


@pytest.fixture
def model(rehearsal_path):
    return with_trained_adapter(models.load(rehearsal_path, "fp32", "cpu"))


@pytest.fixture
def row(rehearsal_path):
    template = models.ChatTemplate(models.load_tokenizer(rehearsal_path))
    talks = [
        ("Where is my parcel?", "On the boat."),
        ("Hum", "That is the dimmer, and it is harmless."),
        ("Why", "So."),
    ]
    return batches.pack([encode((Message("user", q), Message("assistant", a)), template) for q, a in talks])


def test_the_fast_form_gives_the_losses_and_gradients_of_one_conversation_at_a_time(model, row):
    plain, plain_gradient = kernels.plain_loss(model, row).item(), gradients(model, kernels.plain_loss, row)
    loss, why = kernels.choose_loss(model, row, longest=100)

    assert loss is kernels.fast_loss, why
    assert loss(model, row).item() == pytest.approx(plain, rel=1e-5)
    assert relative(gradients(model, loss, row), plain_gradient) < 1e-5


def test_conversations_that_see_each_other_are_found_out(model, row, monkeypatch):
    """The switch that brings the bug back: attention over the whole row."""
    monkeypatch.setattr(
        attention, "spans", lambda lengths, start=0: iter([slice(start, start + sum(lengths))])
    )
    loss, why = kernels.choose_loss(model, row, longest=100)

    assert loss is kernels.plain_loss
    assert "differs from the model's own" in why


def test_after_a_refusal_the_model_is_as_it_was(model, row, monkeypatch):
    before = gradients(model, kernels.plain_loss, row)
    monkeypatch.setattr(kernels, "differs", lambda *_: "it was told to")
    loss, _ = kernels.choose_loss(model, row, longest=100)

    assert loss is kernels.plain_loss
    assert relative(gradients(model, loss, row), before) == 0.0


def test_a_conversation_longer_than_a_sliding_window_takes_the_plain_form(model, row):
    model.get_base_model().config.sliding_window = 32

    assert kernels.choose_loss(model, row, longest=33)[0] is kernels.plain_loss
    assert kernels.choose_loss(model, row, longest=32)[0] is kernels.fast_loss


def test_the_head_loss_is_cross_entropy_summed_over_chunks():
    torch.manual_seed(0)
    hidden = torch.randn(CHUNK + 7, 16, requires_grad=True)
    weight, bias, targets = torch.randn(40, 16), torch.randn(40), torch.randint(0, 40, (CHUNK + 7,))
    expected = cross_entropy(linear(hidden, weight, bias), targets, reduction="sum")
    (expected_gradient,) = torch.autograd.grad(expected, hidden)
    found = HeadLoss.apply(hidden, weight, bias, targets)
    (gradient,) = torch.autograd.grad(found, hidden)

    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    assert relative(gradient, expected_gradient) < 1e-5


@pytest.fixture
def four_bit(rehearsal_path):
    return with_trained_adapter(models.load(rehearsal_path, "nf4", "cpu"))


@pytest.mark.parametrize("put_on", [kernels.put_on_any, family.put_on])
@pytest.mark.parametrize("keep", [False, True], ids=["whole at each use", "whole once"])
def test_a_4_bit_base_gives_the_gradients_of_its_own_weights_made_whole(rehearsal_path, row, four_bit, put_on, keep):  # fmt: skip
    """NF4 through a fast form against plain PEFT over the same weights, taken out of their 4 bits once."""
    whole = with_trained_adapter(models.load(rehearsal_path, "bf16", "cpu"))
    for four, sixteen in zip(lora.lora_layers(four_bit), lora.lora_layers(whole), strict=True):
        weight = four.get_base_layer().weight
        sixteen.get_base_layer().weight.data = dequantize_4bit(weight.data, weight.quant_state).bfloat16()
    put_on(four_bit, keep)

    expected = gradients(whole, kernels.plain_loss, row)
    assert relative(gradients(four_bit, kernels.fast_loss, row), expected) < BF16_NOISE


def test_a_4_bit_base_gives_the_gradients_of_peft_and_bitsandbytes_within_their_rounding(row, four_bit):
    """bitsandbytes' product on the CPU rounds each block's scale to bf16, so the two never agree to the last bit."""
    expected = gradients(four_bit, kernels.plain_loss, row)
    loss, why = kernels.choose_loss(four_bit, row, longest=100, keep=True)

    assert loss is kernels.fast_loss, why
    assert relative(gradients(four_bit, loss, row), expected) < BF16_NOISE
