"""Blind judging: what a round is, what its votes come to, and in which words that may be said.

A round shows one judge two answers to one question, without their names, on sides that chance chose. Some rounds show two
answers of one arm (calibration): whoever prefers one of these shows how much of a preference is noise.

The words about a pair, by the first rule that holds:

rule         when
no votes     nobody has voted on it
sure         the lasting interval (see `shares`) does not hold a half: the one arm is called better
equal        it lies wholly between 40 and 60 %: called about equally good
not yet      neither: says how many more clear votes would probably settle it, or that more than 400 would be needed
both bad     half of the questions or more: said beside each of these
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from studio.core import endpoint, shares
from studio.core.agreement import alpha
from studio.core.estimate import Estimate, Floats
from studio.core.records import Message

Asked = tuple[str, tuple[str, str], str]  # base, pair of arms, question
Choice = Literal["left", "right", "tie", "bad"]
CHOICES: tuple[Choice, ...] = ("left", "right", "tie", "bad")
EVEN = (0.4, 0.6)  # shares between which nobody would notice a difference
CALIBRATION = 8  # one round in so many shows two answers of one arm


@dataclass(frozen=True)
class Judging:
    """What is judged: two arms by their names, on held-out questions, or on `questions` where some are given."""

    arms: tuple[str, str]
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """An arm's answer on one side of a round. `fingerprint` tells which weights, prompt and sampling it came from."""

    arm: str
    answer: str
    fingerprint: str


@dataclass(frozen=True)
class Round:
    """Two answers to one question before one judge. `choice` is None until it was voted on.

    `question` is the conversation that it comes from, or what the text of a typed one makes; `base` the model under both.
    """

    id: str
    project: str
    judge: str
    base: str
    question: str
    messages: tuple[Message, ...]
    left: Shown
    right: Shown
    at: str
    choice: Choice | None = None
    reasons: tuple[str, ...] = ()
    voted_at: str = ""
    revealed: bool = False  # the judge has been told which arm was where: the vote stands

    @property
    def calibrates(self) -> bool:
        return self.left.arm == self.right.arm

    @property
    def pair(self) -> tuple[str, str]:
        a, b = sorted((self.left.arm, self.right.arm), key=lambda arm: (arm != "base", arm))
        return a, b

    @property
    def chosen(self) -> str:
        """The preferred arm's name, "tie" or "bad"."""
        sides = {"left": self.left.arm, "right": self.right.arm}
        return sides.get(str(self.choice), str(self.choice))


@dataclass(frozen=True)
class Tally:
    """What the votes on a pair of arms come to: questions in which a or b was preferred, neither, or both were bad."""

    a: str
    b: str
    a_wins: int = 0
    b_wins: int = 0
    ties: int = 0
    both_bad: int = 0

    @property
    def questions(self) -> int:
        return self.a_wins + self.b_wins + self.ties + self.both_bad

    @property
    def clear(self) -> int:
        return self.a_wins + self.b_wins

    @property
    def share(self) -> Estimate:
        """How often b was preferred where one was."""
        return shares.share(self.b_wins, self.a_wins)


def counting(rounds: Iterable[Round]) -> list[Round]:
    """The rounds that count for a tally: voted on, and of two arms."""
    return [each for each in rounds if each.choice and not each.calibrates]


def tallies(rounds: Iterable[Round]) -> list[Tally]:
    """A tally of each pair that was voted on, the most judged first.

    A question counts once, whoever judged it: as what most chose, or as a tie where two things were chosen equally often.
    """
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (_, pair, _), voted in by_question(rounds).items():
        found[pair][most(voted)] += 1
    made = (Tally(a, b, count[a], count[b], count["tie"], count["bad"]) for (a, b), count in found.items())
    return sorted(made, key=lambda each: (-each.questions, each.a, each.b))


def by_question(rounds: Iterable[Round]) -> dict[Asked, list[Round]]:
    """The rounds that count, of each base, pair of arms and question."""
    asked: dict[Asked, list[Round]] = defaultdict(list)
    for each in counting(rounds):
        asked[each.base, each.pair, each.question].append(each)
    return asked


def on_last_base(rounds: Sequence[Round]) -> list[Round]:
    """Those on the base that was judged last: those on another one are of other arms."""
    return [each for each in rounds if each.base == rounds[-1].base]


