"""The self-test is green where both sides are what they say, and red where one was swapped on purpose."""

import shutil
import time

import pytest

from studio.core.records import Change, Message, Person
from studio.store import runs
from studio.work import judging, models, planning, self_test, training, writing
from studio.work.judging import Judging
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


def tried(trained):
    studio, project = trained
    match = judging.match(studio, project.id, Judging(("base", "run:1")))
    return {each.name: each.ok for each in self_test.self_test(studio, match)}


def test_both_sides_are_what_they_say(trained):
    seen = tried(trained)

    assert {name: seen[name] for name in ("adapter", "base", "same twice", "base alone")} == dict.fromkeys(
        ("adapter", "base", "same twice", "base alone"), True
    )


def test_a_swapped_adapter_is_red(trained):
    studio, _ = trained
    one, two = (studio.home.run(id) / "adapter" / "adapter_model.safetensors" for id in ("1", "2"))
    kept = one.read_bytes()
    shutil.copyfile(two, one)
    try:
        assert tried(trained)["adapter"] is False
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
