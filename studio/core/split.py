"""Which conversations are held out to measure on: decided by a hash of the id alone."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from studio.core.recipe import HELD_OUT_SHARE


def held_out(ids: Sequence[str], share: float = HELD_OUT_SHARE) -> frozenset[str]:
    """The ids that are held out: those whose hash, as a fraction of all hashes, lies below `share`.

    A conversation keeps its side as the set grows or shrinks, so nothing that was measured on is ever learned. Two
    exceptions keep small sets usable: where no hash lies below the share, the id with the smallest one is held out;
    where all do, the one with the largest is learned. Fewer than two ids: none is held out, as there is nothing to
    divide.
    """
    ordered = sorted(set(ids), key=fraction)
    if len(ordered) < 2:
        return frozenset()
    below = sum(fraction(each) < share for each in ordered)
    return frozenset(ordered[: min(max(below, 1), len(ordered) - 1)])


def fraction(id: str) -> float:
    """Where the id's hash lies between 0 and 1, evenly spread over ids."""
    return int.from_bytes(sha256(id.encode()).digest()[:8], "big") / 2**64
