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
from studio.store import environment, holding, runs
from studio.store.home import Home

log = logging.getLogger(__name__)
# Seconds after which a run that was asked to stop gets SIGTERM, and then SIGKILL. Keeping the best may take a last
# evaluation; discarding takes nothing.
LADDER = {"keep": (600.0, 660.0), "discard": (20.0, 30.0)}


@dataclass
class Jobs:
    """One accelerator slot: at most one run is active, whoever started it; others wait in their order."""

    home: Home
    children: dict[str, threading.Thread] = field(default_factory=dict)  # by run, each waits for its worker
    starting: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)
    # By run: how it was asked to stop, and when this process first saw that, by a clock that nobody sets.
    heard: dict[str, tuple[str, float]] = field(default_factory=dict)

    def active(self) -> Run | None:
        """The run that holds the accelerator now."""
        return next(iter(runs.load_active(self.home)), None)

    def start(self, prepare: Callable[[int], Path], queue: bool = False) -> Path:
        """Prepare a run's folder and start its worker. `prepare` is given a place in the queue for it.

        There a new run waits while another is active, if it may: else raises Busy, with the other's name. Also one that is
        started at once has its place: where this process is killed before there is a worker, the next one begins it.
        """
        with self.starting, runs.slot(self.home):
            runs.clear_leftovers(self.home)
            busy = self.active()
            if busy and not queue:
                raise Busy(
                    f"Training {busy.spec.get('name') or busy.id} is using this machine. "
                    "Stop it in the Train tab, or wait until it has finished."
                )
            folder = prepare(runs.next_place(self.home))
            if not busy:
                self.spawn(folder)
        return folder

    def start_next(self) -> None:
        """Start the run that has waited longest, if nothing is going and the last worker has left the memory."""
        with self.starting, runs.slot(self.home):
            waiting = runs.load_queue(self.home)
            if waiting and not self.active() and not any(map(holding.is_held, runs.folders(self.home))):
                self.spawn(waiting[0].folder)

    def spawn(self, folder: Path) -> None:
        if earlier := self.children.get(folder.name):
            earlier.join()  # else its note of how that worker ended would be taken for this one's
        self.heard.pop(folder.name, None)
        with holding.handed_down(folder) as lock, (folder / "worker.log").open("ab") as log_file:
            runs.note_start(folder)
            command = [sys.executable, "-m", "studio.engine.worker", str(folder), str(self.home.models)]
            child = subprocess.Popen(
                [*command, *map(str, lock)],
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=subprocess.STDOUT,
                env=environment.for_child(PYTHONPATH=package_path(), TRACKIO_DIR=str(self.home.trackio)),
                start_new_session=True,
                pass_fds=lock,
            )
        waiting = threading.Thread(
            target=wait, args=(child, folder), daemon=True, name=f"watch-{folder.name}"
        )
        self.children[folder.name] = waiting
        waiting.start()

    def watch(self) -> None:
        """Start the thread that walks the stop ladder, also for workers that an earlier server started, and the queue."""
        threading.Thread(target=self.walk, daemon=True, name="stop-ladder").start()

    def walk(self) -> None:
        while not self.closing.wait(1.0):
            try:
                going = runs.load_active(self.home)
                for run in going:
                    self.press(run)
                if not going:
                    self.start_next()
            except Exception:  # whatever a look meets, the next one must come
                log.exception("the stop ladder could not look at the runs")

    def press(self, run: Run) -> None:
        """Go one step up the ladder for a run that was asked to stop and has not."""
        wish = runs.asked_to_stop(run.folder)
        if not wish or self.heard.get(run.id, ("",))[0] != wish:
            self.heard[run.id] = (wish, time.monotonic())
        waited = time.monotonic() - self.heard[run.id][1]
        term, kill = LADDER.get(wish, LADDER["keep"])
        if wish and waited >= term and (process := worker_process(run.folder)):
            process.kill() if waited >= kill else process.terminate()

    def close(self) -> None:
        """Stop watching. A running worker goes on."""
        self.closing.set()


def wait(child: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait for a worker's end, and note it: with the memory killer's mark where that struck meanwhile."""
    before = killed_for_memory()
    code = child.wait()
    with contextlib.suppress(OSError):
        runs.note_exit(folder, code, code == -9 and killed_for_memory() > before)


def killed_for_memory() -> int:
    """How many processes this machine's kernel has ended for want of memory; 0 where it does not tell (not Linux)."""
    with contextlib.suppress(OSError):
        counts = dict(line.split() for line in Path("/proc/vmstat").read_text("ascii").splitlines())
        return int(counts.get("oom_kill", 0))
    return 0


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
