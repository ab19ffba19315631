"""Text that an answer has word for word from learned answers: how much of it, and the longest piece.

A run is copied where every eight words in a row of it stand so in a learned answer; shorter ones are common phrases, unless
they are the whole of an answer of four words or more. In scripts without spaces two characters stand for a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from studio.core.cutting import WORD
from studio.core.words import IS_UNSPACED, UNSPACED

RUN = 8  # words in a row
WHOLE = 4  # words of a whole answer: "Yes, I do." may be said twice
MOSTLY = 0.5  # of an answer's words: from here on it repeats learned answers rather than answering
UNIT = re.compile(rf"[{UNSPACED}]|{WORD.pattern}")
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Copied:
    """The `share` of an answer's words that lie in copied runs; the `longest` of these in words, its `text` as it stands in
    the answer, and the place of a learned answer that holds its beginning (None: nothing is copied)."""

    share: float
    longest: int
    text: str
    source: int | None

    @property
    def mostly(self) -> bool:
        return self.share > MOSTLY


NOTHING = Copied(0.0, 0, "", None)


@dataclass(frozen=True)
class Text:
    """A text in units: words, and single characters of scripts without spaces. `runs`: the units of a run from each on."""

    spans: list[tuple[int, int]]
    hashes: Keys
    runs: NDArray[np.intp]

    @property
    def words(self) -> float:
        return float((RUN / self.runs).sum())  # a character weighs half a word

    @property
    def short(self) -> bool:
        return WHOLE <= self.words < RUN


@dataclass(frozen=True)
class Learned:
    """All runs of eight words of learned answers, by their hash, in order; `sources`: the answer that each is in.

    `whole`: the places of answers that are shorter than a run, by all their words.
    """

    keys: Keys
    sources: NDArray[np.intp]
    whole: dict[bytes, int]

    @staticmethod
    def of(answers: Sequence[str]) -> Learned:
        texts = [read(answer) for answer in answers]
        sizes = [len(text.spans) for text in texts]
        places = np.repeat(np.arange(len(texts)), sizes)
        empty = Text([], np.empty(0, np.uint64), np.empty(0, np.intp))
        parts = [*texts, empty]
        keys, starts = keyed(np.concatenate([each.hashes for each in parts]), np.concatenate([each.runs for each in parts]), places)  # fmt: skip
        order = np.argsort(keys, kind="stable")
        whole = {text.hashes.tobytes(): place for place, text in enumerate(texts) if text.short}
        return Learned(keys[order], places[starts][order], whole)

    def copied(self, answer: str, own: str = "") -> Copied:
        """What of the answer is copied. What stands in `own`, the expert's answer to this very question, is not."""
        text, mine = read(answer), read(own)
        if text.short:
            return self.whole_of(answer, text, mine)
        keys, starts = keyed(text.hashes, text.runs)
        found = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
        same = self.keys[found] == keys if len(self.keys) else np.zeros(len(keys), bool)
        same &= ~np.isin(keys, keyed(mine.hashes, mine.runs)[0])
        return told(unicodedata.normalize("NFC", answer), text, starts[same], self.sources[found[same]])

    def whole_of(self, answer: str, text: Text, own: Text) -> Copied:
        said = text.hashes.tobytes()
        if said not in self.whole or said == own.hashes.tobytes():
            return NOTHING
        return Copied(1.0, round(text.words), answer.strip(), self.whole[said])


def told(answer: str, text: Text, starts: NDArray[np.intp], sources: NDArray[np.intp]) -> Copied:
    if not len(starts):
        return NOTHING
    weights = RUN / text.runs
    covered = np.zeros(len(weights), bool)
    best = (0.0, 0, 0, 0)
    for run in np.split(np.arange(len(starts)), np.flatnonzero(np.diff(starts) > 1) + 1):
        begin, end = int(starts[run[0]]), int((starts[run] + text.runs[starts[run]]).max())
        covered[begin:end] = True
        best = max(best, (float(weights[begin:end].sum()), -begin, end, int(sources[run[0]])))
    longest, begin, end, source = best
    piece = answer[text.spans[-begin][0] : text.spans[end - 1][1]]
    return Copied(float(weights[covered].sum() / weights.sum()), round(longest), piece, source)


def read(text: str) -> Text:
    found = [
        (match.span(), match.group().casefold())
        for match in UNIT.finditer(unicodedata.normalize("NFC", text))
    ]
    hashes = np.array([crc32(word.encode()) for _, word in found], np.uint64)
    runs = np.array([2 * RUN if IS_UNSPACED.match(word) else RUN for _, word in found], np.intp)
    return Text([span for span, _ in found], hashes, runs)


def keyed(
    hashes: Keys, runs: NDArray[np.intp], places: NDArray[np.intp] | None = None
) -> tuple[Keys, NDArray[np.intp]]:
    """The hash of each whole run and the unit that it begins with. `places`: the text of each unit; none goes over into the next."""
    ends = np.arange(len(hashes)) + runs - 1
    whole = ends < len(hashes)
    if places is not None:
        whole[whole] = places[ends[whole]] == places[whole]
    starts = np.flatnonzero(whole)
    # A polynomial over the units, modulo 2^64: of a million runs none meets another by chance.
    powers = MULTIPLIER ** np.arange(2 * RUN, dtype=np.uint64)
    mixed = (hashes + np.uint64(1)) * MULTIPLIER
    mixed ^= mixed >> np.uint64(29)
    keys = np.zeros(len(starts), np.uint64)
    for at in range(2 * RUN):
        longer = runs[starts] > at
        keys[longer] += mixed[starts[longer] + at] * powers[at]
    return keys, starts
