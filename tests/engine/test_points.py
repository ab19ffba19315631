"""Which points a run keeps beside its best, and that only sound ones are offered."""

import random
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from studio.core.errors import DoesNotFit
from studio.engine import checkpoint, downloads, loop, points, resuming, run_folder

SIX = (20, 40, 60, 80, 100, 120)


def kept(points, evaluated, updates=120, every=20):
    """Which points are kept after each evaluation."""
    at, rules = loop.Standing(9), loop.Rules(updates, every, 1.0, points=points)
    for at.done in evaluated:
        at.last = 2.0
        loop.pointed(at, rules, 1.0)
        yield [each.update for each in at.points]


@pytest.mark.parametrize(
    ("points", "evaluated", "expected"),
    [
        (3, SIX, [40, 80, 120]),
        (2, SIX, [60, 120]),
        (1, SIX, [120]),
        (0, SIX, []),
        (6, SIX, list(SIX)),
        (100, SIX, list(SIX)),
        (3, SIX[:5], [40, 80, 100]),  # the run ended early: the last one is the one that was thrown away
        (3, (20, 40, 47), [40, 47]),  # stopped between two evaluations
        (3, (20, 40, 47, 60, 80), [40, 80]),  # and gone on with
    ],
)
def test_points_are_kept_at_even_steps_and_the_last_one(points, evaluated, expected):
    *_, last = kept(points, evaluated)
    assert last == expected


def test_there_are_never_more_than_were_asked_for_and_the_newest_is_one_of_them():
    chance = random.Random(1)
    for _ in range(300):
        updates, most, evaluations = chance.randint(1, 400), chance.randint(1, 12), chance.randint(1, 30)
        every = -(-updates // evaluations)
        evaluated = sorted({*range(every, updates + 1, every), updates})
        for newest, seen in zip(evaluated, kept(most, evaluated, updates, every), strict=True):
            assert len(seen) <= most
            assert seen[-1] == newest


def test_the_base_and_an_adapter_whose_loss_is_no_number_are_no_points():
    at, rules = loop.Standing(9), loop.Rules(120, 20, 1.0, points=3)
    assert not loop.pointed(at, rules, 1.0)
    at.done, at.last = 20, None
    assert not loop.pointed(at, rules, 1.0)
    assert at.points == []


@pytest.fixture
def run(tmp_path):
    """A run at its end: the best after 60 updates, and points after 20, 40, 60 and 80."""
    folder, at = run_folder.Folder(tmp_path), loop.Standing(9, done=80, best_update=60)
    for update in (20, 40, 60, 80):
        put(folder, update, 0.1)
        at.points.append(loop.Point(update, 2.0, None))
    return folder, at


def put(folder, update, number):
    with checkpoint.staged(resuming.point(folder.checkpoints, update), "", "") as staging:
        tensors = {"x.lora_B.weight": torch.full((2, 2), number)}
        save_file(tensors, staging / "adapter_model.safetensors")


def test_the_points_but_the_best_are_published_and_told(run, tmp_path):
    (tmp_path / "points" / "999").mkdir(parents=True)  # of a worker that was killed before its card
    told = points.publish(*run)

    assert [each["update"] for each in told] == [20, 40, 80]
    assert sorted(each.name for each in (tmp_path / "points").iterdir()) == ["20", "40", "80"]
    for each in told:
        place = tmp_path / "points" / str(each["update"])
        assert checkpoint.whole(place)
        assert each["sha256"] == checkpoint.fingerprint(place / "adapter_model.safetensors")


def test_a_damaged_point_and_one_of_no_numbers_are_not_offered(run, tmp_path):
    folder, _ = run
    weights = resuming.point(folder.checkpoints, 20) / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    put(folder, 40, float("nan"))

    assert [each["update"] for each in points.publish(*run)] == [80]
    assert [each.name for each in (tmp_path / "points").iterdir()] == ["80"]


def test_a_disk_that_is_nearly_full_is_told_of_before_points_are_written(run, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda folder: SimpleNamespace(free=200 * 2**20))

    with pytest.raises(DoesNotFit, match=r"Keeping points.*resume it"):
        points.keep(run[0], torch.nn.Linear(2, 2), 100, "some/base")
    with pytest.raises(DoesNotFit, match=r"Keeping points.*resume it"):
        points.publish(*run)
    assert not (tmp_path / "points").exists()
