"""Encoded conversations become packed rows, and packed rows become the micro-batches of an optimizer step."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import torch

from studio.core.encode import IGNORED, Encoded

ROW = 2048  # tokens a packed row may hold: enough to keep the cores busy; more only takes more memory


@dataclass(frozen=True)
class Pack:
    """Conversations in one row of T tokens: the beginning that all of them share, once, then each one's own rest.

    Chat templates put the same system text before every conversation; none of its tokens is learned, and what it computes
    to does not depend on what follows. ids, positions: [1, T]; each rest's positions go on from the shared beginning.
    targets: [T], the next token where it is learned, else IGNORED. lengths: tokens of each rest, in order. shared: tokens
    of the beginning. Attention never goes from one rest to another.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    targets: torch.Tensor
    lengths: tuple[int, ...]
    learned: int
    shared: int = 0

    @property
    def tokens(self) -> int:
        """Of all its conversations, the shared ones counted for each."""
        return self.shared * len(self.lengths) + sum(self.lengths)

    def to(self, device: str) -> Pack:
        ids, positions, targets = (each.to(device) for each in (self.ids, self.positions, self.targets))
        return replace(self, ids=ids, positions=positions, targets=targets)


def pack(conversations: Sequence[Encoded]) -> Pack:
    """Put conversations into one row. The last token of each predicts nothing, so none predicts across a border."""
    shared = shared_beginning(conversations)
    ids, positions = conversations[0].ids[:shared], list(range(shared))
    targets = [IGNORED] * shared
    for each in conversations:
        ids = ids + each.ids[shared:]
        positions += range(shared, len(each.ids))
        targets += [*each.labels[shared + 1 :], IGNORED]
    return Pack(
        torch.tensor([ids]),
        torch.tensor([positions]),
        torch.tensor(targets),
        tuple(len(each.ids) - shared for each in conversations),
        sum(target != IGNORED for target in targets),
        shared,
    )


def shared_beginning(conversations: Sequence[Encoded]) -> int:
    """How many tokens all conversations begin with, such that none of them predicts a learned token."""
    if len(conversations) < 2:
        return 0
    columns = zip(*(each.ids for each in conversations), strict=False)
    alike = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
    first_learned = min(
        next((place for place, label in enumerate(each.labels) if label != IGNORED and place), len(each.ids))
        for each in conversations
    )
    # The token before the first learned one predicts it, and is therefore each conversation's own.
    return max(0, min(alike, first_learned - 1))


def packs(conversations: Sequence[Encoded], row: int = ROW) -> list[Pack]:
    """Pack conversations in the order given into rows of at most `row` tokens, evenly filled; a longer one gets its own."""
    total = sum(len(each.ids) for each in conversations)
    wanted = math.ceil(total / row)
    rows: list[list[Encoded]] = []
    filled = 0
    for each in conversations:
        length = len(each.ids)
        full_enough = len(rows) < wanted and filled + length / 2 > total / wanted
        if not rows or full_enough or filled + length > row:
            rows.append([])
            filled = 0
        rows[-1].append(each)
        filled += length
    return [pack(each) for each in rows]


def steps(
    own: Sequence[Encoded],
    general: Sequence[Encoded],
    wanted: int,
    batch: int,
    updates: int,
    seed: int,
) -> Iterator[list[Encoded]]:
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


def in_turn(items: Sequence[Encoded], order: random.Random) -> Iterator[Encoded]:
    while items:
        shuffled = list(items)
        order.shuffle(shuffled)
        yield from shuffled
