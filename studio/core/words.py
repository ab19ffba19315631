"""The words of a search: how a text is cut into them, what a person asked for, and where that stands in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from studio.core.text import ACCENTS, searchable

BEGINNING = (
    3  # letters from which the last word is taken as the beginning of one; before, half the set would match
)
MOST_ASKED = 32  # phrases of one search; what stands after them is not looked at

# Thai, Lao, Burmese, Khmer, Chinese, Japanese and Korean stand without spaces, or join endings to their words.
UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1050-\u108f\u1780-\u17d3\u3005-\u3007\u3041-\u309a\u30a1-\u30fa"
    "\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# Scripts of India: their vowel signs belong to the word, and are no letters to Python.
SIGNED = "\u0900-\u0963\u0966-\u0dff"
WORD = re.compile(rf"[{UNSPACED}]+|(?:[^\W_{UNSPACED}]|[{SIGNED}])+")  # in a searchable text
RUN = re.compile(
    rf"(?:[^\W_]|[{UNSPACED}{SIGNED}{ACCENTS}\u3099\u309a\uff9e\uff9f])+"
)  # in a text as it came
IS_UNSPACED = re.compile(f"[{UNSPACED}]")
QUOTES = re.compile('["“”„«»]')


@dataclass(frozen=True)
class Phrase:
    """Words that stand one after the other; where `begins`, the last one need only be the beginning of a word."""

    words: tuple[str, ...]
    begins: bool = False


def indexed(text: str) -> str:
    """The words of a text, with spaces between them, as they are looked for.

    Where a script has no spaces every two neighbours are a word, and the last character is one by itself: so any
    two characters of a text are found as a word, any three as two words, and one as the beginning of a word.
    """
    folded = searchable(text)
    if folded.isascii():
        return folded  # whoever reads this takes all but letters and digits for spaces
    if not IS_UNSPACED.search(folded):
        return " ".join(WORD.findall(folded))
    return " ".join(word for match in WORD.finditer(folded) for word, _ in cut(match.group()))


def cut(run: str) -> Iterator[tuple[str, int]]:
    """The words of one match of WORD, and where each begins in it."""
    if not IS_UNSPACED.match(run):
        yield run, 0
        return
    for start in range(len(run)):
        yield run[start : start + 2], start


def asked(search: str) -> tuple[Phrase, ...]:
    """What a person wants to find: each phrase must be there. What is no word, such as "%", asks for nothing."""
    found: list[Phrase] = []
    parts = QUOTES.split(search)
    for place, part in enumerate(parts):
        for text in [part] if place % 2 else part.split():
            found += phrases(text)
    if found and parts[-1].strip() and not IS_UNSPACED.match(last := found[-1].words[-1]):
        found[-1] = Phrase(found[-1].words, begins=len(last) >= BEGINNING)
    return tuple(found[:MOST_ASKED])


def phrases(text: str) -> Iterator[Phrase]:
    """The words of `text` as phrases; a run without spaces is one by itself."""
    spaced: list[str] = []
    for match in WORD.finditer(searchable(text)):
        run = match.group()
        if not IS_UNSPACED.match(run):
            spaced.append(run)
            continue
        if spaced:
            yield Phrase(tuple(spaced))
            spaced = []
        pairs = tuple(one + two for one, two in pairwise(run))
        yield Phrase(pairs) if pairs else Phrase((run,), begins=True)
    if spaced:
        yield Phrase(tuple(spaced))


def placed(text: str) -> list[tuple[str, int, int]]:
    """The words of a text as it came, each with the characters that it stands at."""
    found = []
    for run in RUN.finditer(text):
        folded = searchable(run.group())
        same = len(folded) == len(
            run.group()
        )  # else the places within are not known: the whole run is marked
        for match in WORD.finditer(folded):
            for word, start in cut(match.group()):
                at = run.start() + match.start() + start
                found.append((word, at, at + len(word)) if same else (word, run.start(), run.end()))
    return found


def spans(text: str, wanted: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Where in `text` the phrases stand, in order and apart from each other, in characters."""
    words = placed(text)
    found = []
    for phrase in wanted:
        length = len(phrase.words)
        for start in range(len(words) - length + 1):
            stood = words[start : start + length]
            if all(one[0] == two for one, two in zip(stood, phrase.words, strict=True)):
                found.append((stood[0][1], stood[-1][2]))
            elif phrase.begins and stood[-1][0].startswith(phrase.words[-1]) and tuple(each[0] for each in stood[:-1]) == phrase.words[:-1]:  # fmt: skip
                found.append((stood[0][1], min(stood[-1][2], stood[-1][1] + len(phrase.words[-1]))))
    return joined(sorted(found))


def joined(found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    apart: list[tuple[int, int]] = []
    for start, end in found:
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def marked(text: str, wanted: Sequence[Phrase]) -> list[str]:
    """`text` in pieces: every second one, from the second on, is what was looked for."""
    pieces, done = [], 0
    for start, end in spans(text, wanted):
        pieces += [text[done:start], text[start:end]]
        done = end
    return [*pieces, text[done:]]


def excerpt(text: str, wanted: Sequence[Phrase], lead: int = 30, limit: int = 200) -> str:
    """The part of `text` around the first place of what was looked for, on one line; "" where it is not there."""
    found = spans(text, wanted)
    if not found:
        return ""
    start = max(0, found[0][0] - lead)
    start = text.find(" ", start, found[0][0]) + 1 or start if start else 0
    return ("… " if start else "") + " ".join(text[start : start + 4 * limit].split())[:limit]
