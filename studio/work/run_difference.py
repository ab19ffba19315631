"""What is different between two runs: settings, base, and the conversations that each learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from studio.core.recipe import Recipe, plain
from studio.core.records import Message, Run
from studio.store import runs

SIDES = {"train": "learned", "held_out": "held out"}


@dataclass(frozen=True)
class Difference:
    """From an earlier run to a later one. `settings`: (label, before, after); the others name conversations by their
    first question, with the side they are on."""

    settings: tuple[tuple[str, str, str], ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    same: int  # conversations that are in both, word for word


def between(before: Run, after: Run) -> Difference:
    old, new = conversations(before), conversations(after)
    both = old.keys() & new.keys()
    changed = sorted(id for id in both if old[id] != new[id])
    return Difference(
        settings(before, after),
        tuple(named(new[id]) for id in sorted(new.keys() - old.keys())),
        tuple(named(new[id]) for id in changed),
        tuple(named(old[id]) for id in sorted(old.keys() - new.keys())),
        len(both) - len(changed),
    )


def settings(before: Run, after: Run) -> tuple[tuple[str, str, str], ...]:
    rows = [("Base model", str(before.spec["base"]), str(after.spec["base"]))]
    if before.spec.get("base_revision") != after.spec.get("base_revision"):
        rows.append(("Base model's files", str(before.spec.get("base_revision")), str(after.spec.get("base_revision"))))  # fmt: skip
    for each in fields(Recipe):
        one, two = (told(run, each.name) for run in (before, after))
        rows.append((each.metadata["label"], one, two))
    return tuple(row for row in rows if row[1] != row[2])


def told(run: Run, name: str) -> str:
    recipe = run.spec["recipe"]
    assert isinstance(recipe, dict)
    value = recipe.get(name, "not set then")
    return value if isinstance(value, str) else plain(value)


def conversations(run: Run) -> dict[str, tuple[str, Sequence[Message]]]:
    """By its id: the side a conversation is on, and its messages."""
    return {
        id: (side, messages)
        for name, side in SIDES.items()
        for id, messages in runs.frozen_rows(run.folder, name)
    }


def named(conversation: tuple[str, Sequence[Message]]) -> str:
    side, messages = conversation
    question = next((each.content for each in messages if each.role == "user"), "")
    return f"{question[:120]} ({side})"
