"""An uploaded file on its way in: read and written in a thread of its own, told of in a folder that any window may ask.

`tmp/import-<file>/` holds the file, and for each attempt to read or take it `<attempt>.json`, how far it is and then
what it found, and `<attempt>.stop`, where a person wants it to end. An attempt is over when its thread
is gone, so that a server which ended in between leaves nothing that looks alive; its transaction was never committed.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.core.columns import Columns
from studio.core.errors import NotFound, Stopped, StudioError
from studio.core.formats import TABLE
from studio.core.reading import Choice, Plan, Reading, Source
from studio.core.records import Person
from studio.work import importing
from studio.work.importing import Telling
from studio.work.studio import Studio

log = logging.getLogger(__name__)

NAME = re.compile(r"[0-9a-f]{16}")
OFTEN = 0.2  # seconds between two notes of how far it is
REFUSED = 100  # refused rows that are shown
GONE = "This file is no longer here. Choose it once more."
ENDED = "The studio was ended in between. Nothing was imported; try again."
Deed = Callable[[Telling], dict[str, Any]]


def lay_down(studio: Studio, path: Path) -> str:
    """Take an uploaded file to a folder of its own, and return its name there: a page never names a path."""
    file = secrets.token_hex(8)
    desk = studio.home.temporary / f"import-{file}"
    desk.mkdir(mode=0o700)
    path.replace(desk / path.name)
    (desk / "name").write_text(path.name, "utf-8")
    return file


def desk_of(studio: Studio, file: str) -> Path:
    """Raises NotFound."""
    desk = studio.home.temporary / f"import-{file}"
    if not NAME.fullmatch(file) or not desk.is_dir():
        raise NotFound(GONE)
    return desk


def name_of(studio: Studio, file: str) -> str:
    return (desk_of(studio, file) / "name").read_text("utf-8")


def read(studio: Studio, project_id: str, file: str, columns: Columns | None = None) -> str:
    """Begin to look at a file, its columns being what `columns` says; returns the attempt's name. Raises NotFound."""
    desk = desk_of(studio, file)
    path = desk / name_of(studio, file)

    def deed(tell: Telling) -> dict[str, Any]:
        found = importing.look(studio, project_id, path, columns=columns, tell=tell)
        return shown(found)

    return begin(desk, deed)


def take(studio: Studio, person: Person, project_id: str, file: str, look: str, choice: Choice) -> str:
    """Begin to bring in what the attempt `look` found and a person chose; returns the attempt's name. Raises NotFound."""
    desk = desk_of(studio, file)
    found = state(studio, file, look)
    if "plan" not in found:
        raise NotFound(GONE)
    plan = {**found["plan"], "columns": Columns(**found["plan"]["columns"])}
    path = desk / name_of(studio, file)
    source = Source(path, (found["mark"][0], found["mark"][1]), Plan(**plan))

    def deed(tell: Telling) -> dict[str, Any]:
        done = importing.bring_in(studio, person, project_id, source, choice, tell)
        return {"imported": done.imported, "duplicates": done.duplicates, "import": done.id}

    return begin(desk, deed, found["read"])


def begin(desk: Path, deed: Deed, total: int = 0) -> str:
    attempt = secrets.token_hex(8)
    write(desk / f"{attempt}.json", {"phase": "running", "read": 0, "written": 0})
    running = threading.Thread(target=run, args=(desk, attempt, deed, total), name=attempt, daemon=True)
    running.start()
    return attempt


def run(desk: Path, attempt: str, deed: Deed, total: int) -> None:
    begun = told = time.monotonic()

    def tell(read: int, written: int) -> None:
        nonlocal told
        if (desk / f"{attempt}.stop").exists() or not desk.exists():
            raise Stopped("Nothing was imported.")
        if (now := time.monotonic()) - told >= OFTEN:
            told = now
            left = (now - begun) / read * (total - read) if read and total else None
            write(desk / f"{attempt}.json", {"phase": "running", "read": read, "written": written, "total": total, "left": left})  # fmt: skip

    try:
        end = {"phase": "done", **deed(tell)}
    except StudioError as error:
        phase = "stopped" if isinstance(error, Stopped) else "failed"
        end = {"phase": phase, "title": error.title, "message": str(error)}
    except Exception:
        log.exception("a file could not be brought in")
        end = {"phase": "failed", "title": "Something went wrong", "message": "Something went wrong that the studio did not foresee. Nothing was imported. The log holds the details."}  # fmt: skip
    if desk.exists():
        write(desk / f"{attempt}.json", end)


def state(studio: Studio, file: str, attempt: str) -> dict[str, Any]:
    """How far an attempt is, or what came of it: its `phase` is running, done, stopped or failed. Raises NotFound."""
    desk = desk_of(studio, file)
    if not NAME.fullmatch(attempt):
        raise NotFound(GONE)
    alive = any(each.name == attempt for each in threading.enumerate())
    found = load(desk / f"{attempt}.json")  # after the look at the thread: it writes its end before it goes
    if found["phase"] == "running" and not alive:
        return {"phase": "failed", "title": "Not imported", "message": ENDED}
    return found


def stop(studio: Studio, file: str, attempt: str) -> None:
    """Ask an attempt to end. What it has not committed is undone. Raises NotFound."""
    if NAME.fullmatch(attempt):
        (desk_of(studio, file) / f"{attempt}.stop").touch()


def clear(studio: Studio, file: str) -> None:
    """Forget a file, and end what is being done with it. Raises NotFound."""
    shutil.rmtree(desk_of(studio, file), ignore_errors=True)


def shown(found: Reading) -> dict[str, Any]:
    """What was found, as the page takes it."""
    source = found.source
    return {
        "mark": source.mark,
        "plan": asdict(source.plan),
        "complete": source.plan.format != TABLE or source.plan.columns.complete,
        "format": found.format,
        "read": found.read,
        "fine": found.fine,
        "duplicates": found.duplicates,
        "refused": len(found.rejected),
        "rejected": found.rejected[:REFUSED],
        "repeated": found.repeated,
        "first": [
            {
                "row": each.verdict.row,
                "repeats": each.repeats,
                "turns": [[turn.role, turn.content[:300]] for turn in (each.verdict.messages or ())[:6]],
                "more": max(0, len(each.verdict.messages or ()) - 6),
                "tags": each.verdict.tags,
            }
            for each in found.first
        ],
    }


def write(path: Path, value: dict[str, Any]) -> None:
    """Whole or not at all: it is read while it is written. A folder that was cleared meanwhile is no matter."""
    staging = path.with_suffix(f".{secrets.token_hex(4)}")
    try:
        staging.write_text(json.dumps(value), "utf-8")
        staging.replace(path)
    except FileNotFoundError:
        return


def load(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise NotFound(GONE) from error
