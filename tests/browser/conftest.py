"""A browser and a served studio for the tests of the page."""

import os

import pytest
from chromium import NONE_FOUND, chromium_path
from playwright.sync_api import expect, sync_playwright
from served import Served

from studio.work import studio, writing

WAIT = 60_000  # milliseconds; a busy machine is slow, and nothing here is about speed


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium for all tests. Without one they are skipped loudly, and under CI they fail."""
    path = chromium_path()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NONE_FOUND)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def patient():
    expect.set_options(timeout=WAIT)


@pytest.fixture
def page(browser):
    """A page with storage and cookies of its own, in a window of 1280 x 800."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(WAIT)
    yield context.new_page()
    context.close()


@pytest.fixture
def served():
    """`served(home)` starts the studio whose data lies in the folder `home` and returns it once it answers."""
    started = []

    def start(home):
        started.append(Served(home))
        return started[-1].start()

    yield start
    for each in started:
        each.end()


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One empty studio for the tests that change nothing in it."""
    studio = Served(tmp_path_factory.mktemp("shared") / "home")
    yield studio.start()
    studio.end()


@pytest.fixture
def project(shared, request):
    """The address of an empty project of one's own in the shared studio."""
    own = studio.opened(shared.home)
    made = writing.project(own, request.node.name[:60])
    own.database.close()
    return f"{shared.url}/?project={made.id}"
