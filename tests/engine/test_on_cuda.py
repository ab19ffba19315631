"""The fast forms on an accelerator: the same code, so the same gradients."""

import pytest
import torch

from studio.core.recipe import Recipe
from studio.engine import fitting, kernels, models, preparing
from tests.engine.architectures import gradients, model, relative, row

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA accelerator"),
]
EXACT, BF16_NOISE = 1e-4, 0.05


@pytest.fixture(autouse=True)
def whole_products():
    """TF32 would round fp32 products to ten bits."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma", "olmo2"])
def test_the_form_that_is_chosen_on_cuda_gives_the_gradients_of_one_conversation_at_a_time(kind):
    peft, packed = model(kind).to("cuda"), row().to("cuda")
    expected = gradients(peft, kernels.plain_loss, packed)
    fit = fitting.fit(peft, packed, 23, "cuda")

    assert fit.loss is kernels.fast_loss, fit.told
    assert relative(gradients(peft, fit.loss, packed), expected) < EXACT


def test_a_4_bit_base_on_cuda_gives_the_gradients_of_peft_and_bitsandbytes(rehearsal_path):
    peft = preparing.with_adapter(models.load(rehearsal_path, "nf4", "cuda"), Recipe(rank=4))
    packed = row().to("cuda")
    expected = gradients(peft, kernels.plain_loss, packed)
    fit = fitting.fit(peft, packed, 23, "cuda")

    assert fit.loss is kernels.fast_loss, fit.told
    assert relative(gradients(peft, fit.loss, packed), expected) < BF16_NOISE


@pytest.mark.parametrize("kind", ["llama", "olmo2"])
def test_in_16_bits_the_flash_kernels_are_taken_and_give_the_gradients_of_one_conversation_at_a_time(kind):
    peft, packed = model(kind).to("cuda", torch.bfloat16), row().to("cuda")
    expected = gradients(peft, kernels.plain_loss, packed)
    fit = fitting.fit(peft, packed, 23, "cuda")

    assert "flash attention" in fit.told
    assert relative(gradients(peft, fit.loss, packed), expected) < BF16_NOISE
