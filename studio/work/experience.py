"""What training took on this machine before: the ground of every forecast, and of what has to leave the memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.core.cost import Cost, Work, cost, evaluations
from studio.core.recipe import Recipe, general_wanted
from studio.core.records import Run
from studio.core.steps import extent
from studio.store import runs
from studio.work import run_data
from studio.work.studio import Studio

ALIKE = 2.0


def forecast(
    studio: Studio,
    base: str,
    updates: int,
    recipe: Recipe,
    own: Sequence[tuple[int, int]],
    held_out: Sequence[tuple[int, int]],
) -> tuple[float | None, int | None]:
    """Seconds and bytes to expect, from the newest run or measurement that tells of such a run; None without one.

    `own`, `held_out`: tokens and learned tokens of each conversation; empty where they are not known.
    """
    told = [spent for run in runs.load_all(studio.home) if (spent := telling(run, base, recipe))]
    if not told or not own:
        return None, None
    general = general_lengths(studio, base, recipe, len(own))
    for spent in told:
        tokens, row = extent([each[0] for each in own], general, recipe, updates, spent.row_limit)
        if 1 / ALIKE <= tokens / recipe.batch / spent.length <= ALIKE:
            measured = sum(each[0] for each in held_out)
            work = Work(updates, evaluations(recipe, updates), tokens, row, measured)
            return spent.seconds(work), spent.memory(work)
    return None, None


def telling(run: Run, base: str, recipe: Recipe) -> Cost | None:
    """What a run took, if it is one of this base that went well, in this precision and with an adapter of this size."""
    was: Any = run.spec["recipe"]
    if run.spec["base"] != base or was["rank"] != recipe.rank or not (run.card or run.spec.get("trial")):
        return None
    spent = cost(run)
    # What "auto" chooses is known only from where it chose; what was chosen tells of who asks for just that.
    alike = spent and recipe.quantization in (was["quantization"], spent.precision)
    return spent if alike else None


def general_lengths(studio: Studio, base: str, recipe: Recipe, learned: int) -> list[int]:
    """Tokens of each general conversation; none where none is mixed in."""
    if not general_wanted(recipe, learned):
        return []
    general = [messages for _, messages in run_data.asset("general.jsonl")]
    return [each.tokens for each in studio.engine.sizes(base, general)]


def forget_measurements(studio: Studio, spec: dict[str, Any]) -> None:
    """Remove what was measured before of runs like the one of `spec`: the next measurement takes its place."""
    for run in runs.load_all(studio.home):
        if run.spec.get("trial") and measured(run.spec) == measured(spec) and not runs.is_active(run):
            runs.remove(studio.home, run)


def measured(spec: dict[str, Any]) -> tuple[Any, ...]:
    """What a measurement is kept by; the project stands for the lengths of its conversations."""
    recipe = spec["recipe"]
    return spec["project"], spec["base"], recipe["quantization"], recipe["rank"]


def room(studio: Studio, memory: int | None) -> list[str]:
    """What has to leave the memory for a run that needs `memory` bytes."""
    loaded = studio.engine.loaded()
    if loaded and in_the_way(studio, memory):
        return [f"{loaded}, which answers in Prompt and Compare, is unloaded when this training starts: both do not fit."]  # fmt: skip
    return []


def make_room(studio: Studio, memory: int | None) -> None:
    """Unload the model that answers where both do not fit. Raises Busy while it answers."""
    if studio.engine.loaded() and in_the_way(studio, memory):
        studio.engine.unload()


def in_the_way(studio: Studio, memory: int | None) -> bool:
    device = studio.engine.device()
    return memory is not None and memory > device.total_memory - device.used_memory
