"""Whenever the store's process is killed, what it acknowledged is there, once, and nothing is half done."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from studio.store import environment

KILLS = Path(__file__).parent / "kills.py"
ROOT = Path(__file__).parent.parent.parent

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no kill -9"),
]


def begin(folder, seed, kills, *wrong):
    folder.mkdir()
    command = [sys.executable, str(KILLS), str(folder), str(seed), str(kills), *wrong]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment.for_child(PYTHONPATH=str(ROOT)))  # fmt: skip


def told(process):
    said, _ = process.communicate()
    assert process.returncode == 0
    return json.loads(said)


def test_no_acknowledged_deed_is_lost_or_done_twice_or_half_done(tmp_path, length):
    kills = length(short=1_000, long=10_000) // 2
    both = [begin(tmp_path / str(seed), seed, kills) for seed in (1, 2)]  # one for each core

    for each in map(told, both):
        wrong = {what: each[what] for what in ("failed", "lost", "half", "duplicated", "damaged")}
        assert wrong == {"failed": [], "lost": 0, "half": 0, "duplicated": 0, "damaged": 0}
        # Kills came between the deed and its answer, or nothing of it all was tried.
        assert each["unanswered"] > kills // 50
        assert each["acknowledged"] > kills


def test_an_acknowledgement_before_the_deed_is_seen_as_a_loss(tmp_path):
    assert told(begin(tmp_path / "early", 3, 20, "early"))["lost"] > 0


def test_a_repeated_save_under_a_new_request_id_is_seen_as_done_twice(tmp_path):
    assert told(begin(tmp_path / "fresh", 4, 60, "fresh"))["duplicated"] > 0
