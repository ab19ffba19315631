"""The background thread: starts workers, watches them, and sees to it that a run that should stop does stop.

It never trains. A worker is a process of its own, in a session of its own: it goes on when the server ends, and a server
that starts again finds it by its run folder.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from studio.core.errors import Busy
from studio.core.records import Run
from studio.store import environment, runs
from studio.store.home import Home

log = logging.getLogger(__name__)
# Seconds after which a run that was asked to stop gets SIGTERM, and then SIGKILL. Keeping the best may take a last
# evaluation; discarding takes nothing.
LADDER = {"keep": (600.0, 660.0), "discard": (20.0, 30.0)}


@dataclass
class Jobs:
    """One accelerator slot: at most one run is active, whoever started it."""

    home: Home
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    starting: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def active(self) -> Run | None:
        """The run that holds the accelerator now."""
        return next(iter(runs.load_active(self.home)), None)

    def start(self, prepare: Callable[[], Path]) -> Path:
        """Prepare a run's folder and start its worker, unless another run is active: then raise Busy, with its name."""
        with self.starting, runs.slot(self.home):
            if busy := self.active():
                raise Busy(
                    f"Training {busy.spec.get('name') or busy.id} is using this machine. "
                    "Stop it in the Train tab, or wait until it has finished."
                )
            folder = prepare()
            self.spawn(folder)
        return folder

    def spawn(self, folder: Path) -> None:
        command = [sys.executable, "-m", "studio.engine.worker", str(folder), str(self.home.models)]
        with (folder / "worker.log").open("ab") as log_file:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                env=environment.for_child(PYTHONPATH=package_path()),
                start_new_session=True,
            )
        self.children[folder.name] = child
        threading.Thread(target=wait, args=(child, folder), daemon=True, name=f"watch-{folder.name}").start()

    def watch(self) -> None:
        """Start the thread that walks the stop ladder, also for workers that an earlier server started."""
        threading.Thread(target=self.walk, daemon=True, name="stop-ladder").start()

    def walk(self) -> None:
        while not self.closing.wait(1.0):
            try:
                for run in runs.load_active(self.home):
                    press(run)
            except OSError:
                log.exception("the stop ladder could not look at the runs")

    def close(self) -> None:
        """Stop watching. A running worker goes on."""
        self.closing.set()


def wait(child: subprocess.Popen[bytes], folder: Path) -> None:
    code = child.wait()
    with contextlib.suppress(OSError):
        runs.note_exit(folder, code)


def press(run: Run) -> None:
    """Go one step up the ladder for a run that was asked to stop and has not."""
    asked = runs.asked_to_stop(run.folder)
    if asked is None:
        return
    wish, since = asked
    term, kill = LADDER.get(wish, LADDER["keep"])
    waited = time.time() - since
    if waited < term:
        return
    process = worker_process(run.folder)
    if process is not None:
        process.kill() if waited >= kill else process.terminate()


def worker_process(folder: Path) -> psutil.Process | None:
    """The living worker of a run; None where its number now belongs to another program."""
    try:
        process = psutil.Process(int((folder / "pid").read_text("utf-8")))
        return process if str(folder) in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


def package_path() -> str:
    """Where the worker's Python finds this very package, also when it is not installed."""
    return str(Path(__file__).parent.parent.parent)
