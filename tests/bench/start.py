"""From the command to a page that can be used, without and with the heavy libraries imported before it.

The peer is the same server with torch, transformers and peft imported first, which is what a studio that imports them at
the top of its modules costs. Usable means: the Write tab's button to begin a conversation can be pressed in a browser.
"""

from __future__ import annotations

import socket
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

    from tests.browser.conftest import chromium_path

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
    """Seconds until the server answers, and until the page can be used."""
    port = free_port()
    begun = time.perf_counter()
    arguments = ["serve", "--home", home, "--port", str(port), "--no-browser"]
    server = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not answers(port):
            time.sleep(0.02)
        served = time.perf_counter() - begun
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_role("button", name="New").first.wait_for(timeout=60_000)
        usable = time.perf_counter() - begun
        page.close()
    finally:
        server.terminate()
        server.wait()
    return served, usable


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
