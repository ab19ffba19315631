"""The honest plan of a run: who is learned and who held out, what it takes here, and why it cannot start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.core import lint
from studio.core.errors import ModelNotReady
from studio.core.recipe import Recipe, general_wanted, planned_updates, preset
from studio.core.records import Conversation
from studio.core.split import held_out
from studio.work import checking, experience, writing
from studio.work.studio import Studio

FEW = 20  # conversations below which the plan says that more would help


@dataclass(frozen=True)
class Sides:
    """The set as training takes it. `left_out` says of each conversation that is not taken why not."""

    learned: tuple[Conversation, ...]
    held_out: tuple[Conversation, ...]
    left_out: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Plan:
    """What a run will do, before anyone starts it. None where it cannot be known yet."""

    recipe: Recipe
    sides: Sides
    general: int
    updates: int
    learned_tokens: int | None  # in one pass over the project's own conversations
    seconds: float | None  # from the pace of an earlier run of this base on this machine
    memory: int | None  # bytes, from the peak of an earlier run
    memory_total: int
    advice: tuple[str, ...]
    obstacle: str  # why it cannot start; "" if it can

    @property
    def learned(self) -> int:
        return len(self.sides.learned)

    @property
    def held_out(self) -> int:
        return len(self.sides.held_out)


def sides(studio: Studio, project_id: str, limit: int | None = None, most: int = 0) -> Sides:
    """Who is learned and who is held out. Rejected conversations are in neither; so are unfinished and too long ones.

    `limit`: how many tokens one may have; `most`: to what that may be raised.
    """
    everyone = [each for each in writing.all_conversations(studio, project_id) if each.status != "rejected"]
    left_out = {each.number: why for each in everyone if (why := lint.unlearnable(each.messages))}
    taken = [each for each in everyone if each.number not in left_out]
    counted = checking.sizes(studio, project_id, taken) if limit else None
    raised = f", or raise “Longest conversation” under Advanced settings: this model takes {most:,}"
    way_out = f"Shorten or split it{raised if limit and most > limit else ''}."
    for each, (tokens, _) in zip(taken, counted or (), strict=bool(counted)):
        if limit and tokens > limit:
            left_out[each.number] = f"It has {tokens:,} tokens and the limit is {limit:,}. {way_out}"
    taken = [each for each in taken if each.number not in left_out]
    apart = held_out([each.id for each in taken])
    return Sides(
        tuple(each for each in taken if each.id not in apart),
        tuple(each for each in taken if each.id in apart),
        tuple(sorted(left_out.items())),
    )


def plan(studio: Studio, project_id: str, preset_name: str = "standard", **changes: Any) -> Plan:
    """Plan a run without starting it. Raises BadRecipe, TemplateNotSplittable, ModelNotReady."""
    base = writing.by_id(studio, project_id).base
    most = model_limit(studio, base)
    limit = min(preset(preset_name, 1, **changes).max_length, most)
    split = sides(studio, project_id, limit, most)
    recipe = preset(preset_name, len(split.learned), **{**changes, "max_length": limit})
    counted = checking.sizes(studio, project_id, [*split.learned, *split.held_out])
    own, apart = (counted or [])[: len(split.learned)], (counted or [])[len(split.learned) :]
    updates = planned_updates(recipe, len(split.learned))
    seconds, memory = experience.forecast(studio, base, updates, recipe, own, apart)
    return Plan(
        recipe=recipe,
        sides=split,
        general=general_wanted(recipe, len(split.learned)),
        updates=updates,
        learned_tokens=sum(each[1] for each in own) if counted is not None else None,
        seconds=seconds,
        memory=memory,
        memory_total=studio.engine.device().total_memory,
        advice=(*advice(split, recipe), *experience.room(studio, memory)),
        obstacle=obstacle(split),
    )


def model_limit(studio: Studio, base: str) -> int:
    """Raises ModelNotReady for a base that cannot be used."""
    found = studio.engine.base(base)
    if found.trouble:
        raise ModelNotReady(found.trouble)
    return studio.engine.limit(base) if found.path else 2**31


def obstacle(split: Sides) -> str:
    """Why nothing can be learned from this set, as a sentence with the next step; "" if something can."""
    if split.learned and split.held_out:
        return ""
    if not split.learned and not split.held_out and not split.left_out:
        return "There are no examples yet. Write or import a few in the Write tab."
    if not split.learned and not split.held_out:
        number, why = split.left_out[0]
        return f"No example can be learned from. See number {number:04}, for one: {why[:1].lower()}{why[1:]}"
    return (
        "There is only one example that can be used. Training needs at least two: one to learn from and one held out "
        "to measure on. Write or import more."
    )


def advice(split: Sides, recipe: Recipe) -> list[str]:
    said = []
    if 0 < len(split.learned) < FEW:
        said.append(
            f"{len(split.learned)} examples show the way but teach little. Fifty to a few hundred do."
        )
    if recipe.general == 0:
        said.append("Without general examples the model forgets other things. Keep 1:1 unless you want that.")
    if recipe.learning_rate > 6e-4:
        said.append(
            "This learning rate is so high that the model may forget how to speak. Start at 2e-4 and measure."
        )
    if recipe.learning_rate < 2e-5:
        said.append("This learning rate is so low that an adapter hardly moves. Start at 1e-4 and measure.")
    return said
