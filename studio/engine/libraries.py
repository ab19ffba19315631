"""The heavy libraries, imported by one thread while the page is there already.

Two threads that import parts of them at once are handed half-made modules, and torch cannot be imported a second time after
that: nothing would answer until the studio is started again. So whoever needs one waits until that thread is done.
"""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable

from studio.engine.trial import quiet_bitsandbytes

log = logging.getLogger(__name__)
NAME = "warm-up"  # of the thread that imports them
HEAVY = ("torch", "transformers", "peft")
LOOK = 0.02  # seconds between two looks whether it may begin


def start(may: Callable[[], bool], pause: float) -> None:
    """Import in the background what the first answer needs, `pause` seconds after it `may` begin."""

    def work() -> None:
        while not may():
            time.sleep(LOOK)
        time.sleep(pause)
        bring()

    threading.Thread(target=work, name=NAME, daemon=True).start()


def bring() -> None:
    quiet_bitsandbytes()
    for name in HEAVY:
        try:
            importlib.import_module(name)
        except Exception:  # a broken library is told by the first thing that needs it, in its own words
            log.exception("%s could not be imported", name)


def coming() -> bool:
    """Whether they are not all there yet: until then, what needs them would keep a person waiting."""
    return bool(bringing())


def wait() -> None:
    """Return once they are there; at once where no thread brings them, as on the command line."""
    for each in bringing():
        each.join()


def bringing() -> list[threading.Thread]:
    return [
        each for each in threading.enumerate() if each.name == NAME and each is not threading.current_thread()
    ]
