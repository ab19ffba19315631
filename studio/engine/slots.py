"""Keys and values of several rows, each with a length of its own, in tensors that are written in place."""

from __future__ import annotations

import torch

STEP = 64  # tokens: room is made in such steps, and half as much again, so that it is made seldom


class Slots:
    """`held` [layers, rows, tokens, 2, heads, width]: keys, then values. Rows 0 to `rows` are in use, in any order.

    Nothing is copied when a token is added, and a row that leaves is replaced by the last one.
    """

    def __init__(self, layers: int, heads: int, width: int, dtype: torch.dtype) -> None:
        self.rows = 0
        self.held = torch.empty(layers, 0, 0, 2, heads, width, dtype=dtype)

    @torch.inference_mode()
    def add(self, past: torch.Tensor | None) -> int:
        """A new row, with a past [layers, tokens, 2, heads, width] or empty; returns its number."""
        row = self.rows
        self.reserve(row + 1, past.shape[1] if past is not None else 0)
        if past is not None:
            self.held[:, row, : past.shape[1]] = past
        self.rows += 1
        return row

    @torch.inference_mode()
    def reserve(self, rows: int, tokens: int) -> None:
        """Make room for so many rows of so many tokens."""
        layers, held_rows, held_tokens, *rest = self.held.shape
        if rows <= held_rows and tokens <= held_tokens:
            return
        if tokens > held_tokens:
            tokens = -(-max(tokens, held_tokens * 3 // 2) // STEP) * STEP
        # Of zeros: what a row may not look at still counts nought times, and nought times what memory held might be no number.
        made = self.held.new_zeros(layers, max(rows, held_rows), max(tokens, held_tokens), *rest)
        made[:, :held_rows, :held_tokens] = self.held
        self.held = made

    @torch.inference_mode()
    def past(self, row: int, length: int) -> torch.Tensor:
        """A copy of a row's first `length` tokens."""
        return self.held[:, row, :length].clone()

    @torch.inference_mode()
    def remove(self, row: int, last: int) -> None:
        """Take a row out; the last row, of `last` tokens, stands in its place from now on."""
        self.rows -= 1
        if row != self.rows:
            self.held[:, row, :last] = self.held[:, self.rows, :last]

    def clear(self) -> None:
        self.rows = 0
        self.held = self.held[:, :0, :0].clone()
