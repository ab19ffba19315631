"""How sure a figure is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DRAWS = 2000


def change_interval(
    before: Sequence[float], after: Sequence[float], sure: float = 0.95
) -> tuple[float, float]:
    """Between which shares a sum has changed, from `before` and `after` of the same conversations: (-0.4, -0.3).

    Percentile bootstrap over conversations (Efron 1979): what other held-out conversations of the same kind would have
    said. The same numbers give the same interval.
    """
    old, new = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    drawn = np.random.default_rng(0).integers(0, len(old), (DRAWS, len(old)))
    changes = new[drawn].sum(1) / old[drawn].sum(1) - 1
    low, high = np.quantile(changes, [(1 - sure) / 2, (1 + sure) / 2])
    return float(low), float(high)
