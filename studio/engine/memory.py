"""Memory: what a run took, and the sentence when it ran out."""

from __future__ import annotations

import sys

import psutil

from studio.core.errors import DoesNotFit


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


def held() -> int:
    """The memory that this process holds now, in bytes; on CUDA, on the accelerator."""
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            return int(torch.cuda.memory_allocated())
    return int(psutil.Process().memory_info().rss)


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
