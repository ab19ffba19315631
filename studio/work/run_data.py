"""The exact data of a run, to be frozen in its folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from studio.core.encode import with_system
from studio.core.recipe import Recipe
from studio.core.records import Conversation, Message, Project
from studio.store.home import assets

WATCHED = 5  # watch-prompts: a run asks them at each evaluation
Rows = Sequence[tuple[str, Sequence[Message]]]  # id and messages of each


def frozen(
    learned: Sequence[Conversation], held_out: Sequence[Conversation], project: Project, recipe: Recipe
) -> dict[str, Rows]:
    """Own conversations under the project's system text, general ones, the gauge, and the watch-prompts."""

    def own(conversations: Sequence[Conversation]) -> Rows:
        return [(each.id, with_system(each.messages, project.system)) for each in conversations]

    return {
        "train": own(learned),
        "held_out": own(held_out),
        "general": asset("general.jsonl") if recipe.general else [],
        "gauge": asset("general_gauge.jsonl"),
        "watch": watched(project, held_out),
    }


def watched(project: Project, held_out: Sequence[Conversation]) -> Rows:
    """The questions that a run answers at each evaluation: the project's own, else the first of the held-out ones."""
    asked = project.watch or tuple(dict.fromkeys(question(each) for each in held_out))[:WATCHED]
    return [
        (f"watch-{number}", with_system((Message("user", each),), project.system))
        for number, each in enumerate(asked, start=1)
    ]


def question(conversation: Conversation) -> str:
    return next(each.content for each in conversation.messages if each.role == "user")


def asset(name: str) -> Rows:
    with (assets() / name).open(encoding="utf-8") as lines:
        rows = [tuple(Message(**each) for each in json.loads(line)["messages"]) for line in lines]
    return [(f"{Path(name).stem}-{number}", messages) for number, messages in enumerate(rows, start=1)]
