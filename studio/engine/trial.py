"""A trial of a few milliseconds: how fast this CPU multiplies in each number format."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

ROWS = 256  # about a conversation's worth of tokens


def trial(size: int, forms: Sequence[str]) -> dict[str, float]:
    """Seconds that one square linear of `size` takes on the CPU as training uses it, in each form; the best of seven."""
    import torch
    from torch.nn.functional import linear

    size = min(max(64, size // 64 * 64), 4096)
    plain = {"bf16": torch.bfloat16, "fp32": torch.float32}
    weight, rows = torch.randn(size, size), torch.randn(ROWS, size)

    def product(form: str) -> Callable[[], torch.Tensor]:
        if form == "nf4":
            whole, x = four_bit(weight), rows.to(torch.bfloat16)
            return lambda: linear(x, whole())
        y, x = weight.to(plain[form]), rows.to(plain[form])
        return lambda: linear(x, y)

    with torch.inference_mode():
        return {form: best_of(7, product(form)) for form in forms}


def four_bit(weight: Any) -> Callable[[], Any]:
    """A function that makes the weight whole again out of 4 bits, in bf16."""
    import torch

    quiet_bitsandbytes()
    # The package before its part: Python waits for one that another thread is importing, but not for the package of a
    # part; and only at its end it tells torch how the CPU does it.
    import bitsandbytes  # noqa: F401
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    packed, state = quantize_4bit(weight.to(torch.bfloat16), quant_type="nf4", compress_statistics=True)
    return lambda: dequantize_4bit(packed, state)


def best_of(times: int, work: Callable[[], object]) -> float:
    def once() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    work()  # the first call also builds what later ones reuse
    return min(once() for _ in range(times))


def quiet_bitsandbytes() -> None:
    """Keep bitsandbytes from telling, when it is imported, that it could fetch a kernel from the hub: it shall not."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
