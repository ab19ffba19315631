"""System text, example conversations and a question become the messages of one prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from studio.core.records import Message


def assemble(
    system: str,
    shots: Sequence[Sequence[Message]],
    history: Sequence[Message],
    question: str,
) -> tuple[Message, ...]:
    """One conversation that ends with the question: the system text, the examples as earlier turns, then the history."""
    start = [Message("system", system)] if system.strip() else []
    examples = [each for shot in reversed(shots) for each in shot if each.role != "system"]
    return (*start, *examples, *history, Message("user", question))


def system_text(messages: Sequence[Message]) -> str:
    """The system text that a conversation begins with; "" for none."""
    return messages[0].content if messages and messages[0].role == "system" else ""


Shot = TypeVar("Shot")


def fitting(shots: Sequence[Shot], size: Callable[[Sequence[Shot]], int], budget: int) -> list[Shot]:
    """As many of the nearest `shots` (nearest first) as keep `size` within `budget` tokens; the farthest go first."""
    kept = list(shots)
    while kept and size(kept) > budget:
        kept.pop()
    return kept
