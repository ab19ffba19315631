"""Encoded conversations become packed rows: the micro-batches of an optimizer step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import torch

from studio.core.encode import IGNORED, Encoded
from studio.core.steps import ROW, cut


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
    rows = cut([len(each.ids) for each in conversations], row)
    return [pack(conversations[start:end]) for start, end in rows]
