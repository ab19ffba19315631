"""From plan to card with a real worker process on the rehearsal model."""

import json
import os
import signal
import time

import pytest
from safetensors.torch import load_file

from studio.core.course import course
from studio.core.errors import BadInput, Busy, NothingToLearn
from studio.core.records import Change, Message
from studio.store import runs
from studio.work import comparing, exporting, models, planning, run_data, run_history, training, writing
from studio.work.studio import opened, owner

FEW = {"updates": 6, "general": 0.2}


@pytest.fixture
def studio(tmp_path):
    studio = opened(tmp_path / "home")
    yield studio
    for run in runs.load_all(studio.home):
        if runs.is_active(run):
            runs.ask_to_stop(run.folder, discard=True)
            until(studio, run.id, lambda seen: not runs.is_active(seen))
    studio.jobs.close()


@pytest.fixture
def project(studio):
    project = writing.project(studio, "harbour")
    models.choose(studio, owner(), project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    return project


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


def test_a_run_goes_from_plan_to_a_verified_adapter(studio, project):
    write(studio, project, 20)
    planned = planning.plan(studio, project.id, **FEW)
    assert (planned.learned + planned.held_out, planned.updates, planned.obstacle) == (20, 6, "")

    run = until(studio, training.start(studio, owner(), project.id, **FEW).id, over)
    assert run.state == "finished", (run.folder / "worker.log").read_text()
    assert run.card["updates"] == 6
    assert run.spec["form"] == next(each["path"] for each in run.events if each["kind"] == "planned")
    assert run.card["held_out_loss"]["best"] < run.card["held_out_loss"]["before"]
    assert run.card["learned_tokens"] == planned.learned_tokens
    assert course(run).held_out[0][0] == 0
    assert not any(each.exists() for each in (run.folder / "tensorboard", studio.home.trackio, studio.home.settings))  # fmt: skip
    assert run.card["held_out_change"] is None or run.card["held_out_change"][0] < 0

    learned = [json.loads(line)["id"] for line in (run.folder / "train.jsonl").open()]
    apart = [json.loads(line)["id"] for line in (run.folder / "held_out.jsonl").open()]
    assert len(learned) == planned.learned
    assert not set(learned) & set(apart)

    kept = [each["update"] for each in comparing.points(studio, run)]
    assert kept == [each for each in (2, 4, 6) if each != run.card["best_step"]]
    assert sorted(each.name for each in (run.folder / "points").iterdir()) == list(map(str, kept))

    assert [each.name for each in comparing.arms(studio, project.id)] == ["base", f"run:{run.id}"]
    for format, weights in (("adapter", "adapter_model.safetensors"), ("merged", "model.safetensors")):
        files = exporting.bundle(studio, run.id, format)
        assert weights in [each.name for each in files]
        proof = exporting.parity(studio, run.id, format, exporting.folder_of(files))
        assert proof.asked == min(exporting.ASKED, len(apart))
        assert proof.same == proof.asked or format == "merged"

    # What it took is what the next plan promises: a run like it, not one as slow as its start and its evaluations.
    again = planning.plan(studio, project.id, **FEW)
    assert 0 < again.seconds <= run.card["seconds"] * 1.1
    assert planning.plan(studio, project.id, **FEW | {"updates": 12}).seconds < 2 * again.seconds

    run_history.delete(studio, run.id)
    assert run_history.runs_of(studio, project.id) == []
    assert list(studio.home.runs.rglob("*.safetensors")) == []


def test_time_and_memory_are_measured_before_the_first_run(studio, project):
    write(studio, project, 20)
    assert planning.plan(studio, project.id).seconds is None
    for _ in range(2):
        measured = until(studio, training.measure(studio, owner(), project.id).id, over)
        assert measured.state == "discarded"
    planned = planning.plan(studio, project.id)

    assert planned.seconds > 0
    assert planned.memory > 100 * 2**20
    assert run_history.runs_of(studio, project.id) == []
    assert [run.id for run in runs.load_all(studio.home)] == [measured.id]  # the first made way
    run = training.start(studio, owner(), project.id, **FEW)
    assert run.id == "1"


def test_the_watch_prompts_are_asked_at_each_evaluation(studio, project):
    write(studio, project, 20)
    training.set_watch(studio, owner(), project.id, "Where is parcel 3?\n\n  Hello?  \n")
    with pytest.raises(BadInput, match="up to 5"):
        training.set_watch(studio, owner(), project.id, "one\n" * 6)
    run = until(studio, training.start(studio, owner(), project.id, **FEW).id, over)

    assert run_history.questions(run) == ["Where is parcel 3?", "Hello?"]
    assert [update for update, _ in course(run).watched] == [update for update, _ in course(run).held_out]
    assert all(len(answers) == 2 for _, answers in course(run).watched)


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


@pytest.mark.parametrize(("count", "said"), [(0, "no examples yet"), (1, "at least two")])
def test_too_few_examples_are_refused_with_the_next_step(studio, project, count, said):
    write(studio, project, count)

    with pytest.raises(NothingToLearn, match=said):
        training.start(studio, owner(), project.id)
    assert run_history.runs_of(studio, project.id) == []


def test_rejected_unfinished_and_too_long_conversations_are_left_out(studio, project):
    write(studio, project, 10)
    write(studio, project, 2, status="rejected")
    unfinished = writing.save(studio, owner(), Change("x", project.id, "", 0, (Message("user", "Hm?"),)))
    long_talk = (Message("user", "Tell me all"), Message("assistant", "wave " * 400))
    long = writing.save(studio, owner(), Change("y", project.id, "", 0, long_talk))
    planned = planning.plan(studio, project.id, max_length=200)

    assert planned.learned + planned.held_out == 10
    assert dict(planned.sides.left_out).keys() == {unfinished.number, long.number}


def test_the_projects_system_text_is_frozen_with_the_data(studio, project):
    write(studio, project, 10)
    harbour = writing.set_system(studio, owner(), project.id, "You are Harbour.")
    split = planning.sides(studio, project.id)
    data = run_data.frozen(split.learned, split.held_out, harbour, planning.plan(studio, project.id).recipe)

    assert all(messages[0] == Message("system", "You are Harbour.") for _, messages in data["train"])
    assert data["watch"][0][1] == (Message("system", "You are Harbour."), split.held_out[0].messages[0])
    assert len(data["general"]) >= 290
    questions = [{messages[0].content for _, messages in data[kind]} for kind in ("general", "gauge")]
    assert len(questions[1]) == 24
    assert not questions[0] & questions[1]
