"""How quick the page stays while a model is trained beside it: the time from a key to the next conversation on screen.

The peer is the same page with nothing else going on; the two take turns, round by round. Measured in the browser, from the
key press to the changed heading, which takes a call to the server, a read from the database and the drawing; and from
sending a question to the base model, which is loaded, to the first word of its answer.
"""

from __future__ import annotations

import json
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
FIRST_WORD = """most => new Promise((done, lost) => {
    const began = performance.now(), pane = document.querySelector("#prompt-pane");
    const look = () => {
        const answer = [...pane.querySelectorAll(".talk .said:not(.you)")].pop();
        if (answer && !answer.querySelector(".soft") && answer.textContent.trim() !== "Answer:") done((performance.now() - began) / 1000);
        else if (performance.now() - began > most) lost(new Error("no word came"));
        else requestAnimationFrame(look);
    };
    document.querySelector("#prompt-send").click();
    look();
})"""
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
            chat = browser.new_page()
            asked = questions()
            ready(chat, studio.url, next(asked))
            rounds = [beside(page, chat, asked, home) for _ in range(ROUNDS)]
        finally:
            browser.close()
            studio.end()
    conditions = f"medians of {ROUNDS} rounds of {PRESSES} key presses each, load {os.getloadavg()[0]:.1f}"
    keys, words = ([[each[side][part] for side in (0, 1)] for each in rounds] for part in (0, 1))
    rows = [
        row(
            [[statistics.quantiles(each, n=100)[percentile - 1] for each in pair] for pair in keys],
            f"key to next conversation, ms, p{percentile}",
        )
        for percentile in (50, 95)
    ]
    return {"what": conditions, "rows": [*rows, row(words, "question to the first word of its answer, s")]}


def questions() -> Iterator[str]:
    """Each is another one: what a model has read already, it need not read again."""
    with (Path(__file__).parents[2] / "assets" / "starter_examples.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["messages"][-2]["content"]


def beside(page: Any, chat: Any, asked: Iterator[str], home: Path) -> tuple[tuple[list[float], float], ...]:
    """One round, idle and then with a training beside it: (of each key press, to the first word)."""
    idle = moves(page), first_word(chat, next(asked))
    with training(home):
        return idle, (moves(page), first_word(chat, next(asked)))


def row(rounds: list[list[float]], name: str) -> dict[str, Any]:
    """`rounds`: what was measured idle and beside a training."""
    idle, busy = zip(*rounds, strict=True)
    ratios = sorted(two / one for one, two in zip(idle, busy, strict=True))
    return {
        "what": name,
        "ours": round(statistics.median(busy), 2),
        "peer": round(statistics.median(idle), 2),
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


def ready(chat: Any, url: str, question: str) -> None:
    """The Prompt tab with the model loaded by a first question."""
    from tests.browser.moves import go_to

    chat.goto(url)
    go_to(chat, "Prompt")
    chat.locator("#prompt-send").wait_for()
    first_word(chat, question, 300_000)


def first_word(chat: Any, question: str, most: int = 60_000) -> float:
    """Seconds from sending a question, its examples chosen and read, to the first word on the page."""
    chat.locator("#prompt-message textarea").fill(question)
    spent = float(chat.evaluate(FIRST_WORD, most))
    chat.locator("#prompt-again").click()
    chat.get_by_text("Nothing asked yet.").wait_for()
    return spent


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
    from studio.work import run_history, writing
    from studio.work import training as verbs
    from studio.work.studio import opened, owner

    studio = opened(home)
    run = verbs.start(studio, owner(), writing.project(studio, "default").id, updates=10_000)
    while course(run_history.run(studio, run.id)).done < 1:
        time.sleep(0.2)
    yield
    verbs.stop(studio, run.id, discard=True)
    while verbs.active(studio):
        time.sleep(0.2)
    studio.database.close()
