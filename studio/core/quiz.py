"""The general quiz: whether an answer to a short question holds the word that it should; and phrases by which models refuse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.core.evidence import Quiz

REFUSALS = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|afraid),? (?:but )?i (?:can(?:'t|not)|am unable|am not able)|i can(?:'t|not) (?:help|assist|answer|provide)"
    r"|i(?:'m| am) (?:unable|not able) to|as an ai\b|es tut mir leid, (?:aber )?(?:ich|das) kann|dabei kann ich (?:ihnen|dir) nicht)"
)


@dataclass(frozen=True)
class Question:
    """`expected`: words of which a right answer holds one."""

    text: str
    expected: tuple[str, ...]

    def right(self, answer: str) -> bool:
        return any(re.search(rf"\b{re.escape(each)}\b", answer, re.IGNORECASE) for each in self.expected)


def scored(questions: Sequence[Question], base: Sequence[str], run: Sequence[str]) -> Quiz:
    """From both arms' answers, in the order of the questions."""
    right = [(each.right(one), each.right(two)) for each, one, two in zip(questions, base, run, strict=True)]
    lost, won, both = (right.count(each) for each in ((True, False), (False, True), (True, True)))
    return Quiz(len(right), both + lost, both + won, lost, won)


def refuses(answer: str) -> bool:
    """Whether it says one of the phrases, in English or German, with which models refuse."""
    return bool(REFUSALS.search(answer.replace("’", "'").casefold()))
