"""Models for the engine's tests."""

import pytest
from platformdirs import user_cache_path

from studio.engine import rehearsal, starter


@pytest.fixture(scope="session")
def rehearsal_path(tmp_path_factory):
    """A real two-layer model in a folder; not to be written to."""
    return rehearsal.make(tmp_path_factory.mktemp("models") / "rehearsal")


@pytest.fixture(scope="session")
def starter_path():
    """The starter model, fetched once per machine; not to be written to."""
    return starter.ensure(user_cache_path("sft-studio-tests") / "models", lambda done, total: None)
