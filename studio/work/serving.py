"""What the page's server needs from below: the assets, a private folder for passing files, and a warm start."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from studio.engine import libraries
from studio.store import environment
from studio.store.home import assets
from studio.work.studio import Studio

DAY = 24 * 60 * 60  # seconds


def asset(name: str) -> Path:
    """A stylesheet, script or picture that comes with the studio."""
    return assets() / name


def scripts(*names: str) -> str:
    """Scripts that share one scope, in this order, after what makes elements for all of them; the last one begins."""
    return "\n".join(asset(f"{each}.js").read_text("utf-8") for each in ("make", *names))


def prepare() -> None:
    """Set what gradio and the heavy libraries read when they are imported: call it first."""
    environment.prepare()


def use_private_folder(studio: Studio) -> Path:
    """Let uploads and downloads pass through the studio's own temporary folder, and through no other.

    What an earlier server left there, because it was killed, is cleared away after a day.
    """
    for each in studio.home.temporary.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - each.stat().st_mtime > DAY:
                shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
    environment.use_temporary_folder(studio.home.temporary)
    tempfile.tempdir = None  # what was found before is forgotten
    return studio.home.temporary


def private_paths(studio: Studio) -> list[Path]:
    """Everything of the studio that must never be served: all but the temporary folder."""
    home = studio.home
    beside = [
        home.database.with_name(f"{home.database.name}{end}") for end in ("", "-wal", "-shm", "-journal")
    ]
    found = [each for each in home.root.iterdir() if each != home.temporary]
    return sorted({*beside, home.runs, home.models, home.exports, home.logs, *found})


def warming() -> bool:
    """Whether the heavy libraries are being imported just now: until then, what needs them would keep a person waiting."""
    return libraries.coming()


def start_warming(may: Callable[[], bool], pause: float) -> None:
    """See libraries.start."""
    libraries.start(may, pause)


def is_passed(studio: Studio, path: Path) -> bool:
    """Whether a file, links followed, lies in the private folder for passing files."""
    try:
        found = path.resolve()
        return found.is_file() and found.is_relative_to(studio.home.temporary.resolve())
    except (OSError, ValueError):
        return False


def forget(studio: Studio, path: Path) -> None:
    """Delete a file that was passed; another is left alone."""
    if is_passed(studio, path):
        with contextlib.suppress(OSError):
            path.unlink()
            if path.parent != studio.home.temporary:
                path.parent.rmdir()
