"""However often the server ends, and whenever: a run goes on, begins once, and is told to be what it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from studio.store import environment

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BUGS = ("forgetful", "torn", "twice", "believing")

pytestmark = [
    pytest.mark.timeout(7200),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no kill -9"),
]


def told(script, *arguments):
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment.for_child(PYTHONPATH=str(ROOT))
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    return told("deed_kills.py", tmp_path_factory.mktemp("deeds"), "", *BUGS)


def test_a_server_killed_at_any_step_loses_no_run_begins_none_twice_and_tells_the_truth(killed):
    assert killed[""]["wrong"] == []
    assert killed[""]["kills"] > 40


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_that_is_brought_back_is_found(killed, bug):
    assert killed[bug]["wrong"] != []


def test_runs_go_on_and_are_told_truly_however_often_the_server_is_restarted_and_learn_the_same_as_watched(
    tmp_path, length
):
    restarts = length(short=2, long=50)
    seen = told("restarts.py", tmp_path, 1, restarts)

    assert seen["wrong"] == []
    assert seen["restarts"] == restarts
    assert seen["slowest"] < 5  # seconds
    assert seen["asked while it was watched"] > 2
    assert seen["runs"]["finished"] >= 2
    assert (seen["steps"], seen["different results"]) == ([12], 1)
