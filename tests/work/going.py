"""Runs that go while a test looks on: examples for them, waiting for them, and ending what is left of them."""

import contextlib
import time

import psutil

from studio.core.records import Change, Message
from studio.store import runs
from studio.work import run_history, writing
from studio.work.studio import owner


def write(studio, project, count, status="draft"):
    for number in range(count):
        talk = (
            Message("user", f"Where is parcel {number}?"),
            Message("assistant", f"On boat {number}. It sails at six."),
        )
        writing.save(studio, owner(), Change(f"r{status}{number}", project.id, "", 0, talk, status))


def until(studio, id, true, seconds=120):
    deadline = time.monotonic() + seconds
    while not true(run := run_history.run(studio, id)):
        assert time.monotonic() < deadline, run
        time.sleep(0.1)
    return run


def over(run):
    return run.state != "queued" and not runs.is_active(run)


def end_all(studio):
    """Kill the workers of one studio. Asked to end, one that has just begun would first import its libraries."""
    studio.jobs.close()
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if str(studio.home.root) in " ".join(child.cmdline()):
                child.kill()
