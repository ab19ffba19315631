"""The neutral way of reading tokens: transformers' own forward and cache, whatever the architecture."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch

from studio.engine.adapters import Adapter
from studio.engine.overlay import Overlay

# Of one row: keys and values [heads, tokens, width] of each layer.
Past = list[tuple[torch.Tensor, torch.Tensor]]
FILLER = 0  # the id where a row has no token: never looked at


class Seat:
    """A row's place: its adapter's number, how many tokens of it are in memory, and, before its first pass, its past."""

    def __init__(self, owner: int, past: Past | None, length: int) -> None:
        self.owner = owner
        self.past = past
        self.length = length


class Group:
    """Rows that go through the model together. Each row's tokens stand at the right end of the cache, padding before them."""

    def __init__(self, cache: Any, seats: list[Seat]) -> None:
        self.cache = cache
        self.seats = seats

    @property
    def width(self) -> int:
        return int(self.cache.get_seq_length())

    def row(self, seat: Seat) -> Past:
        at, start = self.seats.index(seat), self.width - seat.length
        return [(layer.keys[at, :, start:], layer.values[at, :, start:]) for layer in self.cache.layers]


class NeutralReader:
    """See decode.Reader. `joinable`: whether rows can come and go, which needs a cache of plain keys and values.

    A sliding window forgets and a recurrent state cannot be cut: such models read all their rows from the start together.
    """

    def __init__(self, model: Any) -> None:
        from transformers.cache_utils import DynamicLayer

        self.model = model
        self.overlay = Overlay(model)
        self.groups: list[Group] = []
        self.fresh: list[Seat] = []
        self.device = model.get_input_embeddings().weight.device
        self.joinable = all(type(layer) is DynamicLayer for layer in self.empty().layers)
        takes = inspect.signature(model.forward).parameters
        self.places = "position_ids" in takes
        # Scores over the vocabulary at every prompt position would be the largest thing in memory by far.
        self.only_last = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}

    def empty(self) -> Any:
        from transformers import DynamicCache

        return DynamicCache(config=self.model.config)

    def seat(self, adapter: Adapter | None, past: Past | None = None, length: int = 0) -> Seat:
        held = [(keys[:, :length], values[:, :length]) for keys, values in past] if past and length else None
        seat = Seat(self.overlay.lay(adapter), held, length if held else 0)
        self.fresh.append(seat)
        return seat

    def past(self, seat: Seat) -> Past:
        """The row's keys and values, copied."""
        group = self.group_of(seat)
        held = group.row(seat) if group else seat.past or []
        return [(keys.clone(), values.clone()) for keys, values in held]

    def group_of(self, seat: Seat) -> Group | None:
        return next((each for each in self.groups if seat in each.seats), None)

    def leave(self, seats: Sequence[Seat]) -> None:
        self.fresh = [each for each in self.fresh if each not in seats]
        for group in list(self.groups):
            staying = [each for each in group.seats if each not in seats]
            if len(staying) < len(group.seats):
                self.select(group, staying)

    def close(self) -> None:
        self.groups, self.fresh = [], []
        self.overlay.lift()

    def forward(self, parts: Sequence[tuple[Seat, Sequence[int]]]) -> torch.Tensor:
        """Take in the parts, each by its row; scores [parts, vocabulary] after each part's last token."""
        scores: dict[Seat, torch.Tensor] = {}
        given = dict(parts)
        for group in self.grouped(given):
            made = self.run(group, [given.get(seat, ()) for seat in group.seats])
            scores.update(zip(group.seats, made, strict=True))
        return torch.stack([scores[seat] for seat, _ in parts])

    # --- groups

    def grouped(self, given: dict[Seat, Sequence[int]]) -> list[Group]:
        """Groups of rows for a pass. Single tokens go together; longer parts only with those that need no padding beside them."""
        if not self.joinable:
            return self.all_from_the_start()
        together: dict[tuple[int, int], list[Seat]] = {}
        for seat, ids in given.items():
            key = (1, 0) if len(ids) == 1 else (len(ids), seat.length)
            together.setdefault(key, []).append(seat)
        return [self.gathered(seats) for seats in together.values()]

    def all_from_the_start(self) -> list[Group]:
        if self.fresh:
            self.groups, self.fresh = [Group(self.empty(), self.fresh)], []
        return self.groups

    def gathered(self, seats: list[Seat]) -> Group:
        """The group of exactly these rows, brought together from where they are."""
        homes = [self.group_of(seat) for seat in seats]
        if homes[0] and all(each is homes[0] for each in homes) and len(seats) == len(homes[0].seats):
            return homes[0]
        rows = [home.row(seat) if home else seat.past for seat, home in zip(seats, homes, strict=True)]
        group = Group(self.joined(rows, max(seat.length for seat in seats)), seats)
        self.leave(seats)
        for seat in seats:
            seat.past = None
        self.groups.append(group)
        return group

    def joined(self, rows: Sequence[Past | None], width: int) -> Any:
        """A cache of these rows, padded on the left to `width` tokens."""
        cache = self.empty()
        like = next((row for row in rows if row), None)
        if like:
            nothing = [(keys[:, :0], values[:, :0]) for keys, values in like]
            for index, layer in enumerate(cache.layers):
                held = [(row or nothing)[index] for row in rows]
                layer.update(
                    *(torch.stack([padded(each[which], width) for each in held]) for which in (0, 1))
                )
        return cache

    def select(self, group: Group, seats: list[Seat]) -> None:
        """Let only these rows stay in the group, and no more padding than they need."""
        if not seats:
            self.groups.remove(group)
            return
        kept = torch.tensor([group.seats.index(seat) for seat in seats], device=self.device)
        group.cache.reorder_cache(kept)
        group.seats = seats
        if self.joinable:
            spare = group.width - max(seat.length for seat in seats)
            for layer in group.cache.layers:
                layer.keys, layer.values = layer.keys[:, :, spare:], layer.values[:, :, spare:]

    # --- the pass

    @torch.inference_mode()
    def run(self, group: Group, parts: Sequence[Sequence[int]]) -> torch.Tensor:
        """One pass of a group; parts shorter than the longest are padded on the left, before all of their row's tokens."""
        new = max(map(len, parts))
        ids = [[FILLER] * (new - len(part)) + list(part) for part in parts]
        starts = [seat.length - (new - len(part)) for seat, part in zip(group.seats, parts, strict=True)]
        for seat, part in zip(group.seats, parts, strict=True):
            seat.length += len(part)
        width = group.width + new
        pads = torch.tensor([width - seat.length for seat in group.seats], device=self.device)
        self.overlay.deal([seat.owner for seat in group.seats])
        places = torch.tensor(starts, device=self.device)[:, None] + torch.arange(new, device=self.device)
        made = self.model(
            input_ids=torch.tensor(ids, device=self.device),
            attention_mask=(torch.arange(width, device=self.device) >= pads[:, None]).long(),
            past_key_values=group.cache,
            use_cache=True,
            **({"position_ids": places.clamp(min=0)} if self.places else {}),
            **self.only_last,
        )
        return made.logits[:, -1].float().cpu()


def padded(held: torch.Tensor, width: int) -> torch.Tensor:
    """A row's keys or values [heads, tokens, width of a head] with nought before them up to `width` tokens."""
    return torch.nn.functional.pad(held, (0, 0, width - held.shape[1], 0))
