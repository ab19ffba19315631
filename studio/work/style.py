"""Drafting a system text from the project's own answers."""

from __future__ import annotations

import json
from collections.abc import Sequence

from studio.core.errors import BadInput
from studio.core.nearest import asked
from studio.core.records import Conversation
from studio.core.style_description import FEWEST, describe
from studio.work import planning, serving
from studio.work.studio import Studio

TOO_FEW = f"A style cannot be told from fewer than {FEWEST} answers. Write or approve more in the Write tab, then try again."


def draft(studio: Studio, project_id: str) -> tuple[str, int]:
    """Instructions that describe the answers, and of how many they were measured: the approved ones, else all learned ones.

    Held-out answers are left aside: a prompt that knew them could not be measured on them. Raises BadInput.
    """
    taken = measured(studio, project_id)
    answers = [turn.content for each in taken for turn in each.messages if turn.learned]
    said = describe(answers, [asked(each.messages) for each in taken], plain_answers())
    if not said:
        raise BadInput(TOO_FEW)
    return said, len(answers)


def measured(studio: Studio, project_id: str) -> Sequence[Conversation]:
    """The conversations that tell the style: the approved ones, while there are too few of them all that are learned."""
    learned = planning.sides(studio, project_id).learned
    approved = [each for each in learned if each.status == "approved"]
    return approved if len(approved) >= FEWEST else learned


def plain_answers() -> list[str]:
    """The answers of the general examples: how a plain chat model says things."""
    with serving.asset("general.jsonl").open(encoding="utf-8") as lines:
        conversations = [json.loads(line)["messages"] for line in lines]
    return [turn["content"] for each in conversations for turn in each if turn["role"] == "assistant"]
