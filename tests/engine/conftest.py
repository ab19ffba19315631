"""Models for the engine's tests."""

import pytest
from answered import save_adapter
from platformdirs import user_cache_path

from studio.engine import models, rehearsal, starter
from studio.engine.local import LocalEngine


@pytest.fixture(scope="session")
def rehearsal_path(tmp_path_factory):
    """A real two-layer model in a folder; not to be written to."""
    return rehearsal.make(tmp_path_factory.mktemp("models") / "rehearsal")


@pytest.fixture(scope="session")
def starter_path():
    """The starter model, fetched once per machine; not to be written to."""
    return starter.ensure(user_cache_path("sft-studio-tests") / "models", lambda done, total: None)


@pytest.fixture(scope="session")
def tuned(rehearsal_path, tmp_path_factory):
    return save_adapter(tmp_path_factory.mktemp("tuned") / "adapter", rehearsal_path, seed=1)


@pytest.fixture(scope="session")
def other(rehearsal_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other") / "adapter"
    return save_adapter(
        folder, rehearsal_path, seed=2, r=2, use_rslora=True, target_modules=["q_proj", "down_proj"]
    )


@pytest.fixture
def engine_in_fp32(tmp_path, monkeypatch):
    """An engine with the rehearsal model in fp32: in 16 bits the number of rows in a batch may turn a near tie."""
    monkeypatch.setattr(models, "choose_precision", lambda folder, wanted, device: ("fp32", "for the test"))
    engine = LocalEngine(tmp_path / "models")
    engine.fetch("rehearsal", lambda done, total: None)
    return engine
