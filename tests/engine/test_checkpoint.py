import contextlib
import json
import resource

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.core.errors import DoesNotFit, TrainingFailed
from studio.core.recipe import Recipe
from studio.engine import checkpoint, models, preparing


@pytest.fixture
def adapter(rehearsal_path, tmp_path):
    model = preparing.with_adapter(models.load(rehearsal_path, "fp32", "cpu"), Recipe(rank=4))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.fill_(0.01)
    checkpoint.save_adapter(model, tmp_path / "adapter", "some/base")
    return tmp_path / "adapter"


def rewrite(adapter, change):
    file = adapter / "adapter_model.safetensors"
    save_file({name: change(name, weight) for name, weight in load_file(file).items()}, file)
    checkpoint.publish(adapter.rename(adapter.with_name("staging")), adapter)


def test_a_saved_adapter_is_whole_names_its_base_and_not_this_machine(adapter):
    checkpoint.verify_adapter(adapter)

    config = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == "some/base"
    assert str(adapter.parent) not in (adapter / "adapter_config.json").read_text("utf-8")


def test_plain_peft_loads_it(adapter, rehearsal_path):
    from peft import PeftModel

    tuned = PeftModel.from_pretrained(models.load(rehearsal_path, "fp32", "cpu"), str(adapter))

    assert any(bool(weight.any()) for name, weight in tuned.named_parameters() if "lora_B" in name)


def test_a_changed_byte_is_found(adapter):
    file = adapter / "adapter_model.safetensors"
    bytes_ = bytearray(file.read_bytes())
    bytes_[-1] ^= 1
    file.write_bytes(bytes_)

    with pytest.raises(TrainingFailed, match="could not be read back"):
        checkpoint.verify_adapter(adapter)


def test_an_adapter_with_numbers_that_are_none_is_never_published_as_finished(adapter):
    rewrite(adapter, lambda name, weight: weight * torch.nan)

    with pytest.raises(TrainingFailed, match="not numbers"):
        checkpoint.verify_adapter(adapter)


def test_an_adapter_that_changes_nothing_is_never_published_as_finished(adapter):
    rewrite(adapter, lambda name, weight: weight * 0)

    with pytest.raises(TrainingFailed, match="changes nothing"):
        checkpoint.verify_adapter(adapter)


def test_saving_again_replaces_the_whole_folder(adapter, rehearsal_path):
    (adapter / "stray").write_text("from before")
    model = preparing.with_adapter(models.load(rehearsal_path, "fp32", "cpu"), Recipe(rank=4))
    checkpoint.save_adapter(model, adapter, "some/base")

    assert not (adapter / "stray").exists()
    assert checkpoint.whole(adapter)


@contextlib.contextmanager
def room_for(size):
    """Let no file of this process grow beyond `size` bytes: writing then fails as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_becomes_full_leaves_the_adapter_as_it_was_and_nothing_half(adapter, rehearsal_path):
    """The library that writes the weights has an error of its own for it."""
    model = preparing.with_adapter(models.load(rehearsal_path, "fp32", "cpu"), Recipe(rank=8))
    with (
        room_for(20_000),
        pytest.raises(DoesNotFit, match=r"could not be written.*Free some space and resume"),
    ):
        checkpoint.save_adapter(model, adapter, "some/base")

    checkpoint.verify_adapter(adapter)
    assert [each.name for each in adapter.parent.iterdir()] == ["adapter"]

    with (
        room_for(20_000),
        pytest.raises(DoesNotFit, match=r"could not be written.*Free some space and resume"),
    ):
        checkpoint.copy_whole(adapter, adapter.with_name("published"))
    assert [each.name for each in adapter.parent.iterdir()] == ["adapter"]
