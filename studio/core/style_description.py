"""A style, measured in answers and said as instructions to a model: a first draft of a system text, for a person to edit.

Only what most of the answers share is said, so that a set without a manner of its own gets few sentences. What a habit is,
in shares of the answers, stands in the constants below.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from statistics import median, quantiles

from studio.core import cutting, traits
from studio.core.cutting import WORD
from studio.core.traits import BOLD, HEADING, ROW, SIGNS

FEWEST = 5  # answers from which a style can be told
NEVER, OFTEN, MOSTLY, ALWAYS = 0.02, 0.2, 0.5, 0.8
NAMED = 3  # openings, closings
PHRASE = 4  # words of one
WORDS = 8  # of the vocabulary
SHORT = 10  # words of a short sentence
AT_LEAST = 5  # answers that must have a word before it is one of the vocabulary
RARER = 4.0  # how many times as many answers must have a word as plain ones have

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# (words of one choice, words of the other, what to say of the one, and of the other)
CHOICES = (
    (r"(?<![.!?…:]\s)(?<!^)\b(?:Sie|Ihnen|Ihr|Ihre[mnrs]?)\b", r"(?i:\b(?:du|dich|dir|dein\w*)\b)", "Address the reader as “Sie”.", "Address the reader as “du”."),
    (r"(?i:\b(?:vous|votre|vos)\b)", r"(?i:\b(?:tu|toi|ton|tes)\b)", "Address the reader as “vous”.", "Address the reader as “tu”."),
    (r"(?i:\busted(?:es)?\b)", r"(?i:\b(?:tú|ti|contigo|tuy[oa]s?)\b)", "Address the reader as “usted”.", "Address the reader as “tú”."),
    (r"(?i:\bwe\b|\bour\b)", r"\bI\b|(?i:\bmy\b)", "Speak as “we”, not as “I”.", "Speak as “I”, not as “we”."),
    (r"(?i:\bwir\b|\bunser\w*)", r"(?i:\bich\b|\bmein\w*)", "Speak as “wir”, not as “ich”.", "Speak as “ich”, not as “wir”."),
    (r"(?i:\b(?:i|we|you|they|it|that|there)['’](?:m|re|ll|ve|s|d)\b|\b\w+n['’]t\b)", r"(?i:\b(?:i am|we are|you are|it is|that is|i will|we will|do not|does not|cannot|can not|is not|will not)\b)", "Use contractions, such as “it's”.", "Write words out: “it is”, not “it's”."),
)  # fmt: skip


class Read(traits.Read):
    """An answer with what it begins and ends with, as it is written."""

    @property
    def beginnings(self) -> list[str]:
        """The first four words to the first one, as they are written; "" where there are fewer."""
        return [self.cut(0, size - 1) if len(self.places) >= size else "" for size in range(PHRASE, 0, -1)]

    @property
    def endings(self) -> list[str]:
        return [self.cut(-size, -1) if len(self.places) >= size else "" for size in range(PHRASE, 0, -1)]

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        return [each.span() for each in WORD.finditer(self.text)]

    def cut(self, first: int, last: int) -> str:
        return self.text[self.places[first][0] : self.places[last][1]]

    @property
    def paragraphs(self) -> int:
        return len([each for each in re.split(r"\n\s*\n", self.text) if each.strip()])


def describe(answers: Sequence[str], questions: Sequence[str], plain: Sequence[str]) -> str:
    """The style of `answers` as short instructions, one a line; "" where there are fewer than FEWEST.

    `questions` tell which words are only the subject's, `plain` answers to other questions which ones everybody uses.
    """
    read = [Read(each) for each in answers if WORD.search(each)]
    if len(read) < FEWEST:
        return ""
    said = (length(read), layout(read), *choices(read), begin(read), end(read), *signs(read))
    return "\n".join([*filter(None, said), *vocabulary(answers, questions, plain)])


def length(read: Sequence[Read]) -> str:
    """The middle half of the answers, in sentences and words."""
    low, high = middle([len(each.sentences) for each in read])
    fewest, most = middle([len(each.words) for each in read])
    fewest, most = (near(each) for each in (fewest, most))
    many = (
        f"{fewest} to {most} words" if fewest != most else f"about {most} {'word' if most == 1 else 'words'}"
    )
    if high > len(NUMBERS) - 1:
        return f"Answer in {many}."
    span = NUMBERS[high] if low == high else f"{NUMBERS[low]} to {NUMBERS[high]}"
    pace = median(len(cutting.words(sentence)) for each in read for sentence in each.sentences)
    short = f" Keep sentences short, about {NUMBERS[round(pace)]} words." if 1 < pace <= SHORT else ""
    return f"Answer in {span} {'sentence' if high == 1 else 'sentences'}, {many}.{short}"


def middle(counts: Sequence[int]) -> tuple[int, int]:
    low, _, high = quantiles(counts, n=4, method="inclusive")
    return max(1, round(low)), max(1, round(high))


def near(count: int) -> int:
    """A count of words as one says it."""
    step = 1 if count < 10 else 5 if count < 100 else 10
    return max(1, step * round(count / step))


def layout(read: Sequence[Read]) -> str:
    listed = share(read, lambda each: len(ROW.findall(each.text)) > 1)
    formatted = share(read, lambda each: bool(HEADING.search(each.text) or BOLD.search(each.text)))
    if listed >= MOSTLY:
        return "Give the answer as a list."
    if listed <= NEVER and formatted <= NEVER:
        paragraphs, _ = middle([each.paragraphs for each in read])
        apart = f" Part it into {NUMBERS[paragraphs]} paragraphs." if 1 < paragraphs < len(NUMBERS) else ""
        return f"Write plain text, without lists, headings or bold type.{apart}"
    return ""


def choices(read: Sequence[Read]) -> Iterator[str]:
    """Of two ways to say the same the one that the answers take, where they hardly ever take the other."""
    for one, other, said, said_other in CHOICES:
        has, has_other = holding(read, one), holding(read, other)
        if has >= OFTEN and has >= 5 * has_other:
            yield said
        elif has_other >= OFTEN and has_other >= 5 * has:
            yield said_other


def holding(read: Sequence[Read], pattern: str) -> float:
    return share(read, lambda each: bool(re.search(pattern, each.text)))


def begin(read: Sequence[Read]) -> str:
    return habit("Begin", "Often begin", phrases([each.beginnings for each in read]), len(read))


def end(read: Sequence[Read]) -> str:
    if share(read, lambda each: each.text.rstrip().endswith("?")) >= MOSTLY:
        return "End with a question."
    return habit("End", "Often end", phrases([each.endings for each in read]), len(read))


def phrases(texts: Sequence[Sequence[str]]) -> dict[str, int]:
    """Of each text's beginnings (or endings) of four words to one, those that enough share, at their longest, with how many."""
    found: dict[str, int] = {}
    for place in range(PHRASE):
        for phrase, count in Counter(each[place] for each in texts if each[place]).items():
            within = sum(n for other, n in found.items() if phrase in other)
            if count >= OFTEN * len(texts) and within < 0.7 * count:
                found[phrase] = count
    return found


