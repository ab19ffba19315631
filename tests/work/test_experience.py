"""What the plan foretells from the runs and measurements that are there, read from their folders alone."""

import json

import pytest

from studio.core.progress import Discarded, Evaluated, Loading, Planned, Stepped, as_line
from studio.core.recipe import Recipe
from studio.store import runs
from studio.work import experience

PLANNED = Planned(
    4, 500, 4, 0, "fast", held_out_tokens=400, gauge_tokens=600, row=800, row_limit=2048, memory_mb=500
)
RECIPE = Recipe(batch=4, general=0.0, quantization="bf16")
OWN, APART = [(100, 40)] * 40, [(100, 40)] * 4  # tokens and learned tokens of each


@pytest.fixture
def put(home):
    """Puts a run into the home that took a second for 400 tokens of updates, of 100 a conversation."""

    def put(
        id,
        memory,
        length=100,
        base="starter",
        asked="bf16",
        precision="bf16",
        rank=16,
        trial=True,
        project="p",
    ):
        recipe = {"batch": 4, "rank": rank, "quantization": asked}
        spec = {"base": base, "project": project, "recipe": recipe, "trial": trial}
        folder = runs.freeze(home, id, spec, {})
        steps = [Stepped(n, 2.0, 1e-4, 4 * length, length / 100, 0.5, memory) for n in (1, 2)]
        events = [Loading(base, "cpu", precision, ""), PLANNED, Evaluated(0, 3.0, 1.0, True), *steps]
        lines = [as_line(event, at, at) for at, event in enumerate([*events, Discarded(2)])]
        (folder / "events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))

    return put


def foretold(studio, base="starter", recipe=RECIPE, own=OWN):
    return experience.forecast(studio, base, 10, recipe, own, APART)


def megabytes(told):
    return told[1] and told[1] // 2**20


def test_nothing_is_foretold_before_anything_is_known(studio, put):
    assert foretold(studio) == (None, None)
    put("trial-1", 900)
    assert foretold(studio, own=[]) == (None, None)
    assert megabytes(foretold(studio)) == 900


def test_the_newest_that_tells_is_asked(studio, put):
    for id, memory in (("trial-1", 900), ("trial-2", 950)):
        put(id, memory)
    put("trial-3", 990, base="other")

    assert megabytes(foretold(studio)) == 950


@pytest.mark.parametrize(
    ("asked", "precision", "wanted", "tells"),
    [
        ("bf16", "bf16", "nf4", False),
        ("auto", "bf16", "bf16", True),
        ("auto", "bf16", "auto", True),
        ("auto", "bf16", "nf4", False),
        ("bf16", "bf16", "auto", False),  # what auto would choose is not known from that
    ],
)
def test_a_run_tells_only_of_its_own_precision(studio, put, asked, precision, wanted, tells):
    put("trial-1", 900, asked=asked, precision=precision)
    recipe = Recipe(batch=4, general=0.0, quantization=wanted)

    assert (foretold(studio, recipe=recipe)[0] is not None) == tells


def test_a_run_tells_nothing_of_an_adapter_of_another_size(studio, put):
    put("trial-1", 900, rank=64)

    assert foretold(studio) == (None, None)


def test_a_run_tells_of_conversations_that_are_about_as_long(studio, put):
    put("trial-1", 900, length=100)
    seconds, _ = foretold(studio)

    assert foretold(studio, own=[(150, 40)] * 40)[0] == pytest.approx(seconds + 10 * 0.5)
    assert foretold(studio, own=[(100 * experience.ALIKE + 1, 40)] * 40) == (None, None)
    assert foretold(studio, own=[(100 / experience.ALIKE - 1, 40)] * 40) == (None, None)


def test_an_older_run_of_such_conversations_is_asked_before_a_newer_one_of_others(studio, put):
    put("trial-1", 900, length=400)
    put("trial-2", 990, length=100)

    assert megabytes(foretold(studio, own=[(400, 40)] * 40)) == 900


def test_a_run_without_a_result_tells_nothing(studio, put):
    put("trial-1", 900, trial=False)

    assert foretold(studio) == (None, None)


def test_a_measurement_takes_the_place_of_one_like_it_and_of_no_other(studio, put, home):
    for number, settings in enumerate(
        ({}, {"asked": "nf4"}, {"rank": 8}, {"project": "q"}, {"base": "other"})
    ):
        put(f"trial-{number}", 900, **settings)
    put("1", 900, trial=False)
    recipe = {"quantization": "bf16", "rank": 16}
    experience.forget_measurements(studio, {"project": "p", "base": "starter", "recipe": recipe})

    assert sorted(run.id for run in runs.load_all(home)) == ["1", *(f"trial-{n}" for n in (1, 2, 3, 4))]
