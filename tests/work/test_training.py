"""From plan to card with a real worker process on the rehearsal model."""

import json

import pytest
from going import over, until, write

from studio.core.course import course
from studio.core.errors import BadInput, NothingToLearn
from studio.core.records import Change, Message
from studio.store import runs
from studio.work import comparing, exporting, planning, run_data, run_history, training, writing
from studio.work.studio import owner

FEW = {"updates": 6, "general": 0.2}


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
