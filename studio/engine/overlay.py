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
    """Several adapters of one linear side by side: a [inputs, ranks], b [ranks, outputs]; `owners` tells each rank's adapter.

    One product serves all of them, and a row keeps only what comes from its own adapter's ranks.
    """

    a: torch.Tensor
    b: torch.Tensor
    owners: tuple[int, ...]


def stacked(pairs: Sequence[tuple[int, Pair]]) -> Stack:
    """Put the pairs of several adapters, each given with its adapter's number, side by side."""
    owners = tuple(owner for owner, (a, _) in pairs for _ in range(a.shape[1]))
    return Stack(torch.cat([a for _, (a, _) in pairs], 1), torch.cat([b for _, (_, b) in pairs]), owners)


class Share:
    """Which adapter answers which row of the pass that runs now."""

    def __init__(self) -> None:
        self.rows: tuple[int, ...] = ()
        self.foreign: dict[tuple[int, ...], torch.Tensor | None] = {}

    def deal(self, rows: Sequence[int]) -> None:
        """Say whose each row is: an adapter's number, or BASE."""
        if tuple(rows) != self.rows:
            self.rows = tuple(rows)
            self.foreign = {}

    def none_of(self, stack: Stack) -> bool:
        return set(self.rows).isdisjoint(stack.owners)

    def others(self, stack: Stack) -> torch.Tensor | None:
        """True [rows, ranks] where a rank belongs to another adapter than the row; None where there is no such place."""
        if stack.owners not in self.foreign:
            device = stack.a.device
            rows, owners = torch.tensor(self.rows, device=device), torch.tensor(stack.owners, device=device)
            found = rows[:, None] != owners
            self.foreign[stack.owners] = found if found.any() else None
        return self.foreign[stack.owners]


def add(made: torch.Tensor, x: torch.Tensor, stack: Stack, others: torch.Tensor | None) -> torch.Tensor:
    """Add x A B to `made` in place, to each row by its own adapter alone.

    Summed in fp32 as PEFT does, and rounded once: in 16 bits light adapters fade.
    """
    low = x.float() @ stack.a
    if others is not None:
        low.masked_fill_(others, 0.0)
    return made.add_(low @ stack.b)


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
        pairs: dict[nn.Module, list[tuple[int, Pair]]] = {}
        for number, adapter in enumerate(adapters):
            for linear, a, b in linears_of(self.model, adapter):  # raises before anything is changed
                pairs.setdefault(linear, []).append((number, (a, b)))
        self.unhang()
        for module, held in pairs.items():
            self.hooks.append(module.register_forward_hook(adding(stacked(held), self.share)))

    def unhang(self) -> None:
        for hook in self.hooks:
            hook.remove()
        self.hooks = []

    def lift(self) -> None:
        """Take the adapters off: the model is as it was."""
        self.unhang()
        self.adapters = []


def adding(stack: Stack, share: Share) -> Any:
    """A hook that adds the adapters' products to the output of their rows."""

    def hook(linear: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> torch.Tensor:
        x = given[0]
        if len(x) != len(share.rows):
            raise ModelNotReady(
                "This model mixes the rows of a batch inside its layers, so base and tuned cannot answer side by side. "
                "Choose another base model."
            )
        if share.none_of(stack):
            return made
        others = share.others(stack)
        return add(made, x, stack, others if others is None or x.dim() == 2 else others[:, None])

    return hook
