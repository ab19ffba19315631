"""Encoded conversations become packed rows, and packed rows become the micro-batches of an optimizer step."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from studio.core.encode import IGNORED, Encoded

ROW = (
    3072  # tokens a packed row may hold: enough to keep the cores busy, little enough for 4 GB of activations
)


@dataclass(frozen=True)
class Pack:
    """Conversations end to end in one row of T tokens.

    ids, positions: [1, T]; positions start at 0 in each conversation. targets: [T], the next token where it is learned,
    else IGNORED. lengths: tokens of each conversation, in order; attention never crosses them.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    targets: torch.Tensor
    lengths: tuple[int, ...]
    learned: int

    def to(self, device: str) -> Pack:
        ids, positions, targets = (each.to(device) for each in (self.ids, self.positions, self.targets))
        return Pack(ids, positions, targets, self.lengths, self.learned)


def pack(conversations: Sequence[Encoded]) -> Pack:
    """Put conversations end to end. The last token of each predicts nothing, so none predicts across a border."""
    ids = [id for each in conversations for id in each.ids]
    positions = [position for each in conversations for position in range(len(each.ids))]
    targets = [label for each in conversations for label in [*each.labels[1:], IGNORED]]
    return Pack(
        torch.tensor([ids]),
        torch.tensor([positions]),
        torch.tensor(targets),
        tuple(len(each.ids) for each in conversations),
        sum(target != IGNORED for target in targets),
    )


def packs(conversations: Sequence[Encoded], row: int = ROW) -> list[Pack]:
    """Pack conversations in the order given into rows of at most `row` tokens; a longer one gets a row to itself."""
    rows: list[list[Encoded]] = []
    room = 0
    for each in conversations:
        if len(each.ids) > room:
            rows.append([])
            room = row
        rows[-1].append(each)
        room -= len(each.ids)
    return [pack(each) for each in rows]


def steps(
    own: Sequence[Encoded], general: Sequence[Encoded], wanted: int, batch: int, updates: int, seed: int
) -> Iterator[list[Pack]]:
    """Yield the micro-batches of each of `updates` optimizer steps, `batch` conversations a step.

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
            yield packs(mixed[start : start + batch])
            done += 1


def in_turn(items: Sequence[Encoded], order: random.Random) -> Iterator[Encoded]:
    while items:
        shuffled = list(items)
        order.shuffle(shuffled)
        yield from shuffled
