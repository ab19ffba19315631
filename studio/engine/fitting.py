"""Fits a training step to model and memory: which form computes it, how long its rows are, what is computed twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.core.steps import ROW
from studio.engine import device, family, forecast, kernels
from studio.engine.batches import Pack
from studio.engine.lora import lora_layers


@dataclass(frozen=True)
class Fit:
    """`told` says what was chosen, and why not what is faster. `row`: tokens of the longest one; `token`: bytes that one
    more token in it takes, `step`: those that a step with such a row takes; 0 where that is not known."""

    loss: kernels.Loss
    row: int
    told: str
    token: int = 0
    step: int = 0


def fit(model: Any, sample: Pack, longest: int, on: str) -> Fit:
    """Put on the fastest form that is right for a PEFT model, in rows that fit the memory of the device `on`.

    `sample`: a row of two conversations or more, on that device; `longest` conversation in tokens.
    """
    base, whole = model.get_base_model(), four_bit_made_whole(model)
    try:
        shape = forecast.shape(base)
    except AttributeError:  # a configuration in words of its own cannot be forecast; most memories hold a row
        loss, told = kernels.choose_loss(model, sample, longest)
        return Fit(loss, ROW, told)
    available = device.available_memory(on)
    form = forecast.NEUTRAL if family.against(model, longest) else forecast.FUSED
    plan = forecast.plan(shape, longest, form, available, whole)
    loss, told = kernels.choose_loss(model, sample, longest, plan.keep)
    if loss is kernels.plain_loss:
        whole, plan = 0, forecast.plan(shape, longest, forecast.PLAIN, available, 0)
    if plan.again:
        base.gradient_checkpointing_enable({"use_reentrant": False})
    return Fit(loss, plan.row, f"{told}; {plan.told(whole)}", plan.token, plan.needed)


def four_bit_made_whole(model: Any) -> int:
    """Bytes that the 4-bit weights under the adapters would take in the precision of their products; 0 without any."""
    bases = [each.get_base_layer() for each in lora_layers(model)]
    numbers = sum(
        each.in_features * each.out_features for each in bases if hasattr(each.weight, "quant_state")
    )
    return int(numbers * model.get_base_model().dtype.itemsize)
