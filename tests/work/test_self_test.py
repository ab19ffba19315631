"""A run's adapter and the points beside it as arms; and the self-test, green where both sides are what they say, red where not."""

import re
import shutil
import time

import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.judging import Judging
from studio.core.records import Change, Message, Person, Sampling
from studio.store import runs
from studio.work import (
    comparing,
    evaluation_plan,
    judging,
    models,
    planning,
    prompts,
    self_test,
    training,
    writing,
)
from studio.work.studio import opened

ADA = Person("Ada")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A studio with two runs of the rehearsal model."""
    studio = opened(tmp_path_factory.mktemp("self_test") / "home")
    project = writing.project(studio, "harbour")
    models.choose(studio, ADA, project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    number = 0
    while len(planning.sides(studio, project.id).held_out) < 3:
        talk = (
            Message("user", f"Where is parcel {number}?"),
            Message("assistant", f"On boat {number} it is."),
        )
        writing.save(studio, ADA, Change(f"r{number}", project.id, "", 0, talk))
        number += 1
    for updates in (8, 12):
        run = training.start(studio, ADA, project.id, "strong", updates=updates, general=0.0)
        while runs.load(studio.home, run.id).state in ("starting", "running"):
            time.sleep(0.1)
    yield studio, project
    studio.jobs.close()
    studio.database.close()


def tried(trained, arm="run:1"):
    studio, project = trained
    match = judging.match(studio, project.id, Judging(("base", arm)))
    return {each.name: each.ok for each in self_test.self_test(studio, match)}


def test_both_sides_are_what_they_say(trained):
    seen = tried(trained)

    assert {name: seen[name] for name in ("adapter", "base", "same twice", "base alone")} == dict.fromkeys(
        ("adapter", "base", "same twice", "base alone"), True
    )


def test_a_swapped_adapter_is_red_and_is_not_asked_under_the_runs_name(trained):
    studio, project = trained
    run = comparing.arm(studio, project.id, "run:1")
    one, two = (studio.home.run(id) / "adapter" / "adapter_model.safetensors" for id in ("1", "2"))
    kept = one.read_bytes()
    shutil.copyfile(two, one)
    try:
        assert tried(trained)["adapter"] is False
        with pytest.raises(BadInput, match="adapter of run 1 is gone, or not the one that was trained"):
            next(
                comparing.ask(
                    studio, project.id, [run], [()], "Hello?", Sampling(max_tokens=4), lambda: False
                )
            )
    finally:
        one.write_bytes(kept)


def test_a_changed_base_is_red(trained):
    studio, _ = trained
    config = studio.engine.base("rehearsal").path / "tokenizer_config.json"
    kept = config.read_bytes()
    config.write_bytes(kept + b"\n")
    try:
        assert tried(trained)["base"] is False
    finally:
        config.write_bytes(kept)


def test_a_base_pane_with_the_adapter_on_is_red(trained, monkeypatch):
    """The bug of the market's leader, brought back: the base's pane is answered by the tuned model."""
    studio, _ = trained
    adapter, right = studio.home.run("1") / "adapter", studio.engine.answers

    def wrong(base, asks, stopping):
        tuned = any(each.adapter for each in asks)
        return right(base, [self_test.Ask(each.messages, adapter, each.sampling) if tuned else each for each in asks], stopping)  # fmt: skip

    monkeypatch.setattr(studio.engine, "answers", wrong)
    assert tried(trained)["base alone"] is False


def test_a_run_is_put_to_the_watch_prompts_that_it_had_with_its_adapter_on_and_off(trained, monkeypatch):
    studio, _ = trained
    asked, right = [], studio.engine.answers

    def seen(base, asks, stopping):
        asked.append([(each.messages, each.adapter) for each in asks])
        return right(base, asks, stopping)

    monkeypatch.setattr(studio.engine, "answers", seen)
    assert tried(trained, "run:2")["moved"] is True
    watched = runs.frozen(studio.home.run("2"), "watch")
    assert [(each, side) for each in watched for side in (studio.home.adapter("2"), None)] in asked


def test_a_run_that_changed_nothing_is_a_loud_note(trained, monkeypatch):
    """The answers of both are the base's, as with an adapter before its first update."""
    studio, project = trained
    right = studio.engine.answers

    def unmoved(base, asks, stopping):
        return right(base, [self_test.Ask(each.messages, None, each.sampling) for each in asks], stopping)

    monkeypatch.setattr(studio.engine, "answers", unmoved)
    match = judging.match(studio, project.id, Judging(("run:1", "run:2")))
    found = [each for each in self_test.self_test(studio, match) if each.name == "moved"]
    assert [each.ok for each in found] == [None, None]
    assert re.match(
        r"Run 1 begins its answers to all \d watch-prompts as the base does, word for word", found[0].detail
    )


# points


def first_point(studio):
    return comparing.points(studio, runs.load(studio.home, "1"))[0]["update"]


def test_a_point_is_an_arm_of_its_own_and_answers_with_its_own_weights(trained):
    studio, project = trained
    calm = prompts.keep(studio, ADA, project.id, "calm", "Be calm.")
    name = f"run:1@{first_point(studio)}"
    arms = [comparing.arm(studio, project.id, each) for each in ("run:1", name, f"{name}+prompt:calm")]
    *_, answers = comparing.ask(
        studio, project.id, arms[:2], [(), ()], "Hello?", Sampling(max_tokens=4), lambda: False
    )

    assert [each.name for each in arms] == ["run:1", name, f"{name}+prompt:calm@{calm.version}"]
    assert len({comparing.adapter(studio, each) for each in arms}) == 2
    assert len({each.fingerprint for each in answers}) == 2


def test_a_point_that_is_not_kept_is_refused_with_those_that_are(trained):
    studio, project = trained
    weights = studio.home.adapter("1", first_point(studio)) / comparing.WEIGHTS
    best = runs.load(studio.home, "1").card["best_step"]
    for wanted in ("3", "", str(best), "../2"):
        with pytest.raises(
            NotFound, match=rf"Choose run:1@{first_point(studio)}, .*or run:1, which is its best"
        ):
            comparing.arm(studio, project.id, f"run:1@{wanted}")

    gone = f"run:1@{first_point(studio)}"
    moved = weights.rename(weights.with_name("moved"))
    try:
        with pytest.raises(NotFound, match="keeps no point"):
            comparing.arm(studio, project.id, gone)
    finally:
        moved.rename(weights)


def test_a_point_is_put_to_held_out_questions_under_its_own_name(trained):
    studio, project = trained
    prompts.keep(studio, ADA, project.id, "calm", "Be calm.")
    point = first_point(studio)
    names = [f"run:1@{point}", f"run:1@{point}+prompt:calm"]
    _, alone, under = evaluation_plan.contenders(studio, project.id, names, evaluation_plan.Words())

    assert (alone.title, under.title) == (
        f"run 1 after {point} updates",
        f"run 1 after {point} updates under the prompt “calm”",
    )
    assert comparing.adapter(studio, under.tuned) == studio.home.adapter("1", point)


def test_a_swapped_point_is_red(trained):
    studio, _ = trained
    point = first_point(studio)
    weights = studio.home.adapter("1", point) / comparing.WEIGHTS
    kept = weights.read_bytes()
    assert tried(trained, f"run:1@{point}")["adapter"] is True
    shutil.copyfile(studio.home.adapter("1") / comparing.WEIGHTS, weights)
    try:
        assert tried(trained, f"run:1@{point}")["adapter"] is False
    finally:
        weights.write_bytes(kept)
