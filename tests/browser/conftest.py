"""A browser for the tests of the page: the machine's Chromium or Chrome, else the one that Playwright brought."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from served import Served

ON_THE_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ELSEWHERE = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
NONE_FOUND = (
    "NO BROWSER WAS FOUND, SO NOTHING OF THE PAGE WAS TESTED: install Chromium or Chrome, "
    "or run `python -m playwright install --with-deps chromium`, and run the tests again."
)


def chromium_path() -> Path | None:
    """A Chromium that starts on this machine, or None."""
    return next((Path(path) for path in candidates() if starts(path)), None)


def candidates():
    yield from filter(None, map(shutil.which, ON_THE_PATH))
    yield from ELSEWHERE
    yield playwrights_own()  # the last: to ask for it takes a second


def playwrights_own() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def starts(path: str) -> bool:
    """Whether the program is there and runs: a Chromium without its system libraries is none."""
    if os.name == "nt":
        return Path(path).is_file()  # chrome.exe has no --version: it would open a window
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


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


@pytest.fixture
def page(browser):
    """A page with storage and cookies of its own, in a window of 1280 x 800."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
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
