"""A power cut at any moment loses nothing that was acknowledged: simulated from all that was written and synced.

Of each file that is on the disk for certain which was there at its last sync. Of what was written since, a cut leaves
nothing, all, some of the writes, or some of their sectors.
"""

import random
import shutil

import kills
import pytest
from recording import library, recording

from studio.store import database as store
from studio.store.database import Database
from studio.store.home import open_home
from studio.work import writing
from studio.work.studio import Studio

SECTOR = 512  # bytes that a disk writes whole or not at all
DEEDS = 240  # enough for three checkpoints
DEED = {"saver-a": kills.save, "saver-b": kills.save, "importer": kills.import_file, "marker": kills.mark}
TURNS = ("saver-a", "saver-b") * 6 + ("importer", "marker")

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(library() is None, reason="Python's SQLite cannot be reached from outside"),
]


def recorded(folder):
    """What was done to the files of a database, and between it which deed was acknowledged."""
    with recording(library()) as log:
        home = open_home(folder)
        studio = Studio(home, Database.open(home.database), engine=None, jobs=None)
        project = writing.project(studio, "harbour").id
        numbers, conversations = dict.fromkeys(DEED, -1), dict.fromkeys(DEED, "")
        for turn in range(DEEDS):
            name = TURNS[turn % len(TURNS)]
            number, conversation = numbers[name] + 1, conversations[name]
            conversations[name] = DEED[name](studio, project, name, number, conversation, "")
            numbers[name] = number
            log.append(("acknowledged", name, number))
        studio.database.close()
    return log


class Disk:
    """What of each file is there for certain, and what was written since."""

    def __init__(self):
        self.certain = {}
        self.since = {}

    def follow(self, what, name, *how):
        if what == "gone":
            self.certain.pop(name, None)
            self.since.pop(name, None)
        elif what == "sync":
            content = self.certain.setdefault(name, bytearray())
            for step in self.since.pop(name, ()):
                put(content, *step)
        else:
            self.since.setdefault(name, []).append((what, *how))

    def after_a_cut(self, chance):
        """The content of each file, as it may be found when the power is back."""
        for name in self.certain.keys() | self.since.keys():
            content = bytearray(self.certain.get(name, b""))
            for step in left(self.since.get(name, ()), chance):
                put(content, *step)
            yield name, content


def put(content, what, position, data=b""):
    if what == "cut":
        del content[position:]
        return
    content.extend(bytes(max(0, position - len(content))))
    content[position : position + len(data)] = data


def left(steps, chance):
    how = chance.choice(("none", "all", "some", "torn"))
    for what, position, *data in steps:
        if how == "torn" and what == "write":
            for start in range(0, len(data[0]), SECTOR):
                if chance.random() < 0.6:
                    yield what, position + start, data[0][start : start + SECTOR]
        elif how == "all" or (how in ("some", "torn") and chance.random() < 0.5):
            yield what, position, *data


def found_after_cuts(folder, log, count):
    """What is wrong after cuts at `count` random moments, by its kind."""
    chance, disk, acknowledged = random.Random(count), Disk(), dict.fromkeys(DEED, -1)
    moments = sorted(chance.randrange(len(log) + 1) for _ in range(count))
    wrong = {"lost": set(), "half": set(), "duplicated": set(), "damaged": set()}
    done = 0
    for cut, moment in enumerate(moments):
        for what, name, *how in log[done:moment]:
            if what == "acknowledged":
                acknowledged[name] = how[0]
            else:
                disk.follow(what, name, *how)
        done = moment
        home = open_home(folder / str(cut))
        for name, content in disk.after_a_cut(chance):
            (home.root / name).write_bytes(content)
        found = kills.look(home, acknowledged)
        for what in wrong:
            wrong[what] |= {(cut, *each) for each in found[what]}
        shutil.rmtree(home.root)
    return {what: len({cut for cut, *_ in each}) for what, each in wrong.items()}


def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path, length):
    log = recorded(tmp_path / "home")

    wrong = found_after_cuts(tmp_path, log, length(short=1_000, long=10_000))

    assert wrong == {"lost": 0, "half": 0, "duplicated": 0, "damaged": 0}


def test_without_a_sync_of_each_commit_power_cuts_would_lose_some(tmp_path, monkeypatch):
    engine = store.engine

    def less_careful(path, patience, begin, *settings):
        return engine(path, patience, begin, *(each.replace("= FULL", "= NORMAL") for each in settings))

    monkeypatch.setattr(store, "engine", less_careful)
    log = recorded(tmp_path / "home")

    assert found_after_cuts(tmp_path, log, 50)["lost"] > 10
