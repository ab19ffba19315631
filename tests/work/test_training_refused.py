"""What comes between a plan and its adapter: bases that go, sets that change, full disks, clocks that are set, two at once.

Each gets its sentence and its way out; no run is lost, and no half-made adapter is offered.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from going import over, until

from studio.core.course import course
from studio.core.errors import Busy, DoesNotFit, ModelNotReady, NothingToLearn, TemplateNotSplittable
from studio.core.records import Change, Message
from studio.store import runs
from studio.work import (
    checking,
    comparing,
    jobs,
    models,
    planning,
    run_history,
    training,
    writing,
)
from studio.work.studio import opened, owner

FEW = {"updates": 6, "general": 0.2}


@pytest.fixture
def project(studio):
    """Twenty examples on a copy of the rehearsal model in a folder of a person's own."""
    project = writing.project(studio, "harbour")
    models.choose(studio, owner(), project.id, "rehearsal")
    base = models.ensure(studio, project.id, lambda done, total: None)
    shutil.copytree(base.path, studio.home.root / "mine")
    models.choose(studio, owner(), project.id, str(studio.home.root / "mine"))
    for number in range(20):
        write(studio, project, number, f"On boat {number}. It sails at six.")
    return project


def write(studio, project, number, answer, **how):
    talk = (Message("user", f"Where is parcel {number}?"), Message("assistant", answer, **how))
    return writing.save(studio, owner(), Change(f"r{project.id}{number}", project.id, "", 0, talk))


def arms(studio, project):
    return [each.name for each in comparing.arms(studio, project.id)]


# the base


def test_a_base_that_is_gone_is_said_and_hides_nothing_else(studio, project):
    folder = studio.home.root / "mine"
    folder.rename(studio.home.root / "away")

    with pytest.raises(ModelNotReady, match=r"mine is not there.*Put it back, or choose another base model"):
        training.start(studio, owner(), project.id, **FEW)
    assert run_history.runs_of(studio, project.id) == []
    base = models.base(studio, project.id)
    assert (base.path, base.title) == (None, "mine")
    assert "is not there" in base.trouble
    assert checking.health(studio, project.id).conversations == 20
    assert arms(studio, project) == ["base"]

    (studio.home.root / "away").rename(folder)
    assert models.base(studio, project.id).trouble == ""
    assert planning.plan(studio, project.id, **FEW).obstacle == ""


def test_a_base_that_goes_before_a_run_goes_on_is_said_and_what_was_saved_stays(studio, project):
    run = training.start(studio, owner(), project.id, updates=200, evaluations=100)
    until(studio, run.id, lambda seen: any((seen.folder / "checkpoints").glob("at-*")))
    os.kill(int((run.folder / "pid").read_text()), signal.SIGKILL)
    until(studio, run.id, over)
    (studio.home.root / "mine").rename(studio.home.root / "away")
    training.resume(studio, run.id)

    failed = until(studio, run.id, over)
    assert failed.state == "failed"
    assert "is not there" in course(failed).trouble
    assert any((run.folder / "checkpoints").glob("at-*"))
    assert arms(studio, project) == ["base"]


def test_a_template_that_cannot_be_trained_is_said_and_the_findings_are_told_all_the_same(studio, project):
    settings = studio.home.root / "mine" / "tokenizer_config.json"
    without_ends = "{% for each in messages %}{{ each.role + ': ' + each.content + '\n' }}{% endfor %}"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "chat_template": without_ends}))
    (studio.home.root / "mine" / "model.safetensors").touch()  # its files have changed

    with pytest.raises(TemplateNotSplittable, match="Choose another base model") as refused:
        training.start(studio, owner(), project.id, **FEW)
    found = checking.health(studio, project.id)
    assert (found.conversations, found.tokens, found.trouble) == (20, None, str(refused.value))


# the set


