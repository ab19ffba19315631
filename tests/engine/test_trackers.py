"""A log for another tool: it is what the run said, and it can do the run no harm."""

import contextlib
import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from studio.core.progress import Paused, Stepped
from studio.core.recipe import Recipe
from studio.engine import trackers
from studio.engine.run_folder import Folder
from studio.store import environment

SPEC = {"id": "7", "name": "Seven", "project_name": "Harbour", "preset": "standard", "base": "rehearsal",
        "recipe": asdict(Recipe()), "created_at": 1.0, "tracker": "tensorboard"}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "events.jsonl").touch()
    return Folder(tmp_path)


def step(update):
    return Stepped(update, 3.5, 1e-4, 500, 0.25, 0.5, 700)


def kinds(folder):
    return [each["kind"] for each in folder.said()]


def test_without_a_choice_nothing_is_written(folder):
    with trackers.tracked(folder, {**SPEC, "tracker": ""}, []):
        folder.emit(step(1))

    assert [each.name for each in folder.path.iterdir()] == ["events.jsonl"]


def full(to):
    """Let the disk be full under a log: what it holds back it can no longer write, either."""
    to.writer._py_recordio_writer._writer = open("/dev/full", "wb", 0)  # noqa: PTH123, SIM115


def test_a_log_that_fails_is_said_once_and_the_run_goes_on(folder):
    with trackers.tracked(folder, SPEC, []):
        folder.emit(step(1))
        full(folder.tracker.to)
        for update in range(2, 40):
            folder.emit(step(update))
        folder.emit(Paused(39))

    assert kinds(folder) == ["stepped"] * 2 + ["untracked"] + ["stepped"] * 37 + ["paused"]
    said = folder.said()[2]["message"]
    assert "TensorBoard ends here" in said
    assert "No space left" in said


def test_the_test_above_would_tell_if_failures_were_not_caught(folder, monkeypatch):
    monkeypatch.setattr(trackers.Tracker, "harmless", lambda self: contextlib.nullcontext())
    with trackers.tracked(folder, SPEC, []):
        full(folder.tracker.to)
        with pytest.raises(OSError, match="No space left"):
            folder.emit(step(1))


def test_a_log_that_cannot_begin_or_end_harms_nothing_either(folder, monkeypatch):
    (folder.path / "tensorboard").write_text("in the way")
    with trackers.tracked(folder, SPEC, []):
        folder.emit(step(1))
    assert kinds(folder) == ["untracked", "stepped"]

    (folder.path / "tensorboard").unlink()
    monkeypatch.setattr(trackers.TensorBoard, "close", lambda self: 1 / 0)
    with trackers.tracked(folder, SPEC, []):
        folder.emit(Paused(1))
    # A word after the last one would hide how the run ended.
    assert kinds(folder) == ["untracked", "stepped", "paused"]


ASKS = """
import socket, sys
from contextlib import nullcontext
from pathlib import Path
from studio.engine import trackers

asked = []
def look_up(*of, **more):
    asked.append(of[0])
    raise socket.gaierror
socket.getaddrinfo = look_up
if sys.argv[1] == "open":
    trackers.offline = nullcontext
{then}
print("asked", asked)
"""


def in_trackio(folder, then, door="shut"):
    """Do something in a process whose trackio keeps its things in `folder`; returns what it printed."""
    pytest.importorskip("trackio")
    own = environment.for_child(TRACKIO_DIR=str(folder), HF_TOKEN="hf_of_somebody", HF_HUB_OFFLINE="0")
    done = subprocess.run([sys.executable, "-c", ASKS.replace("{then}", then), door], capture_output=True, text=True, env=own)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_trackio_is_kept_from_asking_the_hub_who_somebody_is(tmp_path):
    begin = f"trackers.Trackio(Path('.'), {SPEC!r}).close()"

    assert "asked []" in in_trackio(tmp_path, begin)
    assert "huggingface.co" in in_trackio(tmp_path, begin, door="open")


WRITE = """
import json
from studio.core.progress import Evaluated, Resumed, Sampled, Stepped
from studio.engine.run_folder import Folder
folder = Folder(Path({path!r}))
said = [Evaluated(0, 3.6, 1.5, True), Sampled(0, ("Here.",)), Stepped(1, 3.5, 1e-4, 500, 0.25, 0.5, 700)]
for again in (False, True):
    if again:
        folder.emit(Resumed(0, 0))
    with trackers.tracked(folder, {spec!r}, ["Where?"]):
        for event in said[2 * again:]:
            folder.emit(event)
import trackio
from trackio.sqlite_storage import SQLiteStorage
(run,) = trackio.Api().runs("Harbour")
logged = SQLiteStorage.get_logs("Harbour", run.name, run_id=run.id)
print(json.dumps([run.name, run.config["learning_rate"], logged]))
"""


def test_trackio_gets_each_number_and_answer_once_also_of_a_run_that_goes_on(tmp_path, folder):
    printed = in_trackio(tmp_path / "kept", WRITE.format(path=str(folder.path), spec={**SPEC, "tracker": "trackio"}))  # fmt: skip
    name, rate, logged = next(json.loads(line) for line in printed.splitlines() if line.startswith("["))

    assert "untracked" not in kinds(folder)
    assert (name, rate) == ("Seven (7)", 2e-4)
    assert [(each["step"], each.get("loss/held_out"), each.get("loss/learned"), each.get("tokens_per_second")) for each in logged] == [
        (0, 3.6, None, None), (0, None, None, None), (1, None, 3.5, 2000.0),
    ]  # fmt: skip
    assert logged[1]["watch"]["_value"] == [{"question": "Where?", "answer": "Here."}]
    assert "asked []" in printed


def test_what_would_have_trackio_send_its_log_away_does_not_reach_a_run(monkeypatch):
    for name in ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_WEBHOOK_URL", "TRACKIO_BUCKET_ID"):
        monkeypatch.setenv(name, "somewhere")

    assert [name for name in environment.for_child(TRACKIO_DIR="here") if "TRACKIO" in name] == [
        "TRACKIO_DIR"
    ]
