"""Memory: what a run will need, what it took, and the sentence when it ran out."""

from __future__ import annotations

import sys

import psutil

from studio.core.errors import DoesNotFit
from studio.core.recipe import Recipe

# Bytes of activations that one token of a packed row leaves behind per layer and unit of width, measured on a
# 30-layer, 576-wide model with bf16 rows: inputs of seven linears, the attention and two norms, kept for the backward.
ACTIVATION = 60


def forecast(parameters: int, layers: int, width: int, row: int, recipe: Recipe, precision: str) -> int:
    """Bytes that training will take at its peak: weights, adapter with its optimizer, activations of one row, the rest."""
    a_weight = {"nf4": 0.6, "bf16": 2.0, "fp32": 4.0}[precision]
    adapter = 16 * 2 * recipe.rank * width * 7 * layers
    return int(a_weight * parameters + adapter + ACTIVATION * row * width * layers + 700 * 2**20)


def peak() -> int:
    """The most memory this process has held, in bytes; on CUDA, the most held on the accelerator."""
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            return int(torch.cuda.max_memory_allocated())
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory ran out, in any of the ways in which torch says it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


def explained() -> DoesNotFit:
    """The sentence for a run that ran out of memory."""
    free = psutil.virtual_memory()
    return DoesNotFit(
        f"Training ran out of memory: it held {peak() / 2**30:.1f} GB and {free.available / 2**30:.1f} of "
        f"{free.total / 2**30:.1f} GB were left. Leave out the longest conversations, choose nf4, or a smaller base model."
    )
