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
    """Texts to be found, listed under each of their features: a question looks only at those that share one with it.

    The texts of feature b stand from starts[b] to starts[b + 1].
    """

    count: int
    places: NDArray[np.int32]
    weights: NDArray[np.float32]  # of a text, its squares add up to 1
    starts: NDArray[np.intp]
    rarity: NDArray[np.float32]

    @staticmethod
    def of(texts: Sequence[Features]) -> Index:
        """Weigh features by their rarity among `texts` (tf-idf), each text to length one."""
        lengths = np.array([len(found) for found, _ in texts], np.intp)
        bins = np.concatenate([found for found, _ in texts]) if texts else np.empty(0, np.int32)
        times = np.concatenate([often for _, often in texts]) if texts else np.empty(0, np.float32)
        common = np.bincount(bins, minlength=BINS)
        rarity = np.log((1 + len(texts)) / (1 + common)).astype(np.float32) + 1
        weights = times * rarity[bins]
        places = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
        first = np.cumsum(lengths) - lengths
        weights /= np.sqrt(np.add.reduceat(weights**2, first))[places] if texts else weights
        order = by_feature(bins)
        starts = np.concatenate([[0], np.cumsum(common)]).astype(np.intp)
        return Index(len(texts), places[order], weights[order], starts, rarity)

    def nearest(self, wanted: Features, k: int) -> list[int]:
        """The places of the `k` texts that are most like `wanted`, nearest first, by the cosine of the angle between both.

        Ties keep the order given.
        """
        likeness = np.zeros(self.count, np.float32)
        for feature, often in zip(*wanted, strict=True):
            listed = slice(self.starts[feature], self.starts[feature + 1])
            likeness[self.places[listed]] += self.weights[listed] * (often * self.rarity[feature])
        return [int(each) for each in np.argsort(-likeness, kind="stable")[: max(k, 0)]]


def by_feature(bins: NDArray[np.int32]) -> NDArray[np.int64]:
    """The order that puts features together and keeps texts in theirs: sorted as one number, twice as fast as by argsort."""
    both = (bins.astype(np.int64) << 40) | np.arange(len(bins))
    both.sort()
    return both & ((1 << 40) - 1)


@dataclass(frozen=True)
class Nearest:
    """Conversations to choose from by a question; whoever asks often keeps one, for building it takes seconds for 100,000.

    It never changes and does not see what happens to the set: keep beside it what tells that the set is another
    (`store.conversations.state`), and then build the next one `of` the conversations and this one, from which the
    features of those of the same version are taken over.
    """

    index: Index
    conversations: tuple[str, ...]  # their ids
    features: dict[tuple[str, int], Features]  # by id and version

    @staticmethod
    def of(conversations: Sequence[Conversation], before: Nearest | None = None) -> Nearest:
        known = before.features if before else {}
        found = {
            (each.id, each.version): known.get((each.id, each.version)) or features(asked(each.messages))
            for each in conversations
        }
        return Nearest(Index.of(list(found.values())), tuple(id for id, _ in found), found)

    def ids(self, question: str, k: int) -> list[str]:
        """The ids of the `k` conversations in which the user asks most alike, nearest first."""
        return [self.conversations[place] for place in self.index.nearest(features(question), k)]


def nearest(question: str, conversations: Sequence[Conversation], k: int) -> list[Conversation]:
    """The `k` conversations in which the user asks most alike, nearest first. Asked once: see Nearest for asking often."""
    index = Index.of([features(asked(each.messages)) for each in conversations])
    return [conversations[place] for place in index.nearest(features(question), k)]
