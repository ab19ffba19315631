"""What was acknowledged is there, whoever else writes and whenever a process is killed."""

import subprocess
import sys
from pathlib import Path

from studio.store import environment
from studio.store.database import Database
from studio.work import writing
from studio.work.studio import Studio

SAVER = Path(__file__).parent / "saver.py"
ROOT = Path(__file__).parent.parent.parent


def start(home, name, count, *broken):
    command = [sys.executable, str(SAVER), str(home.root), name, str(count), *broken]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment.for_child(PYTHONPATH=str(ROOT)))  # fmt: skip


def killed_after(home, name, count, *broken):
    """The requests that a saver acknowledged before it was killed, `count` of them at least."""
    saver = start(home, name, 1_000_000, *broken)
    acknowledged = [saver.stdout.readline().strip() for _ in range(count)]
    saver.kill()
    rest, _ = saver.communicate()
    assert saver.returncode == -9
    return {*acknowledged, *(line for line in rest.splitlines(keepends=True) if line.endswith("\n"))}


def saved(home):
    """The requests whose conversations are there now."""
    database = Database.open(home.database)
    studio = Studio(home, database, engine=None, jobs=None)
    project = writing.project(studio, "harbour")
    found = {
        each.messages[0].content.partition(":")[0] for each in writing.all_conversations(studio, project.id)
    }
    with database.reading() as db:
        assert db.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    database.close()
    return found


def test_no_acknowledged_save_is_lost_when_its_process_is_killed(home):
    acknowledged = set()
    for name, count in (("a", 1), ("b", 7), ("c", 40)):
        acknowledged |= {each.strip() for each in killed_after(home, name, count)}

    assert acknowledged - saved(home) == set()


def test_an_acknowledgement_before_the_commit_would_be_seen_as_a_loss(home):
    acknowledged = {each.strip() for each in killed_after(home, "a", 5, "broken")}

    assert acknowledged - saved(home) == acknowledged


def test_two_processes_that_save_at_once_lose_nothing_and_share_no_number(home):
    count = 40
    savers = [start(home, name, count) for name in ("a", "b")]
    acknowledged = {line for each in savers for line in each.communicate()[0].split()}

    assert [each.returncode for each in savers] == [0, 0]
    assert len(acknowledged) == 2 * count
    assert saved(home) == acknowledged
    database = Database.open(home.database)
    studio = Studio(home, database, engine=None, jobs=None)
    project = writing.project(studio, "harbour")
    assert [each.number for each in writing.all_conversations(studio, project.id)] == list(
        range(1, 2 * count + 1)
    )
