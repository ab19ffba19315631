"""The loop with real steps on a real small model."""

import math
import random
from types import SimpleNamespace

import pytest
import torch

from studio.core.encode import encode
from studio.core.progress import Evaluated, Halved, Skipped, Stepped
from studio.core.recipe import Recipe
from studio.core.records import Message
from studio.core.steps import steps
from studio.engine import batches, kernels, loop, models, preparing

TALKS = [
    ("Hello", "Good day to you."),
    ("Bye", "Go well, and mind the tide, it turns at six."),
    ("Lamp?", "On the shelf."),
]


@pytest.fixture
def template(rehearsal_path):
    return models.ChatTemplate(models.load_tokenizer(rehearsal_path))


@pytest.fixture
def encoded(template):
    return [encode((Message("user", q), Message("assistant", a)), template) for q, a in TALKS]


class Told:
    """Collects what the loop says, keeps and saves."""

    def __init__(self):
        self.events, self.kept, self.saved, self.watched, self.general, self.points = [], [], [], [], [], []

    def of(self, kind):
        return [each for each in self.events if isinstance(each, kind)]


def parts(model, told, encoded, wish=lambda: "", loss=kernels.plain_loss, rate=5e-3, rows=batches.packs):
    weights = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=0.0)
    return loop.Parts(
        model, loss, optimizer, loop.warm_up_and_cosine(optimizer, 20, 0.1), rows, batches.packs(encoded),
        told.general, told.events.append, wish, told.kept.append, told.watched.append, lambda at: told.saved.append(at.done),
        told.points.append,
    )  # fmt: skip


def train(one, encoded, updates=20, every=5, clip=1.0, row=2048, **rules):
    """Returns (where the run stands in the end, why it ended)."""
    at = loop.Standing(row)
    taken = steps(encoded, [], 0, 3, updates, 0)
    return at, loop.train(one, taken, loop.Rules(updates, every, clip, **rules), at)


@pytest.fixture
def model(rehearsal_path):
    return preparing.with_adapter(models.load(rehearsal_path, "fp32", "cpu"), Recipe(rank=4))


def test_training_lowers_the_held_out_loss_and_keeps_the_best(model, encoded):
    told = Told()
    at, why = train(parts(model, told, encoded), encoded)
    measured = told.of(Evaluated)

    assert (at.done, at.made, why) == (20, 20, "")
    assert [each.update for each in measured] == [0, 5, 10, 15, 20]
    assert measured[-1].held_out_loss < 0.8 * measured[0].held_out_loss
    assert told.kept[-1] == min(measured, key=lambda each: each.held_out_loss).update
    assert (at.before, at.best, at.best_update) == (
        measured[0].held_out_loss,
        min(each.held_out_loss for each in measured),
        told.kept[-1],
    )
    assert told.saved == [5, 10, 15, 20]
    assert told.watched == [0, 5, 10, 15, 20]
    assert math.isnan(measured[0].general_loss)


def test_the_base_model_as_it_came_is_measured_but_not_kept_as_an_adapter(model, encoded):
    told = Told()
    train(parts(model, told, encoded, wish=lambda: "keep"), encoded)

    assert [each.update for each in told.of(Evaluated)] == [0]
    assert told.kept == []


def test_a_stop_ends_within_one_update_with_a_last_evaluation(model, encoded):
    told = Told()
    wish = lambda: "keep" if len(told.of(Stepped)) == 3 else ""  # noqa: E731
    at, why = train(parts(model, told, encoded, wish), encoded, every=10)

    assert (at.done, why) == (3, "keep")
    assert told.of(Evaluated)[-1].update == 3


def test_discarding_ends_without_a_last_evaluation(model, encoded):
    told = Told()
    wish = lambda: "discard" if told.of(Stepped) else ""  # noqa: E731
    train(parts(model, told, encoded, wish), encoded, every=10)

    assert [each.update for each in told.of(Evaluated)] == [0]
    assert told.saved == []


def test_the_gradient_is_the_same_however_a_step_is_cut(model, encoded):
    def gradient(rows):
        told = Told()
        train(parts(model, told, encoded, rate=1e-12, rows=rows), encoded, updates=1, clip=1e9)
        return told.of(Stepped)[0].grad_norm

    whole = gradient(lambda step, row: [batches.pack(step)])
    cut = gradient(lambda step, row: [batches.pack([each]) for each in step])

    assert cut == pytest.approx(whole, rel=1e-4)


def test_a_bad_update_is_skipped_and_said_and_three_end_the_run(model, encoded):
    told = Told()
    before = [each.clone() for each in model.parameters() if each.requires_grad]

    def broken(model, pack):
        loss = kernels.plain_loss(model, pack)
        return loss * math.nan if torch.is_grad_enabled() else loss

    at, why = train(parts(model, told, encoded, loss=broken), encoded)

    assert (at.done, at.made, why) == (3, 0, "numbers")
    after = [each for each in model.parameters() if each.requires_grad]
    assert len(told.of(Skipped)) == 3
    assert all(torch.equal(one, two) for one, two in zip(before, after, strict=True))


