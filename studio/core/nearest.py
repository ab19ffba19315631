"""Which texts are most like a question: by their words and the pieces of words, without any model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from studio.core.records import Conversation, Message

WORD = re.compile(r"\w+")
BINS = 2**18  # features are kept apart by their hash in so many; of 10,000 conversations few meet
MOST = 20_000  # characters of one text that count
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing: spreads neighbouring numbers over all bins

Features = tuple[
    NDArray[np.int32], NDArray[np.float32]
]  # which features a text has, in order, and how much of each


def asked(messages: Sequence[Message]) -> str:
    """What the user says in a conversation: the text by which it is found."""
    return "\n".join(each.content for each in messages if each.role == "user")


def features(text: str) -> Features:
    """The words of a text and its pieces of four characters, which find a word in its other forms and with a slip in it.

    Each counts by the logarithm of how often it is there. A text without a word counts as one that says nothing.
    """
    said = WORD.findall(text[:MOST].casefold()) or [""]
    words = np.array([crc32(each.encode()) for each in said], np.uint64)
    found, times = np.unique(np.concatenate([words % BINS, pieces(" ".join(said))]), return_counts=True)
    return found.astype(np.int32), (1 + np.log(times)).astype(np.float32)


def pieces(text: str) -> NDArray[np.uint64]:
    letters = np.frombuffer(f" {text} ".encode("utf-32-le"), np.uint32).astype(np.uint64)
    if len(letters) < 4:
        return np.empty(0, np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(letters, 4)
    # A character has 21 bits; three of four places overlap less than the multiplication mixes.
    mixed = windows @ np.array([1, 1 << 16, 1 << 32, 1 << 43], np.uint64)
    return (mixed * MULTIPLIER) >> np.uint64(64 - 18)


@dataclass(frozen=True)
class Index:
    """Texts to be found, ready to be compared with any other. `starts`: where each text's features begin."""

    bins: NDArray[np.int32]
    weights: NDArray[np.float32]  # of a text, its squares add up to 1
    starts: NDArray[np.intp]
    rarity: NDArray[np.float32]

    @staticmethod
    def of(texts: Sequence[Features]) -> Index:
        """Weigh features by their rarity among `texts` (tf-idf), each text to length one."""
        lengths = np.array([len(found) for found, _ in texts], np.intp)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.intp) if texts else lengths
        bins = np.concatenate([found for found, _ in texts]) if texts else np.empty(0, np.int32)
        times = np.concatenate([often for _, often in texts]) if texts else np.empty(0, np.float32)
        rarity = np.log((1 + len(texts)) / (1 + np.bincount(bins, minlength=BINS))).astype(np.float32) + 1
        weights = times * rarity[bins]
        norms = np.sqrt(np.add.reduceat(weights**2, starts)) if texts else weights
        return Index(bins, weights / np.repeat(norms, lengths), starts, rarity)

    def nearest(self, wanted: Features, k: int) -> list[int]:
        """The places of the `k` texts that are most like `wanted`, nearest first, by the cosine of the angle between both.

        Ties keep the order given.
        """
        if not len(self.starts) or k <= 0:
            return []
        question = np.zeros(BINS, np.float32)
        found, often = wanted
        question[found] = often * self.rarity[found]
        likeness = np.add.reduceat(self.weights * question[self.bins], self.starts)
        return [int(each) for each in np.argsort(-likeness, kind="stable")[:k]]


def nearest(question: str, conversations: Sequence[Conversation], k: int) -> list[Conversation]:
    """The `k` conversations in which the user asks most alike, nearest first."""
    index = Index.of([features(asked(each.messages)) for each in conversations])
    return [conversations[place] for place in index.nearest(features(question), k)]
