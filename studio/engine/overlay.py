"""Adapters laid over some rows of a batch while the base answers the others; the base's weights are not touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from studio.core.errors import ModelNotReady
from studio.engine.adapters import Adapter, linears_of

Pair = tuple[torch.Tensor, torch.Tensor]  # A [inputs, rank] and B [rank, outputs]
BASE = -1  # the owner of rows that no adapter answers


@dataclass(frozen=True)
class Stack:
    """The adapters of linears that share their input, as one: a [inputs, ranks], b [ranks, outputs of all]; `owners` tells
    each rank's adapter.

    Two products serve all of them: a row keeps what comes from its own adapter's ranks, and b is nought wherever a rank is not
    the linear's own. With few rows that is faster than a product for each linear: what counts is how many there are.
    """

    a: torch.Tensor
    b: torch.Tensor
    owners: tuple[int, ...]


def stacked(linears: Sequence[tuple[int, Sequence[tuple[int, Pair]]]]) -> Stack | None:
    """Stack linears, each given by its number of outputs and its pairs with their adapters' numbers; None without any pair."""
    every = [each for _, pairs in linears for each in pairs]
    if not every:
        return None
    owners = tuple(owner for owner, (a, _) in every for _ in range(a.shape[1]))
    first = every[0][1][1]
    blocks = [
        torch.cat([b for _, (_, b) in pairs]) if pairs else first.new_empty(0, size)
        for size, pairs in linears
    ]
    return Stack(torch.cat([a for _, (a, _) in every], 1), torch.block_diag(*blocks), owners)


@dataclass(frozen=True)
class Place:
    """Where a stack's products go: the rows from its first to its last, and True [rows, ranks] where a rank is not the row's.

    `others` is None where every rank belongs to every row.
    """

    rows: slice
    others: torch.Tensor | None


class Share:
    """Which adapter answers which row of the pass that runs now."""

    def __init__(self) -> None:
        self.rows: tuple[int, ...] = ()
        self.places: dict[tuple[int, ...], Place | None] = {}

    def deal(self, rows: Sequence[int]) -> None:
        """Say whose each row is: an adapter's number, or BASE."""
        if tuple(rows) != self.rows:
            self.rows = tuple(rows)
            self.places = {}

    def place(self, stack: Stack) -> Place | None:
        """Where the stack's products go; None where no row has an adapter of it."""
        if stack.owners not in self.places:
            self.places[stack.owners] = self.found(stack)
        return self.places[stack.owners]

    def found(self, stack: Stack) -> Place | None:
        own = [at for at, row in enumerate(self.rows) if row in stack.owners]
        if not own:
            return None
        rows = slice(own[0], own[-1] + 1)
        device = stack.a.device
        owners = torch.tensor(stack.owners, device=device)
        others = torch.tensor(self.rows[rows], device=device)[:, None] != owners
        return Place(rows, others if others.any() else None)


def add(made: torch.Tensor, x: torch.Tensor, stack: Stack, share: Share) -> torch.Tensor:
    """Add x A B to `made` [rows, outputs] or [rows, tokens, outputs] in place, to each row by its own adapter alone.

    Summed in fp32 as PEFT does, and rounded once: in 16 bits light adapters fade.
    """
    place = share.place(stack)
    if place is None:
        return made
    low = x[place.rows].float() @ stack.a
    if place.others is not None:
        low.masked_fill_(place.others if x.dim() == 2 else place.others[:, None], 0.0)
    made[place.rows].add_(low @ stack.b)
    return made


class Overlay:
    """Adapters laid over a transformers model by forward hooks, which work for every architecture."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.share = Share()
        self.adapters: list[Adapter] = []
        self.hooks: list[Any] = []

    def lay(self, adapter: Adapter | None) -> int:
        """The number by which `deal` knows the adapter, laid over the model first if need be. Raises ModelNotReady."""
        if adapter is None:
            return BASE
        if adapter not in self.adapters:
            self.hang([*self.adapters, adapter])
            self.adapters.append(adapter)
        return self.adapters.index(adapter)

    def deal(self, rows: Sequence[int]) -> None:
        self.share.deal(rows)

    def hang(self, adapters: Sequence[Adapter]) -> None:
        pairs: dict[nn.Linear, list[tuple[int, Pair]]] = {}
        for number, adapter in enumerate(adapters):
            for linear, a, b in linears_of(self.model, adapter):  # raises before anything is changed
                pairs.setdefault(linear, []).append((number, (a, b)))
        self.unhang()
        for module, held in pairs.items():
            stack = stacked([(module.out_features, held)])
            self.hooks.append(module.register_forward_hook(adding(stack, self.share)))

    def unhang(self) -> None:
        for hook in self.hooks:
            hook.remove()
        self.hooks = []

    def lift(self) -> None:
        """Take the adapters off: the model is as it was."""
        self.unhang()
        self.adapters = []


def adding(stack: Stack | None, share: Share) -> Any:
    """A hook that adds the adapters' products to the output of their rows."""

    def hook(linear: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> torch.Tensor:
        x = given[0]
        if len(x) != len(share.rows):
            raise ModelNotReady(
                "This model mixes the rows of a batch inside its layers, so base and tuned cannot answer side by side. "
                "Choose another base model."
            )
        return made if stack is None else add(made, x, stack, share)

    return hook
