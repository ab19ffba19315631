"""Heavy libraries are imported by one thread: whoever needs them meanwhile waits for its end."""

import time

import pytest

from studio.engine import libraries
from studio.engine.local import LocalEngine


@pytest.fixture
def brought(monkeypatch):
    """What was brought: nothing while the imports, which take a moment, are going on."""
    found = []
    monkeypatch.setattr(libraries, "bring", lambda: (time.sleep(0.5), found.append("all")))
    yield found
    libraries.wait()


@pytest.mark.parametrize("waits", [True, False])
def test_an_engine_that_is_asked_too_early_waits(rehearsal_path, tmp_path, monkeypatch, brought, waits):
    libraries.start(lambda: True, 0.1)
    assert libraries.coming()
    with monkeypatch.context() as changed:
        if not waits:
            changed.setattr(libraries, "wait", lambda: None)
        LocalEngine(tmp_path).counts(str(rehearsal_path), ["Where is it?"])
        assert brought == (["all"] if waits else [])


def test_where_nothing_is_brought_nobody_waits(monkeypatch, brought):
    libraries.wait()
    assert not libraries.coming()