def most(voted: Sequence[Round]) -> str:
    """What most of a question's judges chose, as `Round.chosen` names it; a tie where two things were chosen equally often."""
    ranked = Counter(each.chosen for each in voted).most_common(2)
    return "tie" if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def wins(found: Sequence[Tally]) -> tuple[list[str], Floats]:
    """The arms, the base first, and how often each was preferred over each other, for `strengths`; ties count half."""
    arms = sorted({arm for each in found for arm in (each.a, each.b)}, key=lambda arm: (arm != "base", arm))
    table = np.zeros((len(arms), len(arms)))
    for each in found:
        a, b = arms.index(each.a), arms.index(each.b)
        table[a, b] += each.a_wins + each.ties / 2
        table[b, a] += each.b_wins + each.ties / 2
    return arms, table


def agreement(rounds: Iterable[Round]) -> float | None:
    """Krippendorff's alpha over the questions that several judges voted on; None where there is none."""
    asked = by_question(rounds).values()
    return alpha([list({each.judge: each.chosen for each in voted}.values()) for voted in asked])


@dataclass(frozen=True)
class Calibration:
    """How a judge votes where nothing is to be preferred, and whether one side is.

    `noise`: how often one of two answers of the same arm was preferred; `left`: how often the left one, over all clear votes.
    """

    rounds: int
    noise: Estimate
    left: Estimate


def calibration(rounds: Iterable[Round]) -> Calibration:
    voted = [each for each in rounds if each.choice]
    same = [each for each in voted if each.calibrates]
    clear = sum(each.choice in ("left", "right") for each in same)
    sides = Counter(each.choice for each in voted)
    return Calibration(
        len(same),
        shares.share(clear, len(same) - clear),
        shares.share(sides["left"], sides["right"]),
    )


# --- words


def titled(arm: str) -> str:
    """An arm's name as a sentence has it: "the base", "run 7", "run 7 after 40 updates", "run 7 under the prompt “calm”"."""
    model, _, words = arm.partition("+") if not arm.startswith("prompt:") else ("base", "", arm)
    prompt = f"the prompt “{words.removeprefix('prompt:').partition('@')[0]}”"
    run, _, point = model.replace("run:", "run ").partition("@")
    if model.startswith(endpoint.ARM):
        run = endpoint.titled(model)
    elif point:
        run += f" after {point} update{'s'[: point != '1']}"
    if not words:
        return "the base" if model == "base" else run
    return prompt if model == "base" else f"{run} under {prompt}"


def sentence(tally: Tally, name_a: str, name_b: str) -> str:
    """What may be said of a pair; see the rules above. The names are as a person reads them."""
    if not tally.questions:
        return f"Nobody has judged {name_a} against {name_b} yet."
    bad = (
        ""
        if 2 * tally.both_bad < tally.questions
        else f" On {tally.both_bad} of {tally.questions} questions both were bad."
    )
    if not tally.clear:
        return f"No clear vote yet between {name_a} and {name_b}: {neither(tally)}.{bad}"
    lasting = shares.lasting(tally.b_wins, tally.a_wins)
    ahead, wins = (name_b, tally.b_wins) if tally.b_wins >= tally.a_wins else (name_a, tally.a_wins)
    seen = shares.share(wins, tally.clear - wins)
    said = f"{ahead[0].upper()}{ahead[1:]} preferred in {wins} of {tally.clear} clear votes ({percent(seen.value)}, 95 % interval {percent(seen.low).removesuffix(' %')} to {percent(seen.high)})"
    if lasting.low > 0.5 or lasting.high < 0.5:
        return f"{said}: better.{bad}"
    if EVEN[0] < lasting.low and lasting.high < EVEN[1]:
        return f"{said}: about equally good.{bad}"
    more = shares.votes_to_settle(tally.b_wins, tally.a_wins)
    settled = (
        f"about {more} more clear vote{'s' * (more > 1)} would probably settle it"
        if more
        else f"they are so near that more than {shares.MOST} more clear votes would be needed"
    )
    return f"{said}. Not yet known which is better: {settled}.{bad}"


def neither(tally: Tally) -> str:
    return ", ".join(f"{count} {word}" for count, word in ((tally.ties, "tied"), (tally.both_bad, "both bad")) if count)  # fmt: skip


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"
