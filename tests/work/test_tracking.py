"""Real runs that are logged for TensorBoard, too: the log, read back, is what the run said."""

import json
import os
import signal
import struct
from importlib.util import find_spec

import pytest
from going import until
from tensorboardX.proto.event_pb2 import Event

from studio.core.course import lasting
from studio.core.errors import BadInput
from studio.core.records import Change, Message
from studio.engine import trackers
from studio.work import models, run_history, tracking, training, writing
from studio.work.studio import opened, owner

SAME = {"updates": 12, "evaluations": 6, "general": 0.2}


@pytest.fixture
def project(studio):
    project = writing.project(studio, "harbour").id
    models.choose(studio, owner(), project, "rehearsal")
    models.ensure(studio, project, lambda done, total: None)
    for number in range(20):
        talk = (Message("user", f"Where is parcel {number}?"), Message("assistant", "On the boat. It sails at six."))  # fmt: skip
        writing.save(studio, owner(), Change(f"r{number}", project, "", 0, talk))
    training.set_watch(studio, owner(), project, "Where is parcel 3?\n*Hello*?")
    return project


def over(run):
    """Whether its process is gone: the log is closed last."""
    return run.ended is not None


def read(run):
    """(numbers, texts) of a run's log, as (name, update, time, value) tuples in their order, and the names of the rest."""
    (path,) = (run.folder / "tensorboard").iterdir()
    numbers, texts, rest = [], [], []
    for event in records(path.read_bytes()):
        for value in event.summary.value:
            of = (value.tag, event.step, event.wall_time)
            if value.HasField("simple_value"):
                numbers.append((*of, value.simple_value))
            elif value.metadata.plugin_data.plugin_name == "text":
                texts.append((*of, value.tensor.string_val[0].decode()))
            else:
                rest.append(value.tag)
    return numbers, texts, rest


def records(log):
    """The events in TensorBoard's framing: a length in 8 bytes, a checksum in 4, the event, a checksum in 4."""
    at = 0
    while at < len(log):
        (size,) = struct.unpack_from("<Q", log, at)
        yield Event.FromString(log[at + 12 : at + 12 + size])
        at += size + 16


def expected(run):
    """The numbers and the watch-prompts' answers that a run's events tell of, in the log's terms."""
    numbers, texts = [], []
    for each in lasting(run.events):
        of = each.get("update"), each["at"]
        if each["kind"] == "stepped":
            numbers += [("loss/learned", *of, each["loss"]), ("learning_rate", *of, each["learning_rate"])]
            numbers += [("gradient_norm", *of, each["grad_norm"]), ("memory_mb", *of, each["memory_mb"])]
            numbers += [("tokens_per_second", *of, each["tokens"] / each["seconds"])]
        elif each["kind"] == "evaluated":
            numbers += [("loss/held_out", *of, each["held_out_loss"])]
            numbers += [("loss/general", *of, each["general_loss"])]
        elif each["kind"] == "sampled":
            asked = zip(("Where is parcel 3?", "*Hello*?"), each["answers"], strict=True)
            texts += [(f"watch/{n}/text_summary", *of, f"> {q}\n\n{a}") for n, (q, a) in enumerate(asked, 1)]
    return [(*of, pytest.approx(number, rel=1e-6)) for *of, number in numbers], texts


def test_the_log_of_a_run_is_what_it_said_also_when_it_was_cut_off_and_went_on(studio, project):
    tracking.choose(studio, owner(), "tensorboard")
    run = training.start(studio, owner(), project, **SAME)
    until(studio, run.id, lambda run: any((run.folder / "checkpoints").glob("at-*")) and run.events[-1]["kind"] == "stepped")  # fmt: skip
    os.kill(int((run.folder / "pid").read_text()), signal.SIGKILL)
    until(studio, run.id, over)
    tracking.choose(studio, owner(), "")  # what a run was started with stays with it
    training.resume(studio, run.id)
    run = until(studio, run.id, over)

    assert run.state == "finished", (run.folder / "worker.log").read_text()
    assert "resumed" in [each["kind"] for each in run.events]
    numbers, texts, rest = read(run)
    assert (numbers, texts[1:]) == expected(run)
    assert len(numbers) == 12 * 5 + 7 * 2
    assert json.loads(texts[0][3])["recipe"] == run.spec["recipe"]
    assert rest == ["_hparams_/experiment", "_hparams_/session_start_info"]


@pytest.mark.skipif(find_spec("trackio") is not None, reason="trackio is here, so nothing is missing")
def test_a_run_whose_tracker_is_gone_says_so_and_ends_as_any_other(studio, project, monkeypatch):
    monkeypatch.setattr(tracking, "is_installed", lambda kind: True)
    run = training.start(studio, owner(), project, tracker="trackio", updates=4)
    run = until(studio, run.id, over)

    assert (run.state, run.card["updates"]) == ("finished", 4)
    (said,) = [each["message"] for each in run.events if each["kind"] == "untracked"]
    assert "No module named 'trackio'" in said


def test_what_is_missing_is_said_before_the_start_and_how_to_install_it(studio, project, monkeypatch):
    monkeypatch.setattr(trackers, "find_spec", lambda package: None)
    with pytest.raises(BadInput, match="-m pip install tensorboardX"):
        training.start(studio, owner(), project, tracker="tensorboard")
    with pytest.raises(BadInput, match="no tracker named wandb"):
        tracking.choose(studio, owner(), "wandb")

    assert run_history.runs_of(studio, project) == []
    assert tracking.chosen(studio) == ""


def test_settings_that_were_edited_into_nonsense_are_none(studio):
    for nonsense in ('{"tracker": "wandb"}', "[]", "{", '{"tracker": ["trackio"]}'):
        studio.home.settings.write_text(nonsense)
        assert tracking.chosen(studio) == ""
    tracking.choose(studio, owner(), "tensorboard")
    assert tracking.chosen(opened(studio.home.root)) == "tensorboard"
