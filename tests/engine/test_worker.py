"""What a worker says when its disk, its base or its libraries are not what they were."""

import contextlib
import errno
import json
import resource
import shutil
import signal
import sys

import pytest

from studio.core.errors import NothingToLearn, TrainingFailed
from studio.core.progress import Paused
from studio.engine import folders, models, preparing, run_folder, worker


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "events.jsonl").touch()
    return run_folder.Folder(tmp_path)


def said(folder):
    return [json.loads(line) for line in (folder.path / "events.jsonl").read_bytes().splitlines()]


def test_an_event_for_which_the_disk_has_no_room_is_not_half_written(folder):
    folder.emit(Paused(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((folder.path / "events.jsonl").stat().st_size + 20, before[1]))
    with pytest.raises(OSError, match="File too large"):
        folder.emit(Paused(2))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    folder.emit(Paused(3))

    assert [each["update"] for each in said(folder)] == [1, 3]


@pytest.mark.parametrize("held", [True, False])
def test_a_disk_that_is_full_to_the_last_byte_is_told_of_in_room_held_back(folder, monkeypatch, held):
    """Without that room the run would end without a word."""
    emit, room = run_folder.Folder.emit, folder.path / run_folder.ROOM

    def on_a_full_disk(self, event):
        if room.exists() or not held:
            raise OSError(errno.ENOSPC, "No space left on device")
        emit(self, event)

    monkeypatch.setattr(run_folder.Folder, "emit", on_a_full_disk)
    monkeypatch.setattr(worker, "run", lambda folder, models: folder.emit(Paused(1)))
    monkeypatch.setattr(sys, "argv", ["worker", str(folder.path), str(folder.path)])
    before = signal.getsignal(signal.SIGTERM)
    with contextlib.suppress(OSError):
        worker.main()
    signal.signal(signal.SIGTERM, before)

    told = [(each["kind"], each["message"]) for each in said(folder)]
    sentence = (
        "The disk is full. Free some space, then resume the run: it goes on from where it was saved last."
    )
    assert told == ([("failed", sentence)] if held else [])
    assert not room.exists()


def test_a_run_goes_on_with_the_base_that_it_began_on_and_with_no_other(rehearsal_path, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(rehearsal_path, mine)
    spec = {"base": str(mine), "base_revision": preparing.known_base(mine, {"base": str(mine)})}
    shutil.copytree(mine, tmp_path / "copied", copy_function=shutil.copyfile)  # as from a backup
    assert preparing.known_base(tmp_path / "copied", spec) == spec["base_revision"]

    settings = json.loads((mine / "tokenizer_config.json").read_text())
    settings["chat_template"] += " "
    (mine / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(TrainingFailed, match=r"its files were changed. Repeat the run"):
        preparing.known_base(mine, spec)


def test_conversations_too_long_for_the_model_are_refused_with_the_limit(rehearsal_path, folder):
    template = models.ChatTemplate(models.load_tokenizer(rehearsal_path))
    long = {"messages": [{"role": "user", "content": "Hm?"}, {"role": "assistant", "content": "sea " * 90}]}
    for name in ("train", "held_out", "general", "gauge"):
        (folder.path / f"{name}.jsonl").write_text(json.dumps(long) + "\n")

    assert preparing.read(folder, template, folders.limit(rehearsal_path), {}).left_out == 0
    with pytest.raises(NothingToLearn, match=r"limit of 64 tokens.*Shorten them, or raise"):
        preparing.read(folder, template, 64, {})


def test_data_that_was_removed_is_not_what_was_frozen(folder):
    with pytest.raises(TrainingFailed, match=r"train.jsonl was changed or removed.*Start a new run"):
        folder.conversations("train", {"train": {"sha256": "0" * 64}})


def test_what_is_of_another_version_or_gone_is_named():
    now = worker.installed("torch")

    assert worker.changed({"studio": "0", "torch": now}) == ""
    assert (
        worker.changed({"torch": "1.0", "no-such-library": "2"})
        == f"torch 1.0 to {now}, no-such-library 2 to none"
    )