def spoiled(chance, at, updates, where):
    """A loss that is no number, or has a gradient that is none, in the updates after those `updates`."""
    number = chance.choice([math.nan, math.inf, -math.inf])

    def loss(model, pack):
        found = kernels.plain_loss(model, pack)
        if not torch.is_grad_enabled() or at.done + 1 not in updates:
            return found
        if where == "loss":
            return found + number
        weight = chance.choice([each for each in model.parameters() if each.requires_grad])
        return found + (weight.flatten()[0] * 0 * number if where == "both" else Spoil.apply(weight, number))

    return loss


class Spoil(torch.autograd.Function):
    """Adds nothing, and a gradient that is no number."""

    @staticmethod
    def forward(context, weight, number):
        context.shape, context.number = weight.shape, number
        return torch.zeros(())

    @staticmethod
    def backward(context, _):
        return torch.full(context.shape, context.number), None


@pytest.mark.seeds(short=10, long=50)
def test_what_is_no_number_never_reaches_the_adapter(model, encoded, seed):
    chance, told, at = random.Random(seed), Told(), loop.Standing(2048)
    updates = sorted(chance.sample(range(1, 6), chance.randint(1, 3)))
    loss = spoiled(chance, at, updates, chance.choice(["loss", "gradient", "both"]))
    one = parts(model, told, encoded, loss=loss)
    why = loop.train(one, steps(encoded, [], 0, 3, 6, 0), loop.Rules(6, 3, 1.0), at)

    assert [each.update for each in told.of(Skipped)] == updates  # each at once, and no other
    assert (why, at.made) == (("numbers", updates[-1] - 3) if len(updates) == 3 else ("", 6 - len(updates)))
    assert all(bool(each.isfinite().all()) for each in model.parameters())
    assert all(math.isfinite(each.held_out_loss) for each in told.of(Evaluated))


def test_the_test_above_would_tell_if_the_numbers_were_not_looked_at(model, encoded, monkeypatch):
    monkeypatch.setattr(loop, "math", SimpleNamespace(**vars(math) | {"isfinite": lambda number: True}))
    at = loop.Standing(2048)
    one = parts(model, Told(), encoded, loss=spoiled(random.Random(0), at, [2], "gradient"))
    loop.train(one, steps(encoded, [], 0, 3, 6, 0), loop.Rules(6, 3, 1.0), at)

    assert not all(bool(each.isfinite().all()) for each in model.parameters())


def rising(model, pack):
    """A loss that rises with every evaluation, whatever is learned."""
    rising.seen += 0 if torch.is_grad_enabled() else 1
    return kernels.plain_loss(model, pack) * (1 + rising.seen)


def test_a_held_out_loss_that_rises_ends_the_run_and_0_lets_it_go_on(model, encoded):
    rising.seen = 0
    at, why = train(parts(model, Told(), encoded, loss=rising), encoded, every=2, patience=2)
    assert (at.done, at.best_update, why) == (4, 0, "worse")

    rising.seen = 0
    assert train(parts(model, Told(), encoded, loss=rising), encoded, every=2)[1] == ""


def test_what_has_forgotten_too_much_ends_the_run_and_is_never_kept(model, encoded):
    told = Told()
    told.general = [batches.pack(encoded[:1])]

    def forgetful(model, pack):
        """The more was learned, the less is known of what the gauge asks."""
        return kernels.plain_loss(model, pack) * (1 + len(told.of(Stepped)) * (pack is told.general[0]))

    at, why = train(parts(model, told, encoded, loss=forgetful), encoded, every=1, forget=0.2)

    assert (at.done, at.best_update, why) == (1, 0, "forgot")
    assert at.forgotten > 0.2
    assert told.of(Evaluated)[-1].held_out_loss < at.before
    assert told.kept == []


def test_where_memory_runs_out_the_same_update_goes_on_in_shorter_rows(model, encoded):
    def gradient(loss):
        told = Told()
        one = parts(model, told, encoded, loss=loss, rate=1e-12)
        at, _ = train(one, encoded, updates=1, clip=1e9, row=sum(len(each.ids) for each in encoded))
        return at, told, told.of(Stepped)[0].grad_norm

    def hungry(model, pack):
        if torch.is_grad_enabled() and len(pack.lengths) > 1:
            torch.empty(2**60)  # what torch says then is what it says when memory runs out
        return kernels.plain_loss(model, pack)

    at, told, norm = gradient(hungry)

    assert 0 < at.halved == len(told.of(Halved))
    assert norm == pytest.approx(gradient(kernels.plain_loss)[2], rel=1e-4)


def test_memory_that_runs_out_for_good_ends_the_run(model, encoded):
    def endless(model, pack):
        return torch.empty(2**60).sum() if torch.is_grad_enabled() else kernels.plain_loss(model, pack)

    told = Told()
    with pytest.raises(RuntimeError, match="allocate"):
        train(parts(model, told, encoded, loss=endless), encoded)
    assert [each.row for each in told.of(Halved)] == [1024, 512, 256]


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
