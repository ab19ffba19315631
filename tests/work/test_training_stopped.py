"""Runs that are stopped, killed, cut off or made to wait, with a real worker process on the rehearsal model."""

import os
import signal
import time

import pytest
from going import over, until, write
from safetensors.torch import load_file

from studio.core.course import course
from studio.core.errors import BadInput, Busy
from studio.work import comparing, run_history, training
from studio.work.studio import opened, owner

FEW = {"updates": 6, "general": 0.2}


def test_a_second_start_is_refused_while_the_first_runs_and_a_stop_keeps_the_best(studio, project):
    write(studio, project, 20)
    run = training.start(studio, owner(), project.id, updates=300)
    with pytest.raises(Busy, match=r"Run 1"):
        training.start(studio, owner(), project.id)
    with pytest.raises(Busy):
        run_history.delete(studio, run.id)

    # Another studio on the same folder, as after a restart, sees the same run and may stop it.
    again = opened(studio.home.root)
    until(again, run.id, lambda seen: course(seen).done > 8)
    training.stop(again, run.id)
    run = until(again, run.id, over)

    assert run.state == "stopped"
    assert run.card["updates"] < 300
    assert (run.folder / "adapter" / "adapter_model.safetensors").exists()


def test_a_run_that_was_stopped_before_it_could_improve_is_not_told_that_it_failed_to(studio, project):
    write(studio, project, 20)
    run = training.start(studio, owner(), project.id, updates=5000)
    training.stop(studio, run.id)
    run = until(studio, run.id, over)

    assert run.state == "paused"
    assert "was stopped after 0 updates" in course(run).trouble
    assert training.resume(studio, run.id).state != "paused"
    training.stop(studio, run.id, discard=True)


def test_a_killed_worker_is_told_as_such_within_five_seconds(studio, project):
    write(studio, project, 20)
    run = training.start(studio, owner(), project.id, updates=5000)
    run = until(studio, run.id, lambda seen: course(seen).done > 2)
    os.kill(int((run.folder / "pid").read_text()), signal.SIGKILL)

    run = until(studio, run.id, over, seconds=5)
    assert run.state == "killed"
    assert "ended from outside" in course(run).trouble


def cut_off(studio, id, number, updates=2):
    """Wait for a checkpoint, then send the worker a signal."""
    run = until(
        studio,
        id,
        lambda seen: course(seen).done > updates and any((seen.folder / "checkpoints").glob("at-*")),
    )
    os.kill(int((run.folder / "pid").read_text()), number)
    return until(studio, id, over, seconds=10)


def adapter_of(run):
    return load_file(run.folder / "adapter" / "adapter_model.safetensors")


def test_a_run_that_was_cut_off_goes_on_and_ends_as_one_that_was_not(studio, project):
    write(studio, project, 20)
    same = {"updates": 24, "evaluations": 12, "general": 0.2, "quantization": "fp32"}
    run = training.start(studio, owner(), project.id, **same)
    for number, state, updates in ((signal.SIGKILL, "killed", 2), (signal.SIGTERM, "paused", 10)):
        cut = cut_off(studio, run.id, number, updates)
        assert cut.state == state
        assert "Resume it" in course(cut).trouble
        with (cut.folder / "events.jsonl").open("a") as events:
            events.write('{"kind": "step')  # the half line on which a worker can be killed
        training.resume(studio, run.id)

    assert run_history.run(studio, run.id).state in ("starting", "running")
    with pytest.raises(BadInput, match="going already"):
        training.resume(studio, run.id)
    resumed = until(studio, run.id, over)
    assert resumed.state == "finished", (run.folder / "worker.log").read_text()
    assert next(each["update"] for each in resumed.events if each["kind"] == "resumed") > 0
    assert [update for update, _ in course(resumed).learned] == list(range(1, 25))

    whole = until(studio, training.start(studio, owner(), project.id, **same).id, over)
    one, two = adapter_of(resumed), adapter_of(whole)
    assert all((one[name] - two[name]).abs().max() <= 1e-6 for name in one)
    with pytest.raises(BadInput, match="repeat it"):
        training.resume(studio, run.id)


def test_a_run_waits_for_its_turn_and_begins_by_itself(studio, project):
    write(studio, project, 20)
    first = training.start(studio, owner(), project.id, updates=5000)
    second, third = (training.start(studio, owner(), project.id, queue=True, **FEW) for _ in range(2))
    assert [second.state, third.state] == ["queued", "queued"]
    training.move_up(studio, third.id)
    assert [each.id for each in training.queue(studio)] == [third.id, second.id]
    with pytest.raises(BadInput, match="waits for its turn"):
        training.resume(studio, second.id)

    studio.jobs.watch()
    time.sleep(1.5)
    assert run_history.run(studio, third.id).state == "queued"
    training.stop(studio, first.id, discard=True)
    until(studio, third.id, over)
    assert run_history.run(studio, third.id).state == "finished"
    assert until(studio, second.id, over).state == "finished"


def test_a_run_that_waits_can_be_taken_out(studio, project):
    write(studio, project, 20)
    training.start(studio, owner(), project.id, updates=5000)
    waiting = training.start(studio, owner(), project.id, queue=True, **FEW)
    run_history.delete(studio, waiting.id)

    assert training.queue(studio) == []


def test_a_run_whose_data_was_changed_is_not_what_it_says_and_ends(studio, project):
    write(studio, project, 20)
    run = training.start(studio, owner(), project.id, updates=200, evaluations=100)
    cut_off(studio, run.id, signal.SIGKILL)
    with (run.folder / "train.jsonl").open("ab") as data:
        data.write(b"\n")
    training.resume(studio, run.id)

    run = until(studio, run.id, over)
    assert run.state == "failed"
    assert "train.jsonl was changed" in course(run).trouble


def test_a_discarded_run_leaves_no_adapter(studio, project):
    write(studio, project, 20)
    run = training.start(studio, owner(), project.id, updates=5000)
    until(studio, run.id, lambda seen: course(seen).done > 2)
    training.stop(studio, run.id, discard=True)
    run = until(studio, run.id, over)

    assert run.state == "discarded"
    assert run.card is None
    assert len(comparing.arms(studio, project.id)) == 1


def test_a_worker_that_does_not_listen_is_ended(studio, project, monkeypatch):
    monkeypatch.setitem(__import__("studio.work.jobs", fromlist=["LADDER"]).LADDER, "discard", (0.5, 1.0))
    write(studio, project, 20)
    run = training.start(studio, owner(), project.id, updates=5000)
    run = until(studio, run.id, lambda seen: course(seen).done > 2)
    pid = int((run.folder / "pid").read_text())
    os.kill(pid, signal.SIGSTOP)  # it hears neither the flag nor SIGTERM
    studio.jobs.watch()
    training.stop(studio, run.id, discard=True)

    assert until(studio, run.id, over, seconds=30).state == "killed"
