"""The training loop. Everything it needs is handed in; everything it learns is emitted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import torch

from studio.core.encode import Encoded
from studio.core.progress import Evaluated, Event, Halved, Skipped, Stepped
from studio.engine import memory
from studio.engine.batches import Pack

Loss = Callable[[Any, Pack], torch.Tensor]
BAD_UPDATES = 3  # one bad update may be chance; three mean that the run cannot be trusted
HALVINGS = 3  # how often the row may be halved for want of memory
SAVE_SECONDS = 120.0  # a run that is killed repeats no more than this, or what came after its last evaluation


class Point(NamedTuple):
    """An adapter that is kept to be compared with the best one: after how many updates, and its losses, in nats a token."""

    update: int
    held_out: float
    general: float | None


@dataclass
class Standing:
    """Where a run stands between two updates: all that a resumed one must know besides its weights and its optimizer."""

    row: int  # tokens of the longest row
    done: int = 0
    made: int = 0  # of those done, how many changed the weights
    evaluated: int = -1  # the update of the last evaluation; -1 before the first
    # Losses in nats a token: of the base as it came, of the best adapter, and of the last evaluation. None before the
    # first evaluation, and where there is nothing to measure on.
    before: float | None = None
    best: float | None = None
    last: float | None = None
    general_before: float | None = None
    general_best: float | None = None
    best_update: int = 0  # 0 is the base, of which nothing is kept
    worse: int = 0  # evaluations since the best one
    points: list[Point] = field(default_factory=list)  # the earliest first; the best may be among them
    forgotten: float = 0.0  # how far the general loss has risen, as a share of what it was
    bad: int = 0
    halved: int = 0
    seconds: float = 0.0  # of all workers so far


@dataclass(frozen=True)
class Rules:
    """`every`: updates between evaluations. A run ends early after `patience` evaluations without a new best, or once the
    general loss has risen by the share `forget`; 0 turns either off. `points`: how many are kept, for which see `even`."""

    updates: int
    every: int
    clip: float
    patience: int = 0
    forget: float = 0.0
    points: int = 0


@dataclass(frozen=True)
class Parts:
    """What the loop works with.

    `rows(conversations, longest)` packs an update's conversations into rows on the model's device. `emit` tells the world.
    `keep_best(update)` and `keep_point(update)` store the adapter as it is now, `save(standing)` all that a resumed run needs.
    `watch(update)` has the watch-prompts answered. `wish()` is what was
    asked meanwhile: "" (go on), "keep" (stop and keep the best), "discard", or "pause" (stop so that it can be resumed).
    """

    model: Any
    loss: Loss
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    rows: Callable[[Sequence[Encoded], int], list[Pack]]
    held_out: Sequence[Pack]
    general: Sequence[Pack]
    emit: Callable[[Event], None]
    wish: Callable[[], str]
    keep_best: Callable[[int], None]
    watch: Callable[[int], None]
    save: Callable[[Standing], None]
    keep_point: Callable[[int], None]


def train(parts: Parts, steps: Iterable[Sequence[Encoded]], rules: Rules, at: Standing) -> str:
    """Take one optimizer step per item of `steps`, its conversations, from where `at` stands, which is kept up to date.

    Evaluates before the first update, each `rules.every` and at the end. Returns why it ended: "" when all updates are
    done, what was wished, or why it ended early: "worse", "forgot" or "numbers" (see `enough`).
    """
    weights = [each for each in parts.model.parameters() if each.requires_grad]
    if at.evaluated < 0:
        evaluate_and_keep(parts, rules, at)
    why, saved, saved_at = "", None, time.monotonic()
    for step in islice(steps, at.done, None):
        if why := parts.wish() or enough(at, rules):
            break
        update(parts, step, weights, rules.clip, at)
        measured = at.done % rules.every == 0 or at.done == rules.updates
        if measured:
            evaluate_and_keep(parts, rules, at)
        if measured or time.monotonic() - saved_at > SAVE_SECONDS:
            parts.save(at)
            saved, saved_at = at.done, time.monotonic()
    if why not in ("discard", "pause") and at.done > at.evaluated:
        evaluate_and_keep(parts, rules, at)
        saved = None
    if why != "discard" and saved != at.done:
        parts.save(at)
    return why


def enough(at: Standing, rules: Rules) -> str:
    """Why to end before the last update: "numbers" (three updates were none), "worse", "forgot"; "" to go on."""
    if at.bad >= BAD_UPDATES:
        return "numbers"
    if 0 < rules.forget < at.forgotten:
        return "forgot"
    return "worse" if 0 < rules.patience <= at.worse else ""


def update(
    parts: Parts, step: Sequence[Encoded], weights: list[torch.nn.Parameter], clip: float, at: Standing
) -> None:
    """One update, or a skipped one."""
    started = time.monotonic()
    total, tokens = backward_that_fits(parts, step, at)
    norm = torch.nn.utils.clip_grad_norm_(weights, clip).item()

    # Checked before the weights change: one update with NaN ruins an adapter for good and looks like loss 0.0.
    rate = float(parts.schedule.get_last_lr()[0])
    if math.isfinite(total) and math.isfinite(norm):
        parts.optimizer.step()
        parts.schedule.step()
        at.made += 1
    else:
        at.bad += 1
        parts.emit(Skipped(at.done + 1, f"the loss was {total} and the gradient {norm}"))
    parts.optimizer.zero_grad(set_to_none=True)
    at.done += 1
    held = round(memory.peak() / 2**20)
    parts.emit(Stepped(at.done, total, rate, tokens, time.monotonic() - started, norm, held))


def backward_that_fits(parts: Parts, step: Sequence[Encoded], at: Standing) -> tuple[float, int]:
    """(mean loss, tokens) of an update. Where memory runs out the rows are halved: the same update in smaller pieces."""
    while True:
        packs = parts.rows(step, at.row)
        try:
            return backward(parts, packs), sum(pack.tokens for pack in packs)
        except (MemoryError, RuntimeError) as error:
            if not memory.ran_out(error) or at.halved == HALVINGS:
                raise
        # Not within the except: the error holds on to what the failed step had computed.
        parts.optimizer.zero_grad(set_to_none=True)
        at.row, at.halved = max(1, at.row // 2), at.halved + 1
        parts.emit(Halved(at.done + 1, at.row))


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


def evaluate_and_keep(parts: Parts, rules: Rules, at: Standing) -> None:
    """Measure both losses; keep the adapter where the held-out loss is the lowest so far and not too much is forgotten, and
    where it is a point to compare with."""
    held_out = mean_loss(parts.model, parts.loss, parts.held_out)
    general = mean_loss(parts.model, parts.loss, parts.general)
    better = measured(at, held_out, general, rules.forget)
    if better and at.done:
        parts.keep_best(at.done)
    if pointed(at, rules, general):
        parts.keep_point(at.done)
    parts.emit(Evaluated(at.done, held_out, general, better))
    parts.watch(at.done)


def measured(at: Standing, held_out: float, general: float, forget: float) -> bool:
    """Note an evaluation of where `at` stands; returns whether the held-out loss is the best of those that may be kept."""
    told, told_general = (each if math.isfinite(each) else None for each in (held_out, general))
    if at.evaluated < 0:
        at.before, at.general_before = told, told_general
    at.evaluated, at.last = at.done, told
    at.forgotten = told_general / at.general_before - 1 if told_general and at.general_before else 0.0
    better = told is not None and (at.best is None or told < at.best) and not 0 < forget < at.forgotten
    if better:
        at.best, at.general_best, at.best_update, at.worse = told, told_general, at.done, 0
    else:
        at.worse += 1
    return better


def pointed(at: Standing, rules: Rules, general: float) -> bool:
    """Note the evaluation as a point, and let go of the last one unless that was at an even step; returns whether it is one."""
    if not rules.points or not at.done or at.last is None:
        return False
    lasting = [each for each in at.points if even(each.update, rules)]
    at.points = [*lasting, Point(at.done, at.last, general if math.isfinite(general) else None)]
    return True


def even(update: int, rules: Rules) -> bool:
    """Whether an evaluation stays a point when others follow: the first after each of `rules.points` equal parts of the run.

    So of three there is one after a third, one after two thirds, and the last.
    """
    part, before = (each * rules.points // rules.updates for each in (update, update - rules.every))
    return update % rules.every == 0 and part > before


@torch.no_grad()
def mean_loss(model: Any, loss: Loss, packs: Sequence[Pack]) -> float:
    """Mean loss over all learned tokens of `packs`, in nats a token."""
    model.eval()
    learned = sum(pack.learned for pack in packs)
    return sum(loss(model, pack).item() for pack in packs) / learned if learned else math.nan


def warm_up_and_cosine(optimizer: torch.optim.Optimizer, updates: int, warm_up: float, made: int = 0) -> Any:
    """A rate that rises over the first share `warm_up` of the updates, then falls to zero along a cosine; after `made`."""
    rising = max(1, round(updates * warm_up))

    def factor(update: int) -> float:
        if update < rising:
            return (update + 1) / rising
        return 0.5 * (1 + math.cos(math.pi * (update - rising) / max(1, updates - rising)))

    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor, last_epoch=made - 1)
