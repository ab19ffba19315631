"""The base model under a project: which it is, whether it is here, and bringing it here in the background."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from studio.core.errors import StudioError
from studio.core.records import Person, Project
from studio.engine.api import PLAIN, Progress
from studio.engine.api import Base as Base
from studio.store import environment, projects
from studio.work import writing
from studio.work.jobs import package_path
from studio.work.studio import Studio

STARTING = 20.0  # seconds that a fetch may take to hold its lock


@dataclass(frozen=True)
class Fetch:
    """A fetch under way or just ended; bytes. `trouble` is a sentence when it went wrong."""

    done: int
    total: int
    running: bool
    trouble: str


def catalogue(studio: Studio) -> list[Base]:
    """The base models that the studio knows by name."""
    return studio.engine.bases()


def base(studio: Studio, project_id: str) -> Base:
    """A project's base model, also where it can no longer be used: then its `trouble` says why. Raises NotFound."""
    id = writing.by_id(studio, project_id).base
    try:
        return studio.engine.base(id)
    except StudioError as error:
        return Base(id, Path(id).name, None, "", None, None, str(error))


def choose(studio: Studio, person: Person, project_id: str, id: str) -> Project:
    """Make `id` (catalogue name, hub id or local folder) the project's base. Raises ModelNotReady, NotFound."""
    found = studio.engine.base(id)
    with studio.database.writing() as db:
        return projects.set_base(db, project_id, found.id)


def use_plain(studio: Studio, person: Person, project_id: str) -> Project:
    """Put a project whose base has no chat template on the same base under a plain one. Raises ModelNotReady, DoesNotFit."""
    under = f"{PLAIN}{base(studio, project_id).id}"
    studio.engine.fetch(under, lambda done, total: None)
    return choose(studio, person, project_id, under)


def ensure(studio: Studio, project_id: str, progress: Progress) -> Base:
    """Bring the project's base to this machine, waiting for it; at once where it is there. Raises ModelNotReady, DoesNotFit."""
    return studio.engine.fetch(writing.by_id(studio, project_id).base, progress)


def fits(studio: Studio, base: Base) -> bool | None:
    """Whether a base can be trained in this machine's memory, in its smallest precision; None: size not known."""
    if base.parameters is None:
        return None
    return base.parameters * 1.2 < studio.engine.device().total_memory


def fetch(studio: Studio, id: str) -> None:
    """Start bringing a base to this machine, unless that is under way. It goes on without the page."""
    if (now := fetching(studio)) and now.running:
        return
    progress = studio.home.models / "fetch.jsonl"
    progress.write_text("", "utf-8")
    with (studio.home.logs / "fetch.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "studio.engine.fetch", id, str(studio.home.models), str(progress)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment.for_child(PYTHONPATH=package_path()),
            start_new_session=True,
        )


def fetching(studio: Studio) -> Fetch | None:
    """The newest fetch as its own file tells it; None if there was none."""
    progress = studio.home.models / "fetch.jsonl"
    if not progress.exists():
        return None
    lines = [json.loads(line) for line in progress.read_bytes().split(b"\n")[:-1] if line]
    bytes_seen = [each for each in lines if "done" in each]
    done, total = (bytes_seen[-1]["done"], bytes_seen[-1]["total"]) if bytes_seen else (0, 0)
    trouble = lines[-1]["error"]["message"] if lines and "error" in lines[-1] else ""
    return Fetch(done, total, is_running(progress) or is_starting(progress), trouble)


def is_starting(progress: Path) -> bool:
    """Whether a fetch was started just now and has not said anything yet: its process takes a moment to be there."""
    now = progress.stat()
    return now.st_size == 0 and abs(time.time() - now.st_mtime) < STARTING


def is_running(progress: Path) -> bool:
    """Whether a fetch holds its lock; the operating system lets go when it dies."""
    try:
        with FileLock(f"{progress}.lock", timeout=0):
            return False
    except Timeout:
        return True