@pytest.mark.parametrize(
    ("answer", "how", "said"),
    [
        (
            "wave " * 3000,
            {},
            r"See number 0001, for one: it has [\d,]+ tokens and the limit is 2,048. Shorten",
        ),
        ("Yes.", {"weight": 0.0}, "See number 0001, for one: every answer is marked as not learned. Let at"),
    ],
)
def test_a_set_of_which_nothing_can_be_learned_says_why_by_an_example(studio, answer, how, said):
    project = writing.project(studio, "lamps")
    models.choose(studio, owner(), project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    for number in range(3):
        write(studio, project, number, answer, **how)

    with pytest.raises(NothingToLearn, match=said):
        training.start(studio, owner(), project.id)
    assert run_history.runs_of(studio, project.id) == []


def test_a_limit_that_was_set_can_be_raised_and_that_of_the_model_cannot(studio, project):
    long = write(studio, project, 77, "wave " * 100)
    longer = write(studio, project, 78, "wave " * 3000)

    lowered = dict(planning.plan(studio, project.id, max_length=200).sides.left_out)
    assert (
        "or raise “Longest conversation” under Advanced settings: this model takes 2,048."
        in lowered[long.number]
    )
    usual = dict(planning.plan(studio, project.id).sides.left_out)
    assert usual.keys() == {longer.number}
    assert usual[longer.number].endswith("Shorten or split it.")


# two at once


def test_of_many_who_start_at_the_same_moment_one_does_and_the_others_are_told(studio, project):
    told, ready = [], threading.Barrier(4)

    def press(one):
        ready.wait()
        try:
            told.append(training.start(one, owner(), project.id, updates=5000).id)
        except Busy as busy:
            told.append(str(busy))

    # Each a studio of its own on the same folder: as many browsers as there are, and the command line.
    pressing = [threading.Thread(target=press, args=(opened(studio.home.root),)) for _ in range(4)]
    for each in pressing:
        each.start()
    for each in pressing:
        each.join()

    refused = "Training Run 1 is using this machine. Stop it in the Train tab, or wait until it has finished."
    assert sorted(told) == ["1", *[refused] * 3]
    assert [run.id for run in runs.load_all(studio.home)] == ["1"]


# the clock


def test_a_clock_that_is_set_forward_does_not_end_a_run_that_keeps_its_best(studio, monkeypatch):
    """The ladder waits by a clock that nobody sets, from when this studio first saw the wish."""
    folder = studio.home.run("7")
    folder.mkdir()
    (folder / "spec.json").write_text('{"created_at": 1.0}')
    (folder / "events.jsonl").write_text('{"kind": "stepped"}\n')
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(folder)])
    (folder / "pid").write_text(str(worker.pid))
    runs.ask_to_stop(folder, discard=False)
    os.utime(folder / "stop", (1.0, 1.0))  # as after a jump of many years
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1e8)

    run = runs.load(studio.home, "7")
    studio.jobs.press(run)
    studio.jobs.press(run)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.5)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setitem(jobs.LADDER, "keep", (0.0, 0.0))
    studio.jobs.press(run)
    assert worker.wait(10) == -9


def test_a_run_that_is_asked_to_stop_again_is_not_ended_for_what_was_asked_of_it_before(studio, monkeypatch):
    heard = studio.jobs.heard
    heard["7"] = ("keep", time.monotonic() - 1e6)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    folder = studio.home.run("7")
    folder.mkdir()
    (folder / "events.jsonl").touch()
    with pytest.raises(FileNotFoundError):
        studio.jobs.spawn(folder)

    assert "7" not in heard


# the disk


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 250 MB: a little more than the studio leaves free. Made where this process may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if not shutil.which("mount") or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=250m", "tmpfs", place], capture_output=True).returncode:  # fmt: skip
        pytest.skip("this process may not mount a disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_disk_that_is_full_before_and_one_that_becomes_full_in_the_middle(small_disk, monkeypatch):
    studio = opened(small_disk / "home")
    project = writing.project(studio, "harbour")
    models.choose(studio, owner(), project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    for number in range(20):
        write(studio, project, number, "On the boat.")
    with pytest.raises(DoesNotFit, match=r"needs \d+ MB and the disk has \d+ MB to give. Free some space"):
        training.start(studio, owner(), project.id)
    assert run_history.runs_of(studio, project.id) == []

    monkeypatch.setattr(runs, "NEEDED", 0)
    same = {
        "updates": 24,
        "evaluations": 8,
        "points": 0,
        "general": 0.1,
        "patience": 0,
        "quantization": "fp32",
    }
    run = training.start(studio, owner(), project.id, **same)
    until(studio, run.id, lambda seen: any((seen.folder / "checkpoints").glob("at-*")))
    with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(2**20))
    cut = until(studio, run.id, over)
    assert cut.state == "failed"
    assert "disk" in course(cut).trouble
    assert "resume" in course(cut).trouble.lower()
    assert arms(studio, project) == ["base"]

    (small_disk / "filler").unlink()
    training.resume(studio, run.id)
    done = until(studio, run.id, over)
    assert done.state == "finished", (run.folder / "worker.log").read_text()
    assert next(each["update"] for each in done.events if each["kind"] == "resumed") > 0
    studio.database.close()
