"""A run's folder as its worker sees it: what it is told, the frozen data, what it says, and files written whole."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.core.errors import TrainingFailed
from studio.core.progress import Event, as_line
from studio.core.records import Message
from studio.engine import checkpoint

ROOM = "room"  # the name of the file that holds room


@dataclass
class Folder:
    path: Path
    asked: list[str] = field(default_factory=list)  # what a signal asked for
    tracker: Callable[[dict[str, Any]], None] | None = None  # is told each event after it was written

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def hold_room(self) -> None:
        """Hold a little of the disk back, so that of one that becomes full can still be told."""
        (self.path / ROOM).write_bytes(
            os.urandom(2**16)
        )  # random: a disk that compresses would hold nothing back

    def free_room(self) -> None:
        (self.path / ROOM).unlink(missing_ok=True)

    def emit(self, event: Event) -> None:
        """Append one event, whole or not at all; unbuffered, so that every reader sees it at once."""
        said = as_line(event, time.time(), time.monotonic())
        line = (json.dumps(said) + "\n").encode()
        with (self.path / "events.jsonl").open("ab", buffering=0) as events:
            before = events.tell()
            try:
                while line:
                    line = line[events.write(line) :]
            except OSError:
                events.truncate(before)  # else the next event would stand on the line of half a one
                raise
        if self.tracker:
            self.tracker(said)

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.path / "events.jsonl").read_bytes().splitlines()]

    def mend(self) -> bool:
        """Drop the half line on which an earlier worker was killed; returns whether there was an earlier worker."""
        with (self.path / "events.jsonl").open("rb+") as events:
            said = events.read()
            events.truncate(said.rfind(b"\n") + 1)
        return bool(said)

    def wish(self) -> str:
        """What has been asked of this run: "" (go on), "keep" (stop and keep the best), "discard" or "pause"."""
        try:
            return (self.path / "stop").read_text("utf-8").strip() or "keep"
        except FileNotFoundError:
            return self.asked[0] if self.asked else ""

    def conversations(self, name: str, frozen: dict[str, Any]) -> list[tuple[Message, ...]]:
        """One of the run's data files. Raises TrainingFailed where it is no longer what was frozen."""
        path = self.path / f"{name}.jsonl"
        data = path.read_bytes() if path.exists() else b""
        if name in frozen and hashlib.sha256(data).hexdigest() != frozen[name]["sha256"]:
            raise TrainingFailed(
                f"The run's file {path.name} was changed or removed after it was planned, so the run would not be what it says "
                "it is. Start a new run from the set."
            )
        return [tuple(Message(**each) for each in json.loads(line)["messages"]) for line in data.splitlines()]


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a file whole or not at all, and onto the disk before this returns."""
    staging = path.with_suffix(".staging")
    staging.write_text(json.dumps(value, indent=2), "utf-8")
    checkpoint.sync(staging)
    staging.replace(path)
    checkpoint.sync(path.parent)
