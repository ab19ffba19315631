"""The forecast of a step's memory against what a step keeps, and what is chosen when memory is short."""

import pytest
import torch

from studio.engine import device, fitting, forecast, kernels
from tests.engine.architectures import gradients, model, relative, row

SHAPE = forecast.Shape(30, 576, 1536, 9, 3, 64, 49152, 2)  # the starter's, in bf16
GB = 2**30


def kept(peft, loss, packed):
    """Bytes that are held between forward and backward, besides the weights."""
    weights = {each.untyped_storage().data_ptr() for each in peft.parameters()}
    seen = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        held = loss(peft, packed)  # kept alive, so that no two storages have the same place
    assert held.requires_grad
    return sum(seen.values())


@pytest.mark.parametrize(
    ("kind", "form", "least"),
    [
        ("llama", forecast.FUSED, 0.7),
        ("qwen3", forecast.FUSED, 0.7),
        ("gemma", forecast.FUSED, 0.7),
        ("llama", forecast.NEUTRAL, 0.7),
        ("olmo2", forecast.NEUTRAL, 0.7),
        ("gpt_neox", forecast.NEUTRAL, 0.5),  # has no gate, which the forecast does not look for
    ],
)
def test_the_forecast_is_near_what_the_layers_keep(kind, form, least):
    peft = model(kind, torch.bfloat16, hidden_size=256, intermediate_size=640, head_dim=64)
    packed = row((100, 60, 90))
    put_on = kernels.family.put_on if form == forecast.FUSED else kernels.put_on_any
    put_on(peft, False)
    foreseen = forecast.kept_by_layers(forecast.shape(peft.get_base_model()), 250, 100, form)

    assert least < kept(peft, kernels.fast_loss, packed) / foreseen < 1.3


def test_with_memory_to_spare_rows_are_long_and_nothing_is_computed_twice():
    plan = forecast.plan(SHAPE, 600, forecast.FUSED, 16 * GB, 200 * 2**20)

    assert (plan.row, plan.again, plan.keep) == (forecast.ROW, False, True)
    assert 1 * GB < plan.needed < 3 * GB


def test_less_memory_gives_shorter_rows_but_none_shorter_than_the_longest_conversation():
    some = forecast.plan(SHAPE, 600, forecast.FUSED, int(1.5 * GB), 0)
    least = forecast.plan(SHAPE, 600, forecast.FUSED, GB, 0)

    assert 600 <= least.row < some.row < forecast.ROW
    assert not some.again


def test_where_the_longest_conversation_does_not_fit_layers_are_computed_again():
    plan = forecast.plan(SHAPE, 2000, forecast.FUSED, int(1.2 * GB), 200 * 2**20)

    assert (plan.again, plan.keep) == (True, False)
    assert "computed again in the backward" in plan.told(200 * 2**20)
    assert "made whole at each use" in plan.told(200 * 2**20)


@pytest.mark.parametrize("kind", ["llama", "gpt_neox"])
def test_layers_that_are_computed_again_give_the_same_gradient_and_keep_less(kind, monkeypatch):
    roomy, short = model(kind, num_hidden_layers=6), model(kind, num_hidden_layers=6)
    packed = row((60, 40))
    expected = gradients(roomy, kernels.plain_loss, packed)
    ample = fitting.fit(roomy, packed, 60, "cpu")
    monkeypatch.setattr(device, "available_memory", lambda _: 1)
    scarce = fitting.fit(short.train(), packed, 60, "cpu")

    assert "computed again" in scarce.told
    assert "computed again" not in ample.told
    assert relative(gradients(short, scarce.loss, packed), expected) < 1e-5
    assert kept(short, scarce.loss, packed) < 0.5 * kept(roomy, ample.loss, packed)


def test_a_configuration_in_words_of_its_own_is_trained_without_a_forecast(monkeypatch):
    monkeypatch.setattr(forecast, "shape", lambda _: (_ for _ in ()).throw(AttributeError("no such word")))
    fit = fitting.fit(model("llama"), row(), 23, "cpu")

    assert fit.row == forecast.ROW
    assert fit.loss is kernels.fast_loss
