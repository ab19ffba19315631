"""A run that is cut off and goes on is the run that was never cut off."""

import json
import random
from types import SimpleNamespace

import pytest
import torch

from studio.core.encode import encode
from studio.core.errors import DoesNotFit, TrainingFailed
from studio.core.recipe import Recipe
from studio.core.records import Message
from studio.core.steps import steps
from studio.engine import batches, checkpoint, kernels, loop, models, preparing, resuming

TALKS = [(f"Where is parcel {number}?", f"On boat {number}, and it sails at six.") for number in range(7)]
RULES = loop.Rules(updates=12, every=4, clip=1.0, points=2)


@pytest.fixture
def start(rehearsal_path, tmp_path):
    """Begins, or goes on with, a run in a folder: start(name, cut=updates) -> (model, standing)."""
    template = models.ChatTemplate(models.load_tokenizer(rehearsal_path))
    encoded = [encode((Message("user", q), Message("assistant", a)), template) for q, a in TALKS]

    def started(name, cut=None, restore=resuming.restore):
        folder = tmp_path / name
        model = preparing.with_adapter(models.load(rehearsal_path, "fp32", "cpu"), Recipe(rank=4))
        optimizer = torch.optim.AdamW(
            [each for each in model.parameters() if each.requires_grad], lr=5e-3, weight_decay=0.0, fused=True
        )
        found, _ = resuming.newest(folder)
        at = resuming.standing(found) if found else loop.Standing(60)
        if found:
            restore(found, model, optimizer)
        parts = loop.Parts(
            model, kernels.plain_loss, optimizer, loop.warm_up_and_cosine(optimizer, 12, 0.1, at.made), batches.packs,
            batches.packs(encoded[5:]), batches.packs(encoded[:1]), lambda event: None,
            lambda: "pause" if at.done == cut else "",
            lambda update: checkpoint.save_adapter(model, resuming.best(folder, update), "some/base"),
            lambda update: None,
            lambda at: resuming.save(folder, model, optimizer, at),
            lambda update: checkpoint.save_adapter(model, resuming.point(folder, update), "some/base"),
        )  # fmt: skip
        loop.train(parts, steps(encoded[:5], encoded[5:], 2, 3, 12, 0), RULES, at)
        return model, at

    return started


def weights(model):
    return torch.cat([weight.detach().flatten() for _, weight in resuming.learned(model)])


@pytest.mark.parametrize("cuts", [(6,), (4, 5, 11), (1,), (12,)])
def test_a_run_cut_off_anywhere_ends_as_one_that_was_not(start, cuts):
    whole, stood = start("whole")
    for cut in cuts:
        start("cut", cut)
    model, at = start("cut")

    assert torch.equal(weights(model), weights(whole))
    assert (at.done, at.best_update, at.before, at.best) == (12, stood.best_update, stood.before, stood.best)
    assert [each.update for each in at.points] == [8, 12]
    assert at.points == stood.points


def test_the_test_above_would_tell_if_the_optimizer_were_forgotten(start):
    whole, _ = start("whole")
    start("cut", 6)
    model, _ = start(
        "cut", restore=lambda folder, model, optimizer: resuming.restore(folder, model, fresh(model))
    )

    assert not torch.allclose(weights(model), weights(whole), atol=1e-6)


def fresh(model):
    return torch.optim.AdamW([weight for _, weight in resuming.learned(model)])


def test_two_checkpoints_and_the_adapters_that_they_name_are_kept(start, tmp_path):
    _, at = start("run")

    kept = sorted(each.name for each in (tmp_path / "run").iterdir())
    named = {resuming.standing(tmp_path / "run" / f"at-{update}").best_update for update in (8, 12)}
    assert kept == sorted(["at-12", "at-8", "point-12", "point-8", *(f"best-{update}" for update in named)])
    assert at.best_update in named


