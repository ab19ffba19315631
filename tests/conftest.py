"""A studio in a folder of its own: real files and a real database, no model until a test asks for one."""

from __future__ import annotations

import pytest

from studio.core.records import Person
from studio.store.database import Database
from studio.store.home import open_home
from studio.work.studio import Studio


def pytest_addoption(parser):
    parser.addoption(
        "--long", action="store_true", help="run harnesses and seeded tests at their full length"
    )


@pytest.fixture
def length(request):
    """`length(short, long)` is how much a harness does: the short form unless the run was asked for with --long."""
    return lambda short, long: long if request.config.getoption("--long") else short


def pytest_generate_tests(metafunc):
    """A test marked `seeds(short, long)` runs with so many seeds."""
    if marker := metafunc.definition.get_closest_marker("seeds"):
        count = marker.kwargs["long" if metafunc.config.getoption("--long") else "short"]
        metafunc.parametrize("seed", range(count))


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


@pytest.fixture
def database(home):
    database = Database.open(home.database)
    yield database
    database.close()


@pytest.fixture
def studio(home, database):
    return Studio(home, database, engine=None, jobs=None)


@pytest.fixture
def ada():
    return Person("Ada")


@pytest.fixture
def ben():
    return Person("Ben")
