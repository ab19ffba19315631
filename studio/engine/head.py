"""The loss at learned positions only."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function

CHUNK = (
    128  # learned positions whose scores over the vocabulary are held at once: they fit a processor's cache
)


class HeadLoss(Function):
    """Sum of the token losses of `hidden` [N, width] under the head `weight` [vocabulary, width] and `bias`; targets [N].

    The gradient for `hidden` is made in the forward, chunk by chunk, so that the scores of all positions over the whole
    vocabulary never stand in memory at once. The head is frozen and gets no gradient. The chances are fp32, whatever the
    precision of the model; only the two products are in its own.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, bias: Any, targets: torch.Tensor) -> torch.Tensor:  # fmt: skip
        learns = ctx.needs_input_grad[0]
        grad = torch.empty_like(hidden) if learns else None
        # Two buffers for all chunks: a new one each time would be fetched from the system page by page, which took
        # longer than the products.
        low = hidden.new_empty(min(CHUNK, len(hidden)), len(weight))
        full = torch.empty_like(low, dtype=torch.float32)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for start in range(0, len(targets), CHUNK):
            wanted = targets[start : start + CHUNK, None]
            scores, chances = low[: len(wanted)], full[: len(wanted)]
            torch.mm(hidden[start : start + CHUNK], weight.t(), out=scores)
            if bias is not None:
                scores += bias
            highest, place = scores.max(1, keepdim=True)
            torch.softmax(chances.copy_(scores), 1, out=chances)
            log_sum = highest.float() - chances.gather(1, place).log()
            total += (log_sum - scores.gather(1, wanted)).sum()
            if grad is not None:
                chances.scatter_add_(1, wanted, torch.full_like(log_sum, -1.0))
                torch.mm(scores.copy_(chances), weight, out=grad[start : start + CHUNK])
        if grad is not None:
            ctx.save_for_backward(grad)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = ctx.saved_tensors
        return grad * grads[0].to(grad.dtype), None, None, None
