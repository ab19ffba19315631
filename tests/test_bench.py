"""The benchmarks take hours; that they still fit the studio is seen here in a second."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from studio.engine import rehearsal
from tests.bench.training import marks, ours, work

NAMES = sorted(each.stem for each in (Path(__file__).parent / "bench").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_can_be_begun(name):
    assert callable(importlib.import_module(f"tests.bench.{name}").run)


def test_training_takes_conversations_from_any_file(monkeypatch, tmp_path):
    train = importlib.import_module("tests.bench.train")
    (tmp_path / "talks.csv").write_text("question,answer\nWhere?,On the boat.\n", "utf-8")
    monkeypatch.setenv("STUDIO_BENCH_DATA", str(tmp_path / "talks.csv"))

    assert train.conversations() == [
        [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "On the boat."}]
    ]


@pytest.mark.parametrize("order", ["shuffled", "grouped"])
def test_the_studios_side_of_the_training_benchmark_is_its_own_worker(tmp_path, monkeypatch, capsys, order):
    base = rehearsal.make(tmp_path / "rehearsal")
    talks = [
        [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "On the boat. " * (1 + n)}]
        for n in range(20)
    ]
    place = work.write(tmp_path / "work", base, talks, 2, order)
    monkeypatch.setattr(sys, "argv", ["ours", str(place), "fp32"])
    ours.main()

    told = json.loads(capsys.readouterr().out.splitlines()[-1].removeprefix(marks.RESULT))
    sizes = [len(json.loads(line)["input_ids"]) for line in (place / "encoded.jsonl").open()]
    assert told["tokens"] == sum(
        sizes[8:]
    )  # the same conversations as the peers', the first update not counted
    assert (sizes == sorted(sizes, reverse=True)) is (order == "grouped")
