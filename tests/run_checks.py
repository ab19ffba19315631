"""What `python run_studio.py test` runs inside the environment: format check, lint, types, tests, all of them each time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from browser.chromium import NONE_FOUND, chromium_path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = {
    "Format": ["ruff", "format", "--check", "."],
    "Lint": ["ruff", "check", "."],
    "Types": ["mypy"],
    # Side by side, whole files: most tests wait for a browser or a disk. The last, so that its summary is what one reads.
    "Tests": ["pytest", "-ra", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"],
}


def main(pytest_arguments):
    bring_browser()
    failed = []
    for heading, (tool, *arguments) in CHECKS.items():
        say(f"\n== {heading} ==")
        more = pytest_arguments if tool == "pytest" else []
        if tool == "pytest" and failed:
            say(f"(failed before: {', '.join(failed)})")
        if subprocess.call([sys.executable, "-m", tool, *arguments, *more], cwd=ROOT):
            failed.append(heading)
    return 1 if failed else 0


def bring_browser():
    """Install a Chromium where the machine has none: Playwright's, or on Debian, as root, the system's."""
    for attempt in (playwrights_chromium, debians_chromium):
        if chromium_path():
            return
        attempt()
    if not chromium_path():
        say(f"\n{NONE_FOUND}\n")


def playwrights_chromium():
    say("== No browser yet: asking Playwright for its Chromium ==")
    call([sys.executable, "-m", "playwright", "install", "chromium"])


def debians_chromium():
    if shutil.which("apt-get") and os.geteuid() == 0:
        say("== No browser yet: installing Debian's Chromium ==")
        quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        call(["apt-get", "-q", "update"], env=quiet)
        call(["apt-get", "-q", "install", "-y", "--no-install-recommends", "chromium"], env=quiet)


def call(command, **how):
    """Run it for at most ten minutes. Whether it worked is seen by looking for a browser."""
    try:
        subprocess.call(command, timeout=600, **how)
    except subprocess.TimeoutExpired:
        say(f"{command[0]} took more than ten minutes and was stopped.")


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # before what the next program writes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
