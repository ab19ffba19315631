"""Conversations from a file, in any shape that the studio imports."""

from __future__ import annotations

from pathlib import Path

from studio.core.reading import judged, planned
from studio.core.records import Message
from studio.store.files import read_rows


def of(file: Path) -> list[tuple[Message, ...]]:
    plan, rows = planned(file.name, read_rows(file), None)
    return [each.messages for each in judged(rows, plan) if each.messages]