def habit(always: str, often: str, found: dict[str, int], of: int) -> str:
    best = sorted(found, key=lambda each: -found[each])[:NAMED]
    if not best:
        return ""
    if found[best[0]] >= ALWAYS * of:
        return f"{always} with “{best[0]}”."
    return f"{often} with {' or '.join(f'“{each}”' for each in best)}."


def signs(read: Sequence[Read]) -> Iterator[str]:
    loud = share(read, lambda each: "!" in each.text)
    drawn = share(read, lambda each: bool(SIGNS["emoji"].search(each.text)))
    if loud >= MOSTLY:
        yield "Use exclamation marks."
    if drawn >= OFTEN:
        yield "Use emoji now and then."
    missing = [name for name, has in (("exclamation marks", loud), ("emoji", drawn)) if has <= NEVER]
    if missing:
        yield f"Use no {' and no '.join(missing)}."
    if share(read, lambda each: bool(SIGNS["ellipses"].search(each.text))) >= OFTEN:
        yield "Let sentences trail off with “…” now and then."
    if share(read, lambda each: not any(map(str.isupper, each.text))) >= ALWAYS and any(
        map(str.islower, read[0].text)
    ):
        yield "Write everything in small letters."


def vocabulary(answers: Sequence[str], questions: Sequence[str], plain: Sequence[str]) -> Iterator[str]:
    """Words that many answers have, plain ones hardly, and the questions not of themselves."""
    own, asked, usual = (spread(each) for each in (answers, questions, plain))
    weighed = {}
    for word, part in own.items():
        rarer = part / (usual[word] + 1 / max(len(plain), 20))
        if (
            part >= max(OFTEN / 2, AT_LEAST / len(answers))
            and rarer >= RARER
            and asked[word] < part / 2
            and len(word) > 1
        ):
            weighed[word] = part * rarer
    best = sorted(weighed, key=lambda each: (-weighed[each], each))[:WORDS]
    if len(best) >= NAMED:
        yield f"Words of this voice: {', '.join(best)}."


def spread(texts: Sequence[str]) -> defaultdict[str, float]:
    """The share of the texts that have a word, in small letters and without numbers."""
    found: Counter[str] = Counter()
    for each in texts:
        found.update({word for word in WORD.findall(each.lower()) if word.isalpha()})
    return defaultdict(float, {word: count / len(texts) for word, count in found.items()})


def share(read: Sequence[Read], has: Callable[[Read], bool]) -> float:
    return sum(map(has, read)) / len(read)
