"""What every download needs: room on the disk, which runs need too, and telling how far it has come."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.core.errors import MOVE, DoesNotFit, must_fit
from studio.engine.api import Progress

PAUSE = 0.2  # seconds between two looks at the growing files


def require_room(folder: Path, needed: int, purpose: str, way_out: str = MOVE) -> None:
    """Raise DoesNotFit where `needed` bytes beside the reserve are not free in a folder."""
    must_fit(shutil.disk_usage(folder).free, needed, purpose, way_out)


def is_full(error: BaseException) -> bool:
    """Whether an error says that the disk is full, in any of the ways in which a library says it."""
    return getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)


def disk_full(purpose: str, folder: Path) -> DoesNotFit:
    """The sentence for a disk that became full on the way."""
    return DoesNotFit(
        f"The disk became full while {purpose} was fetched to {folder}. "
        "Free some space, or move the studio's folder with --home, and fetch it again."
    )


@contextmanager
def watched(folder: Path, total: int, progress: Progress) -> Iterator[None]:
    """Tell `progress` how many of `total` bytes lie in `folder` while the block runs, whoever writes them there."""
    ended = threading.Event()

    def tell() -> None:
        told = 0
        while not ended.wait(PAUSE):
            # Files are moved and unpacked at the end, so their sum may fall or exceed the total for a moment.
            told = max(told, min(total, size_of(folder)))
            progress(told, total)

    progress(0, total)
    teller = threading.Thread(target=tell, name="download progress", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
    progress(total, total)


def size_of(folder: Path) -> int:
    """Bytes of all files below `folder`; those that vanish meanwhile count nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total
