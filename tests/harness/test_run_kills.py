"""Whenever a training worker is killed, its run goes on and ends as one that never was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from studio.store import environment

KILLS = Path(__file__).parent / "run_kills.py"
ROOT = Path(__file__).parent.parent.parent

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no kill -9"),
]


def told(folder, seed, kills, *wrong):
    command = [sys.executable, str(KILLS), str(folder), str(seed), str(kills), *wrong]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment.for_child(PYTHONPATH=str(ROOT))
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_killed_run_goes_on_repeats_one_save_at_most_and_ends_as_if_it_had_not_been_killed(
    tmp_path, length
):
    kills = length(short=40, long=400)
    seen = told(tmp_path, 1, kills)

    assert seen["wrong"] == []
    assert seen["killed"] >= kills
    assert seen["while saving"] > kills // 4


def test_checkpoints_written_in_place_and_believed_are_seen_to_ruin_runs(tmp_path):
    assert told(tmp_path, 2, 12, "careless")["wrong"] != []


def test_a_run_that_is_asked_to_end_is_gone_in_time_and_its_adapter_is_whole_or_absent(tmp_path, length):
    stops = length(short=20, long=100)
    seen = told(tmp_path, 3, stops, "stops")

    assert seen["wrong"] == []
    assert seen["slowest"] < 10
    assert seen.keys() & {"stopped", "failed", "discarded", "paused", "finished"} > {"discarded"}
