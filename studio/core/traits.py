"""How two sets of answers differ in traits that anybody can see and say: length, lists, openings, signs, common words.

The common words are the most frequent ones of the experts' own answers, whatever their language; how far apart two sets
are in them is Burrows's Delta (Burrows 2002, Literary and Linguistic Computing 17(3)): the mean over these words of the
difference in how often they are used, each in the standard deviations that it has among all these answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.core import cutting
from studio.core.address import addressed, language

COMMON = 30  # of the experts' words, that Delta is made of; most of them say nothing of the subject
NAMED = 4  # openings, closings and common words of each side that are looked at one by one
OFTEN = 3  # answers that must share an opening or closing before it is one
MOST = 2000  # answers of a side; more make nothing clearer, and take seconds
RUN = 4  # words: what is said again
CLEAR = 3.0  # standard errors: of some forty traits, none is that far apart by chance

ROW = re.compile(r"^\s*(?:[-*•–+]|\d{1,3}[.)])\s+\S", re.MULTILINE)
HEADING = re.compile(r"^#{1,6} \S", re.MULTILINE)
BOLD = re.compile(r"\*\*\S.*?\*\*|__\S.*?__")
ENDED = re.compile(r"[.!?…。！？؟۔।॥։]\W*$")
SIGNS = {
    "commas": re.compile(r"[,，、،]"),
    "colons and semicolons": re.compile(r"[:;：；؛]"),
    "dashes": re.compile(r"[–—]|(?<=\s)-+(?=\s)"),
    "brackets": re.compile(r"[(（\[【]"),
    "quotation marks": re.compile(r"[\"“”„«»「『]"),
    "ellipses": re.compile(r"…|\.\.\."),
    "emoji": re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]"),
}

Kind = Literal["number", "share", "rate"]


@dataclass(frozen=True)
class Difference:
    """One trait of two sets of answers. `says` names the arm first: "Lists in 60 % of answers against 5 %."

    A share is between 0 and 1, a rate counts in 100 words. `clear`: chance alone would not put them so far apart.
    """

    trait: str
    experts: float
    arm: float
    clear: bool
    says: str


class Read:
    """An answer with what its traits are told from."""

    def __init__(self, text: str) -> None:
        self.text = unicodedata.normalize("NFC", text)
        self.words = cutting.words(text)
        self.sentences = cutting.sentences(text)

    @cached_property
    def times(self) -> Counter[str]:
        return Counter(self.words)

    @property
    def opening(self) -> str:
        found = cutting.WORD.search(self.text)
        return found.group() if found else ""

    @property
    def closing(self) -> str:
        """The last two words; an answer that was cut off in the middle has none."""
        return " ".join(self.words[-2:]) if ENDED.search(self.text) else ""

    def rate(self, times: int) -> float:
        return 100 * times / max(len(self.words), 1)


@dataclass(frozen=True)
class Trait:
    """`of` tells it of one answer; `phrase` says it with {arm} and {experts}."""

    name: str
    kind: Kind
    of: Callable[[Read], float]
    phrase: str


def differences(experts: Sequence[str], arm: Sequence[str]) -> list[Difference]:
    """The traits in which an arm's answers are apart from the experts', the surest first, the common words at the end.

    Empty texts do not count; of more than MOST texts so many are read, evenly spread.
    """
    theirs, own = ([Read(text) for text in spread(texts) if text.strip()] for texts in (experts, arm))
    if not theirs or not own:
        return []
    found = [
        compared(each, theirs, own)
        for each in (*PLAIN, *of_signs(), *of_address(theirs), *of_phrases(theirs, own))
    ]
    found.sort(key=lambda pair: -pair[0])
    return [each for _, each in found if each.experts != each.arm] + [common_words(theirs, own)]


def spread(texts: Sequence[str]) -> Sequence[str]:
    return texts if len(texts) <= MOST else [texts[at * len(texts) // MOST] for at in range(MOST)]


def compared(trait: Trait, experts: Sequence[Read], arm: Sequence[Read]) -> tuple[float, Difference]:
    """The trait of both, and how many standard errors they are apart, had all answers been of one kind."""
    theirs, own = (np.array([trait.of(each) for each in side], float) for side in (experts, arm))
    error = np.concatenate([theirs, own]).std() * np.sqrt(1 / len(theirs) + 1 / len(own))
    apart = abs(own.mean() - theirs.mean()) / error if error else 0.0
    says = said(trait, float(own.mean()), float(theirs.mean()))
    return apart, Difference(trait.name, float(theirs.mean()), float(own.mean()), bool(apart > CLEAR), says)


def said(trait: Trait, arm: float, experts: float) -> str:
    shown = {"number": number, "share": share, "rate": number}[trait.kind]
    return trait.phrase.format(arm=shown(arm), experts=shown(experts), times=times(arm, experts))


def number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def share(value: float) -> str:
    return f"{value:.0%}".replace("%", " %")


def times(arm: float, experts: float) -> str:
    """ "2.1 times as long", "40 % longer", "63 % shorter": what a person would say of lengths."""
    if not experts:
        return "longer"
    if arm >= 1.95 * experts:
        return f"{arm / experts:.1f} times as long"
    return f"{share(abs(arm / experts - 1))} {'longer' if arm > experts else 'shorter'}"


# --- the traits

IN_ANSWERS, IN_WORDS = "in {arm} of answers against {experts}.", "in 100 words: {arm} against {experts}."
PLAIN = (
    Trait("length", "number", lambda each: len(each.words), "Answers are {times}: {arm} words against {experts}."),
    Trait("sentences", "number", lambda each: len(each.sentences), "Sentences in an answer: {arm} against {experts}."),
    Trait("words per sentence", "number", lambda each: len(each.words) / max(len(each.sentences), 1), "Words in a sentence: {arm} against {experts}."),
    Trait("lists", "share", lambda each: len(ROW.findall(each.text)) > 1, f"Lists {IN_ANSWERS}"),
    Trait("headings", "share", lambda each: bool(HEADING.search(each.text)), f"Headings {IN_ANSWERS}"),
    Trait("bold", "share", lambda each: bool(BOLD.search(each.text)), f"Bold words {IN_ANSWERS}"),
    Trait("code", "share", lambda each: "```" in each.text, f"Code {IN_ANSWERS}"),
    Trait("questions", "share", lambda each: bool(re.search("[?？؟]", each.text)), f"Questions {IN_ANSWERS}"),
    Trait("circles", "share", lambda each: circling(each.words), f"Going round in circles {IN_ANSWERS}"),
    Trait("exclamation marks", "share", lambda each: bool(re.search("[!！]", each.text)), f"Exclamation marks {IN_ANSWERS}"),
)  # fmt: skip


def circling(words: Sequence[str]) -> bool:
    """Whether more than half of its runs of four words were said before, as by a small model that finds no end."""
    runs = [tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]
    return len(set(runs)) < len(runs) / 2


def of_signs() -> Iterator[Trait]:
    for name, pattern in SIGNS.items():
        yield Trait(name, "rate", counting(pattern), f"{name.capitalize()} {IN_WORDS}")


def counting(pattern: re.Pattern[str]) -> Callable[[Read], float]:
    return lambda each: each.rate(len(pattern.findall(each.text)))


def of_address(experts: Sequence[Read]) -> Iterator[Trait]:
    """I, we and you, where the experts write a language whose words for it are known."""
    spoken = language([word for each in experts for word in each.words])
    for form in addressed([], spoken) if spoken else ():
        yield Trait(f"“{form}”", "rate", speaking(form, spoken), f"“{form}” and its forms {IN_WORDS}")


def speaking(form: str, spoken: str) -> Callable[[Read], float]:
    return lambda each: each.rate(addressed(cutting.WORD.findall(each.text), spoken)[form])


def of_phrases(experts: Sequence[Read], arm: Sequence[Read]) -> Iterator[Trait]:
    """The commonest openings and closings of either side, one by one."""
    for opening in frequent([each.opening for each in experts], [each.opening for each in arm]):
        yield Trait(f"begins with “{opening}”", "share", opened(opening), f"“{opening}” begins {{arm}} of answers against {{experts}}.")  # fmt: skip
    for closing in frequent([each.closing for each in experts], [each.closing for each in arm]):
        yield Trait(f"ends with “{closing}”", "share", closed(closing), f"“{closing}” ends {{arm}} of answers against {{experts}}.")  # fmt: skip


def opened(word: str) -> Callable[[Read], float]:
    return lambda each: each.opening == word


def closed(words: str) -> Callable[[Read], float]:
    return lambda each: each.closing == words


def frequent(*sides: Sequence[str]) -> list[str]:
    found = [Counter(filter(None, side)).most_common(NAMED) for side in sides]
    return sorted({each for side in found for each, count in side if count >= OFTEN})


def common_words(experts: Sequence[Read], arm: Sequence[Read]) -> Difference:
    """Burrows's Delta of the arm; beside it, as the experts' own, that of one half of their answers from the other."""
    counted = Counter(word for each in experts for word in each.words)
    common = [word for word, _ in counted.most_common() if not word.isnumeric()][:COMMON]
    theirs, own = rates(experts, common), rates(arm, common)
    spread = np.concatenate([theirs, own]).std(0)
    apart, among = delta(theirs, own, spread), delta(theirs[::2], theirs[1::2], spread)
    # By chance alone each word is as far apart as the size of a normal error: 0.8 of it on average, give or take 0.6.
    error = np.sqrt(1 / len(theirs) + 1 / len(own))
    sure = (apart.mean() - 0.8 * error) / (0.6 * error)
    most = [
        f"“{common[at]}” {number(own[:, at].mean())} in 100 words against {number(theirs[:, at].mean())}"
        for at in np.argsort(-apart)[:NAMED]
    ]
    says = f"Common words are used otherwise: {', '.join(most)}."
    return Difference("common words", float(among.mean()), float(apart.mean()), bool(sure > CLEAR), says)  # fmt: skip


def delta(one: NDArray[np.float64], two: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:  # fmt: skip
    """How far the means of each word are apart, in deviations; a word that all use alike is not."""
    if not len(one) or not len(two):
        return np.zeros(len(spread))
    apart = np.abs(one.mean(0) - two.mean(0))
    found: NDArray[np.float64] = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0)
    return found


def rates(side: Sequence[Read], words: Sequence[str]) -> NDArray[np.float64]:
    """How often each word stands in 100 words of each answer: (answers, words)."""
    return np.array([[each.rate(each.times[word]) for word in words] for each in side], float)
