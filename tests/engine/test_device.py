"""Which device, how many threads, and what can be told before torch is there."""

import subprocess
import sys
import threading

import psutil
import pytest
import torch

from studio.engine import device

NOT_YET = """
import sys
from pathlib import Path
from studio.engine.local import LocalEngine
engine = LocalEngine(Path(sys.argv[1]))
device, bases = engine.device(), engine.bases()
assert device.total_memory > device.used_memory > 0 and device.name and device.why
assert [base.id for base in bases][0] == "starter" and bases[0].path is None
assert engine.loaded() is None
heavy = {"torch", "transformers", "peft", "bitsandbytes", "huggingface_hub"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_first_page_asks_for_device_and_bases_without_any_heavy_import(tmp_path):
    subprocess.run([sys.executable, "-c", NOT_YET, tmp_path], check=True)


def test_the_choice_says_why_and_leaves_a_core_to_the_page():
    choice = device.choose()

    assert choice.threads == max(1, device.cores() - 1)
    assert torch.get_num_threads() == choice.threads
    assert choice.why
    described = device.describe(choice)
    assert described.kind == choice.device
    assert 0 < described.used_memory < described.total_memory


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="has a GPU")
def test_without_a_gpu_the_cpu_is_chosen_and_the_reason_names_it():
    choice = device.choose()

    assert (choice.device, choice.dtype) == ("cpu", "bfloat16")
    assert "no CUDA or Apple GPU" in choice.why


def test_the_number_of_threads_holds_in_threads_that_are_started_later():
    choice, seen = device.choose(), []

    thread = threading.Thread(
        target=lambda: seen.append((torch.ones(64, 64) @ torch.ones(64, 64), torch.get_num_threads()))
    )
    thread.start()
    thread.join()

    assert seen[0][1] == choice.threads


def test_memory_that_is_available_is_told_in_bytes():
    assert 0 < device.available_memory("cpu") <= psutil.virtual_memory().total


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA accelerator")
def test_with_cuda_the_card_is_chosen_and_its_memory_told():
    choice = device.choose()

    assert choice.device == "cuda"
    assert torch.cuda.get_device_name() in choice.why
    assert device.describe(choice).total_memory == torch.cuda.get_device_properties(0).total_memory
