"""Why an example was chosen for a question: how alike they are, and by which words."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from studio.core.nearest import BINS, WORD, features

MOST = 4  # words that are named
TELLING = 2.7  # the rarity from which a word is named: what one of five conversations holds says little


def likeness(question: str, text: str, rarity: NDArray[np.float32]) -> float:
    """The cosine by which `nearest.Index` orders, of the same features and rarities: from 0, nothing alike, to 1."""
    (one, often), (other, often_too) = features(question), features(text)
    wanted, found = often * rarity[one], often_too * rarity[other]
    _, here, there = np.intersect1d(one, other, assume_unique=True, return_indices=True)
    return float(wanted[here] @ found[there] / (np.linalg.norm(wanted) * np.linalg.norm(found)))


def shared(question: str, text: str, rarity: NDArray[np.float32]) -> tuple[str, ...]:
    """The words that both have, rarest first, without those that many conversations have."""
    asked, said = (set(WORD.findall(one.casefold())) for one in (question, text))
    weighed = {each: float(rarity[crc32(each.encode()) % BINS]) for each in asked & said}
    telling = [each for each, weight in weighed.items() if weight >= TELLING]
    return tuple(sorted(telling, key=lambda each: (-weighed[each], each))[:MOST])
