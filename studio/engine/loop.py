"""The training loop. Everything it needs is handed in; everything it learns is emitted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from studio.core.errors import TrainingFailed
from studio.core.progress import Evaluated, Event, Skipped, Stepped
from studio.engine.batches import Pack

Loss = Callable[[Any, Pack], torch.Tensor]
BAD_UPDATES = 3  # one bad update may be chance; three mean that the run cannot be trusted


@dataclass(frozen=True)
class Parts:
    """What the loop works with. `keep_best(update)` stores the adapter as it is now; `emit` tells the world.

    `wish()` is what a person asked meanwhile: "" (go on), "keep" (stop and keep the best) or "discard".
    """

    model: Any
    loss: Loss
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    held_out: Sequence[Pack]
    general: Sequence[Pack]
    emit: Callable[[Event], None]
    wish: Callable[[], str]
    keep_best: Callable[[int], None]


def train(parts: Parts, steps: Iterable[Sequence[Pack]], updates: int, every: int, clip: float) -> int:
    """Take one optimizer step per item of `steps`, its micro-batches; evaluate before, each `every` and at the end.

    Returns the updates done. Ends early once there is a wish, with a last evaluation unless all is to be discarded. Raises TrainingFailed after
    three updates whose loss or gradient is not a number.
    """
    weights = [each for each in parts.model.parameters() if each.requires_grad]
    best = evaluate_and_keep(parts, 0, math.inf)
    done = evaluated = bad = 0
    for packs in steps:
        if parts.wish():
            break
        started = time.monotonic()
        total = backward(parts, packs)
        norm = torch.nn.utils.clip_grad_norm_(weights, clip).item()

        # Checked before the weights change: one update with NaN ruins an adapter for good and looks like loss 0.0.
        rate = float(parts.schedule.get_last_lr()[0])
        if math.isfinite(total) and math.isfinite(norm):
            parts.optimizer.step()
            parts.schedule.step()
        else:
            bad += 1
            parts.emit(Skipped(done + 1, f"the loss was {total} and the gradient {norm}"))
        parts.optimizer.zero_grad(set_to_none=True)
        if bad == BAD_UPDATES:
            raise TrainingFailed(
                "The loss stopped being a number three times, so the run was ended. "
                "The best adapter before that was kept aside; try a lower learning rate."
            )
        done += 1
        tokens = sum(pack.tokens for pack in packs)
        parts.emit(Stepped(done, total, rate, tokens, time.monotonic() - started, norm))

        if done % every == 0 or done == updates:
            best, evaluated = evaluate_and_keep(parts, done, best), done
    if done > evaluated and parts.wish() != "discard":
        evaluate_and_keep(parts, done, best)
    return done


def backward(parts: Parts, packs: Sequence[Pack]) -> float:
    """Add up the gradient of one optimizer step over its micro-batches; returns its mean loss, in nats a token."""
    parts.model.train()
    # Weigh every learned token the same, however the step is cut into micro-batches.
    learned = sum(pack.learned for pack in packs)
    total = 0.0
    for pack in packs:
        loss = parts.loss(parts.model, pack) / learned
        loss.backward()
        total += loss.item()
    return total


def evaluate_and_keep(parts: Parts, update: int, best: float) -> float:
    """Measure both losses, keep the adapter where the held-out loss is the lowest so far; returns the lowest."""
    held_out = mean_loss(parts.model, parts.loss, parts.held_out)
    general = mean_loss(parts.model, parts.loss, parts.general)
    better = held_out < best
    if better and update > 0:
        parts.keep_best(update)
    parts.emit(Evaluated(update, held_out, general, better))
    return min(best, held_out)


@torch.no_grad()
def mean_loss(model: Any, loss: Loss, packs: Sequence[Pack]) -> float:
    """Mean loss over all learned tokens of `packs`, in nats a token."""
    model.eval()
    learned = sum(pack.learned for pack in packs)
    return sum(loss(model, pack).item() for pack in packs) / learned if learned else math.nan


def warm_up_and_cosine(optimizer: torch.optim.Optimizer, updates: int, warm_up: float) -> Any:
    """A rate that rises over the first share `warm_up` of the updates, then falls to zero along a cosine."""
    rising = max(1, round(updates * warm_up))

    def factor(update: int) -> float:
        if update < rising:
            return (update + 1) / rising
        return 0.5 * (1 + math.cos(math.pi * (update - rising) / max(1, updates - rising)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
