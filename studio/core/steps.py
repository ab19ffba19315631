"""Which conversations each update of a run learns from, and in which rows: the same for the run and for its plan."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from studio.core.recipe import Recipe, general_wanted

ROW = 2048  # tokens a packed row may hold: enough to keep the cores busy; more only takes more memory
LOOKED_AT = 1000  # updates that tell what all of a longer run are like
T = TypeVar("T")


def steps(
    own: Sequence[T],
    general: Sequence[T],
    wanted: int,
    batch: int,
    updates: int,
    seed: int,
) -> Iterator[list[T]]:
    """Yield the conversations of each of `updates` optimizer steps, `batch` a step.

    A pass is all of `own` and `wanted` of `general` in a new order; general ones come in turn, so that each is seen
    before any is seen twice. The same arguments give the same steps.
    """
    order = random.Random(seed)
    supply = in_turn(general, order)
    done = 0
    while done < updates:
        mixed = [*own, *(next(supply) for _ in range(wanted))]
        order.shuffle(mixed)
        for start in range(0, len(mixed), batch):
            if done == updates:
                return
            yield mixed[start : start + batch]
            done += 1


def in_turn(items: Sequence[T], order: random.Random) -> Iterator[T]:
    while items:
        shuffled = list(items)
        order.shuffle(shuffled)
        yield from shuffled


def cut(lengths: Sequence[int], row: int) -> list[tuple[int, int]]:
    """Where an update is cut into rows of at most `row` tokens, evenly filled: the first conversation of each row, and the
    one after its last. A longer one gets a row of its own."""
    total = sum(lengths)
    wanted = math.ceil(total / row)
    begins: list[int] = []
    filled = 0
    for place, length in enumerate(lengths):
        full_enough = len(begins) < wanted and filled + length / 2 > total / wanted
        if not begins or full_enough or filled + length > row:
            begins.append(place)
            filled = 0
        filled += length
    return list(pairwise([*begins, len(lengths)]))


def extent(
    own: Sequence[int], general: Sequence[int], recipe: Recipe, updates: int, row: int
) -> tuple[float, int]:
    """Tokens of a mean update and of the longest row, on conversations of so many tokens, in rows of at most `row`."""
    wanted = general_wanted(recipe, len(own)) if general else 0
    taken = steps(own, general, wanted, recipe.batch, min(updates, LOOKED_AT), recipe.seed)
    rows = [[sum(each[start:end]) for start, end in cut(each, row)] for each in taken]
    return sum(map(sum, rows)) / len(rows), max(map(max, rows))
