"""The loop with real steps on a real small model."""

import math

import pytest
import torch

from studio.core.encode import encode
from studio.core.errors import TrainingFailed
from studio.core.progress import Evaluated, Skipped, Stepped
from studio.core.recipe import Recipe
from studio.core.records import Message
from studio.engine import batches, kernels, loop, models, worker

TALKS = [
    ("Hello", "Good day to you."),
    ("Bye", "Go well, and mind the tide, it turns at six."),
    ("Lamp?", "On the shelf."),
]


@pytest.fixture
def encoded(rehearsal_path):
    template = models.ChatTemplate(models.load_tokenizer(rehearsal_path))
    return [encode((Message("user", q), Message("assistant", a)), template) for q, a in TALKS]


class Told:
    """Collects what the loop says, and counts what it keeps."""

    def __init__(self):
        self.events, self.kept = [], []

    def of(self, kind):
        return [each for each in self.events if isinstance(each, kind)]


def parts(model, told, encoded, wish=lambda: "", loss=kernels.plain_loss, rate=5e-3):
    weights = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=0.0)
    return loop.Parts(
        model, loss, optimizer, loop.warm_up_and_cosine(optimizer, 20, 0.1),
        batches.packs(encoded), [], told.events.append, wish, told.kept.append,
    )  # fmt: skip


@pytest.fixture
def model(rehearsal_path):
    return worker.with_adapter(models.load(rehearsal_path, "fp32", "cpu"), Recipe(rank=4))


def test_training_lowers_the_held_out_loss_and_keeps_the_best(model, encoded):
    told = Told()
    done = loop.train(
        parts(model, told, encoded), batches.steps(encoded, [], 0, 3, 20, 0), 20, every=5, clip=1.0
    )
    measured = told.of(Evaluated)

    assert done == 20
    assert [each.update for each in measured] == [0, 5, 10, 15, 20]
    assert measured[-1].held_out_loss < 0.8 * measured[0].held_out_loss
    assert told.kept[-1] == min(measured, key=lambda each: each.held_out_loss).update
    assert math.isnan(measured[0].general_loss)


def test_the_base_model_as_it_came_is_measured_but_not_kept_as_an_adapter(model, encoded):
    told = Told()
    loop.train(
        parts(model, told, encoded, wish=lambda: "keep"), batches.steps(encoded, [], 0, 3, 20, 0), 20, 5, 1.0
    )

    assert [each.update for each in told.of(Evaluated)] == [0]
    assert told.kept == []


def test_a_stop_ends_within_one_update_with_a_last_evaluation(model, encoded):
    told = Told()
    wish = lambda: "keep" if len(told.of(Stepped)) == 3 else ""  # noqa: E731
    done = loop.train(
        parts(model, told, encoded, wish), batches.steps(encoded, [], 0, 3, 20, 0), 20, every=10, clip=1.0
    )

    assert done == 3
    assert told.of(Evaluated)[-1].update == 3


def test_discarding_ends_without_a_last_evaluation(model, encoded):
    told = Told()
    wish = lambda: "discard" if told.of(Stepped) else ""  # noqa: E731
    loop.train(
        parts(model, told, encoded, wish), batches.steps(encoded, [], 0, 3, 20, 0), 20, every=10, clip=1.0
    )

    assert [each.update for each in told.of(Evaluated)] == [0]


def test_the_gradient_is_the_same_however_a_step_is_cut(model, encoded):
    def gradient(step):
        told = Told()
        one = parts(model, told, encoded, rate=1e-12)
        loop.train(one, [step], 1, every=5, clip=1e9)
        return told.of(Stepped)[0].grad_norm

    whole, cut = gradient([batches.pack(encoded)]), gradient([batches.pack([each]) for each in encoded])

    assert cut == pytest.approx(whole, rel=1e-4)


def test_a_bad_update_is_skipped_and_said_and_three_end_the_run(model, encoded):
    told = Told()
    before = [each.clone() for each in model.parameters() if each.requires_grad]

    def broken(model, pack):
        loss = kernels.plain_loss(model, pack)
        return loss * math.nan if torch.is_grad_enabled() else loss

    with pytest.raises(TrainingFailed, match="three times"):
        loop.train(
            parts(model, told, encoded, loss=broken),
            batches.steps(encoded, [], 0, 3, 20, 0),
            20,
            every=5,
            clip=1.0,
        )

    after = [each for each in model.parameters() if each.requires_grad]
    assert len(told.of(Skipped)) == 3
    assert all(torch.equal(one, two) for one, two in zip(before, after, strict=True))


def test_the_rate_warms_up_and_falls_to_zero():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, rates = loop.warm_up_and_cosine(optimizer, 100, 0.1), []
    for _ in range(100):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()

    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == pytest.approx(1.0)
    assert rates[99] < 0.001
