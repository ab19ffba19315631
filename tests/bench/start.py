"""From the command to a page that can be used, without and with the heavy libraries imported before it.

The peer is the same server with torch, transformers and peft imported first, which is what a studio that imports them at
the top of its modules costs. Usable means: the button that begins the first conversation can be pressed in a browser.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS = 3
CHECKOUT = Path(__file__).parents[2]
OURS = "from studio.cli import main; main()"
PEER = (
    "import torch, transformers, peft, bitsandbytes; from transformers import AutoModelForCausalLM; " + OURS
)


def run() -> dict[str, Any]:
    """Interleaved rounds; the first of each is not counted. Seconds of wall time, medians."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import chromium_path

    times: dict[str, list[tuple[float, float]]] = {"ours": [], "peer": []}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path())
        for _ in range(ROUNDS + 1):
            for name, code in (("ours", OURS), ("peer", PEER)):
                times[name].append(start(browser, code, home))
        browser.close()
    served, usable = (
        {name: statistics.median(each[which] for each in seen[1:]) for name, seen in times.items()}
        for which in (0, 1)
    )
    return {
        "rows": [
            {"what": what, "ours": round(found["ours"], 2), "peer": round(found["peer"], 2), "ratio": round(found["peer"] / found["ours"], 2)}
            for what, found in (("page served, s", served), ("page usable, s", usable))
        ]
    }  # fmt: skip


def start(browser: Any, code: str, home: str) -> tuple[float, float]:
    """Seconds until the server says that it answers, and until the page can be used."""
    begun = time.perf_counter()
    command = [sys.executable, "-c", code, "serve", "--home", home, "--port", "0", "--no-browser"]
    server = subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdout
    try:
        address = server.stdout.readline().split()[-1]
        served = time.perf_counter() - begun
        page = browser.new_page()
        page.goto(address)
        page.locator("#begin").wait_for(timeout=60_000)
        usable = time.perf_counter() - begun
        page.close()
    finally:
        server.terminate()
        server.wait()
    return served, usable
