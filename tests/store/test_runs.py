"""What a run's folder tells, with real folders and real locks."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from filelock import FileLock

from studio.core.errors import RESERVE, Busy, DoesNotFit, NotFound
from studio.core.records import Message
from studio.store import home as homes
from studio.store import runs
from studio.store.home import open_home


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


def freeze(home, place=0, **spec):
    id = runs.next_id(home)
    talk = (Message("user", "Hi\u2028there"), Message("assistant", "Hello", weight=0.0))
    return runs.freeze(
        home, id, {"project": "p", "base": "rehearsal", **spec}, {"train": [("c1", talk)]}, place
    )


def say(folder, **event):
    with (folder / "events.jsonl").open("a", encoding="utf-8") as events:
        events.write(json.dumps(event) + "\n")


def state(home, folder):
    return runs.load(home, folder.name).state


def test_frozen_data_is_counted_hashed_and_one_line_a_conversation(home):
    folder = freeze(home)
    data = runs.load(home, folder.name).spec["data"]["train"]

    assert data["rows"] == 1
    assert len(data["sha256"]) == 64
    (line,) = (folder / "train.jsonl").read_bytes().splitlines()
    assert json.loads(line)["messages"][1]["weight"] == 0.0


def test_the_room_that_a_run_needs_grows_with_the_points_that_it_keeps(home, monkeypatch):
    free = RESERVE + runs.NEEDED + 2 * runs.POINT
    monkeypatch.setattr(homes.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    freeze(home, recipe={"points": 2})
    with pytest.raises(DoesNotFit, match="A training run needs 520 MB"):
        freeze(home, recipe={"points": 3})


def test_a_run_is_starting_until_its_worker_speaks_and_killed_if_that_lets_go(home):
    folder = freeze(home)
    with FileLock(folder / "lock"):
        assert state(home, folder) == "starting"

        say(folder, kind="loading")
        assert state(home, folder) == "running"

    assert state(home, folder) == "killed"


def test_a_run_waits_until_somebody_holds_it_and_again_if_that_came_to_nothing(home):
    folder = freeze(home, place=1)
    assert [run.id for run in runs.load_queue(home)] == [folder.name]
    with FileLock(folder / "lock"):
        assert runs.load_queue(home) == []
        assert [run.state for run in runs.load_active(home)] == ["starting"]
    assert state(home, folder) == "queued"

    runs.note_exit(folder, 1)
    assert state(home, folder) == "killed"  # its worker ended by itself: the next one would, too


def test_a_late_note_of_how_an_earlier_worker_ended_ends_no_living_one(home):
    folder = freeze(home)
    with FileLock(folder / "lock"):
        runs.note_exit(folder, -9)

        assert [run.id for run in runs.load_active(home)] == [folder.name]


def test_those_who_look_at_the_same_moment_do_not_take_each_other_for_a_worker(home):
    folder = freeze(home)
    with ThreadPoolExecutor(4) as many:
        seen = list(many.map(lambda _: runs.is_held(folder), range(2000)))

    assert not any(seen)


def test_a_run_that_began_meanwhile_is_neither_removed_nor_made_to_wait_again(home):
    first, second = freeze(home, place=1), freeze(home, place=2)
    found = runs.load(home, second.name)
    with FileLock(second / "lock"):
        (second / "queue").unlink()
        with pytest.raises(Busy, match="Stop it first"):
            runs.remove(home, found)
        runs.move_up(home, second.name)

        assert [run.id for run in runs.load_queue(home)] == [first.name]
        assert not (second / "queue").exists()


def test_a_worker_that_let_go_without_a_last_word_was_killed(home):
    folder = freeze(home)
    say(folder, kind="stepped", update=1)

    assert state(home, folder) == "killed"


@pytest.mark.parametrize(("last", "told"), [("failed", "failed"), ("discarded", "discarded")])
def test_the_workers_last_word_is_the_state(home, last, told):
    folder = freeze(home)
    say(folder, kind=last)

    assert state(home, folder) == told


def test_only_a_card_makes_a_run_finished(home):
    folder = freeze(home)
    say(folder, kind="finished", state="finished")
    assert state(home, folder) == "killed"

    (folder / "card.json").write_text(json.dumps({"state": "finished"}), "utf-8")
    assert state(home, folder) == "finished"


def test_a_line_that_is_being_written_is_left_for_the_next_look(home):
    folder = freeze(home)
    say(folder, kind="planned")
    with (folder / "events.jsonl").open("a", encoding="utf-8") as events:
        events.write('{"kind": "step')

    assert [each["kind"] for each in runs.load(home, folder.name).events] == ["planned"]


def test_numbers_are_never_used_again(home):
    first = freeze(home)
    runs.remove(home, runs.load(home, first.name))
    second = freeze(home)

    assert (first.name, second.name) == ("1", "2")
    assert not first.exists()


def test_a_discard_outranks_an_earlier_keep(home):
    folder = freeze(home)
    assert runs.asked_to_stop(folder) == ""
    runs.ask_to_stop(folder, discard=False)
    runs.ask_to_stop(folder, discard=True)

    assert runs.asked_to_stop(folder) == "discard"


@pytest.mark.parametrize("name", ["exit.json", "started.json", "card.json"])
@pytest.mark.parametrize("content", [b"", b"\0" * 40, b'{"code": -9, "mem'])
def test_a_note_that_a_full_disk_or_a_power_cut_left_damaged_counts_as_none(home, name, content):
    folder = freeze(home)
    say(folder, kind="stepped", update=1)
    (folder / name).write_bytes(content)

    assert state(home, folder) == "killed"
    assert [run.id for run in runs.load_all(home)] == [folder.name]


def test_a_run_in_which_one_may_not_write_can_be_looked_at(home):
    folder = freeze(home)
    say(folder, kind="stepped", update=1)
    (folder / "lock").mkdir()  # as little to be opened as one that is somebody else's

    assert state(home, folder) == "killed"


def test_runs_are_in_the_order_of_their_numbers_whatever_the_clock_said(home, monkeypatch):
    for at in (2e9, 1e9, 1.5e9, 3.0):
        monkeypatch.setattr(runs.time, "time", lambda at=at: at)
        freeze(home)

    assert [run.id for run in runs.load_all(home)] == ["4", "3", "2", "1"]


def test_a_run_is_not_starting_until_a_clock_that_was_set_back_has_caught_up(home, monkeypatch):
    folder = freeze(home)
    before = runs.time.time()
    monkeypatch.setattr(runs.time, "time", lambda: before - 3600)

    assert state(home, folder) == "killed"


@pytest.mark.parametrize("id", ["7", "../1", ".last", ""])
def test_a_run_that_is_not_there_is_not_found(home, id):
    freeze(home)

    with pytest.raises(NotFound):
        runs.load(home, id)
