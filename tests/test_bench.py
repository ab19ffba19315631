"""The benchmarks take hours; that they still fit the studio is seen here in a second."""

import importlib
from pathlib import Path

import pytest

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
