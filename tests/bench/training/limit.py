"""How fast this machine multiplies matrices in bf16 on a model's own shapes, and what a training step asks of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from studio.engine import device
from tests.bench.training.marks import RESULT

ROWS, TIMES = 1536, 7


def best(work: Callable[[], object]) -> float:
    work()
    seconds = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def main() -> None:
    device.choose()
    model = AutoModelForCausalLM.from_pretrained(Path(sys.argv[1]), dtype=torch.bfloat16)
    head = model.get_output_embeddings()
    shapes = [
        each.weight.shape for each in model.modules() if isinstance(each, nn.Linear) and each is not head
    ]
    operations, seconds = 0, 0.0
    for out, into in set(shapes):
        count = shapes.count(torch.Size((out, into)))
        weight, rows, grad = torch.randn(out, into).bfloat16(), torch.randn(ROWS, into).bfloat16(), torch.randn(ROWS, out).bfloat16()  # fmt: skip
        seconds += count * (best(lambda w=weight, x=rows: x @ w.t()) + best(lambda w=weight, g=grad: g @ w))
        operations += count * 4 * ROWS * out * into
    told = {
        "limit_gflops": round(operations / seconds / 1e9, 1),
        # Forward and the gradient of the input through each frozen linear; the head likewise, at learned positions.
        "gflop_per_token": round(operations / ROWS / 1e9, 4),
        "head_gflop_per_learned_token": round(4 * head.weight.numel() / 1e9, 4),
    }
    print(RESULT + json.dumps(told))


if __name__ == "__main__":
    main()
