"""What training took on this machine before: the ground of every forecast, and of what has to leave the memory."""

from __future__ import annotations

from collections.abc import Sequence

from studio.core.course import cost
from studio.core.recipe import Recipe, general_wanted
from studio.store import runs
from studio.work import run_data
from studio.work.studio import Studio


def forecast(
    studio: Studio, base: str, updates: int, recipe: Recipe, own: Sequence[tuple[int, int]]
) -> tuple[float | None, int | None]:
    """Seconds and bytes to expect, from the newest run or measurement of this base that tells; None without one.

    `own`: tokens and learned tokens of each conversation that is learned, where they are known.
    """
    for run in runs.load_all(studio.home):
        if run.spec["base"] == base and (run.card or run.spec.get("trial")) and (spent := cost(run)):
            tokens = tokens_of_an_update(studio, base, own, recipe)
            peak = run.card and int(run.card["peak_memory_mb"]) * 2**20  # type: ignore[call-overload]
            return spent.of(updates, recipe.evaluations, tokens), peak or spent.memory or None
    return None, None


def tokens_of_an_update(
    studio: Studio, base: str, own: Sequence[tuple[int, int]], recipe: Recipe
) -> float | None:
    """The mean over a pass. `own`: tokens and learned tokens of each conversation that is learned."""
    if not own:
        return None
    wanted = general_wanted(recipe, len(own))
    general = [messages for _, messages in run_data.asset("general.jsonl")] if wanted else []
    sizes = [each.tokens for each in studio.engine.sizes(base, general)]
    mixed = wanted * sum(sizes) / len(sizes) if sizes else 0
    return recipe.batch * (sum(each[0] for each in own) + mixed) / (len(own) + wanted)


def forget_measurements(studio: Studio, base: str) -> None:
    """Remove what was measured of a base: the next measurement takes its place."""
    for run in runs.load_all(studio.home):
        if run.spec.get("trial") and run.spec["base"] == base and not runs.is_active(run):
            runs.remove(studio.home, run)


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
