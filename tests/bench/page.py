"""How quick the page stays while a model is trained beside it: the time from a key to the next conversation on screen.

The peer is the same page with nothing else going on; the two take turns, round by round. Measured in the browser, from the key press to the changed heading,
which takes a call to the server, a read from the database and the drawing.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROUNDS = int(os.environ.get("STUDIO_BENCH_ROUNDS", "5"))
PRESSES = 40  # a round
BASE = os.environ.get("STUDIO_BENCH_BASE", "starter")
MOVE = """([key, most]) => new Promise((done, lost) => {
    const heading = document.querySelector("#editor h2"), before = heading.textContent, began = performance.now();
    const seen = new MutationObserver(() => {
        const now = document.querySelector("#editor h2").textContent;
        if (now !== before) { seen.disconnect(); requestAnimationFrame(() => done(performance.now() - began)); }
    });
    seen.observe(document.querySelector("#editor"), { childList: true, subtree: true, characterData: true });
    setTimeout(() => lost(new Error("nothing changed")), most);
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
})"""


def run() -> dict[str, Any]:
    """Milliseconds, idle and during a run: {"rows": [{what, ours (training), peer (idle), ratio (training / idle)}]}."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import chromium_path
    from tests.browser.served import Served

    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        home = Path(place) / "home"
        prepare(home)
        studio = Served(home).start()
        browser = playwright.chromium.launch(executable_path=chromium_path())
        try:
            page = browser.new_page()
            page.goto(studio.url)
            page.locator("#list .rows button").nth(40).wait_for()
            rounds = [beside(page, home) for _ in range(ROUNDS)]
        finally:
            browser.close()
            studio.end()
    conditions = f"medians of {ROUNDS} rounds of {PRESSES} key presses each, load {os.getloadavg()[0]:.1f}"
    return {"what": conditions, "rows": [row(rounds, "p50", 49), row(rounds, "p95", 94)]}


def beside(page: Any, home: Path) -> tuple[list[float], list[float]]:
    """One round: idle, then with a training beside it."""
    idle = moves(page)
    with training(home):
        return idle, moves(page)


def row(rounds: list[tuple[list[float], list[float]]], name: str, percentile: int) -> dict[str, Any]:
    idle, busy = ([statistics.quantiles(each[side], n=100)[percentile] for each in rounds] for side in (0, 1))
    ratios = sorted(two / one for one, two in zip(idle, busy, strict=True))
    return {
        "what": f"key to next conversation, ms, {name}",
        "ours": round(statistics.median(busy), 1),
        "peer": round(statistics.median(idle), 1),
        "ratio": round(statistics.median(ratios), 2),
        "spread": [round(ratios[0], 2), round(ratios[-1], 2)],
    }


def prepare(home: Path) -> None:
    """A studio with the starter examples and its base model."""
    from studio.work import importing, models, writing
    from studio.work.studio import opened, owner

    studio = opened(home)
    project = writing.project(studio, "default")
    models.choose(studio, owner(), project.id, BASE)
    models.ensure(studio, project.id, lambda done, total: None)
    importing.take(studio, owner(), project.id, importing.starter_examples(studio, project.id))
    studio.database.close()


def moves(page: Any) -> list[float]:
    """Milliseconds of each key press, down the list and up again, at a person's pace."""
    spent = []
    for press in range(PRESSES):
        spent.append(float(page.evaluate(MOVE, ["j" if press < PRESSES // 2 else "k", 30_000])))
        time.sleep(0.1)
    return spent


@contextmanager
def training(home: Path) -> Iterator[None]:
    """A run that goes on while the block lasts, and is thrown away after it."""
    from studio.core.course import course
    from studio.work import training as verbs
    from studio.work import writing
    from studio.work.studio import opened, owner

    studio = opened(home)
    run = verbs.start(studio, owner(), writing.project(studio, "default").id, updates=10_000)
    while course(verbs.run(studio, run.id)).done < 1:
        time.sleep(0.2)
    yield
    verbs.stop(studio, run.id, discard=True)
    while verbs.active(studio):
        time.sleep(0.2)
    studio.database.close()
