"""From the command to something on screen, and to a page that can be used, without and with the heavy libraries first.

The peer is the same server with torch, transformers, peft, bitsandbytes and gradio imported first, which is what a studio
that imports them at the top of its modules costs. On screen means: the browser has drawn the first page. Usable means:
the button that begins the first conversation can be pressed.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS = 5
CHECKOUT = Path(__file__).parents[2]
OURS = "from studio.cli import main; main()"
PEER = (
    "import torch, transformers, peft, bitsandbytes, gradio; from transformers import AutoModelForCausalLM; "
    + OURS
)


WHAT = ("something on screen, s", "page served, s", "page usable, s")


def run() -> dict[str, Any]:
    """Interleaved rounds; the first of each is not counted. Seconds of wall time, medians; `spread` is lowest to highest."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import chromium_path

    times: dict[str, list[tuple[float, ...]]] = {"ours": [], "peer": []}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path())
        for _ in range(ROUNDS + 1):
            for name, code in (("ours", OURS), ("peer", PEER)):
                times[name].append(start(browser, code, home))
        browser.close()
    conditions = f"medians of {ROUNDS} rounds, load {os.getloadavg()[0]:.1f}"
    return {"what": conditions, "rows": [row(what, times, which) for which, what in enumerate(WHAT)]}


def row(what: str, times: dict[str, list[tuple[float, ...]]], which: int) -> dict[str, Any]:
    seen = {name: sorted(each[which] for each in rounds[1:]) for name, rounds in times.items()}
    ours, peer = (statistics.median(seen[name]) for name in ("ours", "peer"))
    spread = {name: [round(found[0], 2), round(found[-1], 2)] for name, found in seen.items()}
    return {
        "what": what, "ours": round(ours, 2), "peer": round(peer, 2), "ratio": round(peer / ours, 2), "spread": spread,
    }  # fmt: skip


def start(browser: Any, code: str, home: str) -> tuple[float, float, float]:
    """Seconds until the browser shows something, until the server says that it answers, and until the page can be used."""
    begun = time.perf_counter()
    port = free_port()
    command = [sys.executable, "-c", code, "serve", "--home", home, "--port", str(port), "--no-browser"]
    server = subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdout
    try:
        until_something_listens(port)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}")
        page.locator("h1").first.wait_for()
        shown = time.perf_counter() - begun
        server.stdout.readline()
        served = time.perf_counter() - begun
        page.locator("#begin").wait_for(timeout=60_000)
        usable = time.perf_counter() - begun
        page.close()
    finally:
        server.terminate()
        server.wait()
    return shown, served, usable


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until_something_listens(port: int) -> None:
    while True:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.005)
