import pytest
from going import end_all

from studio.work import models, writing
from studio.work.studio import opened, owner


@pytest.fixture
def studio(tmp_path):
    """A studio of its own, of which no worker is left behind."""
    studio = opened(tmp_path / "home")
    yield studio
    end_all(studio)
    studio.database.close()


@pytest.fixture
def project(studio):
    project = writing.project(studio, "harbour")
    models.choose(studio, owner(), project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    return project
