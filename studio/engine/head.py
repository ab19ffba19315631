"""The loss at learned positions only."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function

CHUNK = (
    256  # learned positions whose scores over the vocabulary are held at once: fewer make the products slower
)
FEW = 4  # of these, whose chances are made at once on a processor: in fp32 they fit its nearest caches


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
        # One buffer for all chunks: a new one each time would be fetched from the system page by page, which took
        # longer than the products.
        low = hidden.new_empty(min(CHUNK, len(hidden)), len(weight))
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for start in range(0, len(targets), CHUNK):
            wanted = targets[start : start + CHUNK, None]
            scores = low[: len(wanted)]
            torch.mm(hidden[start : start + CHUNK], weight.t(), out=scores)
            if bias is not None:
                scores += bias
            total += losses(scores, wanted)
            if grad is not None:
                torch.mm(scores, weight, out=grad[start : start + CHUNK])
        if grad is not None:
            ctx.save_for_backward(grad)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = ctx.saved_tensors
        return grad * grads[0].to(grad.dtype), None, None, None


def losses(scores: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The summed loss of `scores` [N, vocabulary] for `wanted` [N, 1]; their own gradient then stands in their place."""
    few = FEW if scores.device.type == "cpu" else CHUNK
    full = torch.empty_like(scores[:few], dtype=torch.float32)
    total = torch.zeros((), dtype=torch.float32, device=scores.device)
    for low, place in zip(scores.split(few), wanted.split(few), strict=True):
        chances, highest = full[: len(low)], low.amax(1, keepdim=True)
        torch.softmax(chances.copy_(low), 1, out=chances)
        # From the highest score's chance, which is never rounded to nothing, as the wanted one's may be.
        log_sum = highest.float() - chances.amax(1, keepdim=True).log()
        total += (log_sum - low.gather(1, place)).sum()
        low.copy_(chances.scatter_add_(1, place, torch.full_like(log_sum, -1.0)))
    return total
