"""Where a Chromium or Chrome is: the machine's own, else the one that Playwright brought."""

import os
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import sync_playwright

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
