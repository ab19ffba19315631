"""Who holds a run: a lock in its folder. The operating system lets go of it when the last process that has it ends."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from filelock import FileLock, Timeout

from studio.core.errors import Busy

PATIENCE = 10.0  # seconds that an earlier worker, which has said its last word, may take to be gone


def is_held(folder: Path) -> bool:
    """Whether a worker lives, or is being started."""
    try:
        return is_locked(folder / "lock") if sys.platform == "win32" else is_flocked(folder / "lock")
    except OSError:  # one may not even look: then no worker of ours works there, and the run can be looked at
        return False


def is_flocked(path: Path) -> bool:
    import fcntl

    with path.open("a+") as file:
        try:
            # Shared: else of two who look at the same moment one would take the other for a worker.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def handed_down(folder: Path) -> Iterator[tuple[int, ...]]:
    """Hold a run while its worker is started, which inherits what is yielded: there is no moment without a holder.

    So the run is never lost between the two, whenever this process is killed. Nothing is yielded where a lock cannot be
    inherited (Windows); the worker takes it by itself then. Raises Busy where an earlier worker is not gone.
    """
    if sys.platform == "win32":
        yield ()
        return
    with (folder / "lock").open("a+") as file:
        take(file)
        yield (file.fileno(),)


def take(file: TextIO) -> None:
    import fcntl

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise Busy("The process that worked on this run has not ended yet. Try again in a minute.") from error  # fmt: skip
            time.sleep(0.05)


def is_locked(path: Path) -> bool:
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