def test_a_disk_that_is_nearly_full_ends_the_run_where_it_can_be_resumed(start, tmp_path, monkeypatch):
    start("run", 6)
    monkeypatch.setattr(resuming.shutil, "disk_usage", lambda folder: SimpleNamespace(free=100 * 2**20))
    with pytest.raises(DoesNotFit, match="resume it"):
        start("run")
    assert resuming.newest(tmp_path / "run")[0].name == "at-6"

    monkeypatch.undo()
    assert start("run")[1].done == 12


def damage(folder, chance):
    """Do to a published folder one of the things that disks and people do."""
    file = chance.choice(sorted(folder.iterdir()))
    content = bytearray(file.read_bytes())
    way = chance.choice(["shorten", "empty", "delete", "flip", "zeros", "longer"])
    if way == "delete":
        return file.unlink()
    if way == "flip":
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    changed = {
        "shorten": content[: chance.randrange(len(content))],
        "empty": b"",
        "flip": content,
        "zeros": bytes(len(content)),
        "longer": content + b"0",
    }
    return file.write_bytes(changed[way])


@pytest.mark.parametrize("seed", range(50))
def test_from_a_damaged_checkpoint_a_run_never_goes_on(seed, tmp_path, monkeypatch):
    """The newest, or the best adapter that it names, is damaged: the one before it is taken."""
    chance = random.Random(seed)
    for update in (4, 8):
        made(tmp_path, update, chance)
    damage(tmp_path / chance.choice(["at-8", "best-8"]), chance)

    assert resuming.newest(tmp_path) == (tmp_path / "at-4", 1)

    damage(tmp_path / "at-4", chance)
    assert resuming.newest(tmp_path) == (None, 2)

    # Without the look at the manifest the damaged one would have been taken.
    monkeypatch.setattr(resuming, "usable", lambda folder, checkpoints: True)
    assert resuming.newest(tmp_path)[0] == tmp_path / "at-8"


def made(folder, update, chance):
    """A checkpoint and a best adapter, published as a run does it."""
    staging = folder / ".staging"
    for name, files in {
        f"at-{update}": {"state.safetensors": chance.randbytes(300), "standing.json": json.dumps({"row": 9, "done": update, "best_update": update}).encode()},
        f"best-{update}": {"adapter_model.safetensors": chance.randbytes(300), "adapter_config.json": b"{}"},
    }.items():  # fmt: skip
        staging.mkdir()
        for file, content in files.items():
            (staging / file).write_bytes(content)
        checkpoint.publish(staging, folder / name)


def test_what_was_kept_after_the_checkpoint_is_made_again(start, tmp_path):
    start("run", 6)
    for name in ("best-7", "point-7"):
        (tmp_path / "run" / name).mkdir()
    resuming.forget(tmp_path / "run", 6)

    assert not [each.name for each in (tmp_path / "run").iterdir() if each.name.endswith("-7")]
    assert (tmp_path / "run" / "at-6").exists()


def test_a_run_from_before_points_were_kept_goes_on_and_keeps_those_that_follow(start, tmp_path):
    start("run", 6)
    folder = tmp_path / "run" / "at-6"
    noted = json.loads((folder / "standing.json").read_text())
    del noted["points"]
    (folder / "standing.json").write_text(json.dumps(noted))
    checkpoint.publish(folder.rename(folder.with_name(".staging")), folder)

    assert [each.update for each in start("run")[1].points] == [8, 12]


def test_a_state_that_another_studio_saved_is_passed_over(start, tmp_path):
    start("run", 6)
    folder = tmp_path / "run" / "at-6"
    noted = json.loads((folder / "standing.json").read_text()) | {"novel": 1}
    (folder / "standing.json").write_text(json.dumps(noted))
    checkpoint.publish(folder.rename(folder.with_name(".staging")), folder)

    assert resuming.newest(tmp_path / "run") == (tmp_path / "run" / "at-4", 1)


def test_a_state_that_does_not_fit_the_model_is_refused_with_the_way_out(start, tmp_path, rehearsal_path):
    start("run", 6)
    model = preparing.with_adapter(models.load(rehearsal_path, "fp32", "cpu"), Recipe(rank=8))

    with pytest.raises(TrainingFailed, match="Repeat the run"):
        resuming.restore(tmp_path / "run" / "at-6", model, fresh(model))
