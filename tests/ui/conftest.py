"""A studio for the tests of the page: real but for its engine, whose answers are scripted."""

import pytest
from scripted import ScriptedEngine

from studio.work import writing
from studio.work.jobs import Jobs
from studio.work.studio import Studio


@pytest.fixture
def engine(tmp_path):
    return ScriptedEngine(path=tmp_path)


@pytest.fixture
def studio(home, database, engine):
    return Studio(home, database, engine, Jobs(home))


@pytest.fixture
def project(studio):
    return writing.project(studio, "Harbour").id
