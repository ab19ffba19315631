"""How quick the store is with many conversations: importing them, a page of the list, a search, a save, and a search drawn.

The peer is what a plain table does: LIKE over the folded text, counting, and OFFSET, on the same rows in the same run.
STUDIO_BENCH_CONVERSATIONS says how many there are (100,000); STUDIO_BENCH_PAINT=0 leaves the browser out.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from studio.core.records import Change, Person, Place, Wanted
from studio.core.text import searchable
from studio.store.home import assets
from studio.work import finding, importing, writing
from studio.work.studio import Studio, opened, owner

COUNT = int(os.environ.get("STUDIO_BENCH_CONVERSATIONS", "100000"))
PAINT = os.environ.get("STUDIO_BENCH_PAINT", "1") == "1"
HOME = os.environ.get("STUDIO_BENCH_HOME")  # where the filled studio is kept, to be measured again
FILE = 100_000  # rows of one imported file
ROUNDS = 12  # of each question to the store
PEER_ROUNDS = 3
PEOPLE = ("Ada", "Ben", "Chiara", "Dmitri")
GOALS = {"p95": 60.0 if COUNT <= 100_000 else 150.0, "rows/s": 3000.0, "paint": 400.0, "save": 150.0}


def run() -> dict[str, Any]:
    """{"rows": [{what, ours, peer, ratio, goal, met}], "kinds": ms of each question, "what": the conditions}."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(HOME or scratch) / "home"
        there = home.exists()
        studio = opened(home)
        project = writing.project(studio, "default").id
        rate = None if there else filled(studio, project, Path(scratch))
        rows = [] if rate is None else [row("import, rows/s", rate, None, GOALS["rows/s"], least=True)]
        kinds = measured(studio, project, Path(scratch) / "peer.db")
        rows += listed(kinds)
        rows.append(row("save acknowledged, ms, p95", quantile(saves(studio, project)), None, GOALS["save"]))
        size = studio.home.database.stat().st_size / 2**30
        studio.database.close()
        if PAINT:
            rows.append(row("key to rows drawn, ms, p95", quantile(painted(home)), None, GOALS["paint"]))
    conditions = f"{COUNT:,} conversations, database {size:.2f} GB, {ROUNDS} rounds of {len(kinds)} questions, load {os.getloadavg()[0]:.1f}"
    return {"what": conditions, "rows": rows, "kinds": kinds}


def row(what: str, ours: float, peer: float | None, goal: float, least: bool = False) -> dict[str, Any]:
    return {
        "what": what, "ours": round(ours, 1), "peer": peer and round(peer, 1), "ratio": peer and round(peer / ours, 1),
        "goal": goal, "met": ours >= goal if least else ours <= goal,
    }  # fmt: skip


def quantile(times: list[float], percent: int = 95) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def filled(studio: Studio, project: str, scratch: Path) -> float:
    """Fill the project by the studio's own import; returns rows a second. Then give some rows tags, people and statuses."""
    spent, source = 0.0, conversations()
    for start in range(0, COUNT, FILE):
        path = scratch / "rows.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(next(source) for _ in range(min(FILE, COUNT - start)))
        began = time.perf_counter()
        importing.take(studio, owner(), project, importing.read_file(studio, project, path))
        spent += time.perf_counter() - began
        path.unlink()
    with studio.database.writing() as db:
        for every, column, value in (
            (20, "status", "approved"), (50, "status", "draft"), (30, "tags", '["refund"]'), (1009, "tags", '["rare", "refund"]'),
            (40, "updated_by", "Ben"), (2003, "updated_by", "Dmitri"), (5003, "deleted", True),
        ):  # fmt: skip
            db.exec_driver_sql(f"UPDATE conversations SET {column} = ? WHERE number % {every} = 0", (value,))
    return COUNT / spent


def conversations() -> Iterator[str]:
    """Lines of JSONL, each another conversation, of sentences that people wrote, with numbers and rare words in between."""
    draw = random.Random(7)
    turns = [
        json.loads(line)["messages"]
        for name in ("general", "starter_examples")
        for line in (assets() / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]
    said = {
        role: [part for each in turns for turn in each if turn["role"] == role for part in turn["content"].split(". ")]
        for role in ("user", "assistant")
    }  # fmt: skip
    for number in range(10**9):
        messages = []
        for turn in range(draw.choice((1, 1, 1, 2, 3))):
            question = f"{draw.choice(said['user'])} Order {draw.randrange(10**6)}."
            answer = ". ".join(draw.choices(said["assistant"], k=draw.randint(1, 6)))
            messages += [("user", question), ("assistant", f"{answer} Ref{number:x}.{turn}")]
        yield json.dumps({"messages": [{"role": role, "content": text} for role, text in messages]}) + "\n"


def questions(project: str) -> dict[str, Wanted]:
    """One of each kind that a person asks."""
    plain = Wanted(project)
    searches = {
        "common word": "the", "two common words": "you can", "common beginning": "wat", "rare word": "ref1a2b",
        "phrase": '"the same"', "no match": "zebrafinch", "number": "148", "one letter": "a", "four letters": "cont",
    }  # fmt: skip
    filters: dict[str, dict[str, Any]] = {
        "status": {"status": "approved"}, "tag": {"tag": "refund"}, "rare tag": {"tag": "rare"}, "person": {"person": "Dmitri"},
        "length": {"length": "long"}, "finding": {"finding": "any"}, "bin": {"binned": True},
        "word and tag": {"search": "water", "tag": "rare"}, "word and status": {"search": "the", "status": "draft"},
    }  # fmt: skip
    orders = ("oldest", "changed", "longest", "shortest")
    return {
        "first page": plain,
        **{name: replace(plain, search=search) for name, search in searches.items()},
        **{name: replace(plain, **given) for name, given in filters.items()},
        **{f"by {sort}": replace(plain, sort=sort) for sort in orders},  # type: ignore[arg-type]
        **{f"common word by {sort}": replace(plain, search="water", sort=sort) for sort in orders},  # type: ignore[arg-type]
        **{f"tag by {sort}": replace(plain, tag="rare", sort=sort) for sort in orders},  # type: ignore[arg-type]
    }


def measured(studio: Studio, project: str, peer: Path) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind of question, ours and the peer's."""
    plain(studio, project, peer)
    old = sqlite3.connect(peer)
    kinds = {}
    for name, wanted in questions(project).items():
        began = time.process_time()
        mine = timed(lambda wanted=wanted: finding.found(studio, wanted), ROUNDS)  # type: ignore[misc]
        spent = (time.process_time() - began) / ROUNDS * 1000
        theirs = timed(lambda wanted=wanted: like(old, wanted), PEER_ROUNDS)  # type: ignore[misc]
        kinds[name] = {**told(mine, theirs), "cpu": round(spent, 1)}
    for name, wanted in {
        "deep page": Wanted(project),
        "deep page of a word": Wanted(project, search="the"),
    }.items():
        at = json.dumps([COUNT // 2, COUNT // 2])
        mine = timed(
            lambda wanted=wanted, at=at: finding.found(studio, wanted, Place(at, "after", COUNT // 2)), ROUNDS
        )  # type: ignore[misc]
        kinds[name] = told(mine, timed(lambda wanted=wanted: like(old, wanted, COUNT // 4), PEER_ROUNDS))  # type: ignore[misc]
    for name, ask in {"tags": finding.tags, "people": finding.people}.items():
        kinds[name] = told(timed(lambda ask=ask: ask(studio, project), ROUNDS), [])  # type: ignore[misc]
    old.close()
    return kinds


def told(mine: list[float], theirs: list[float]) -> dict[str, Any]:
    """`times` are of the clock; what other programs do at the same time is in them."""
    return {"times": mine, "peers": theirs, "p50": round(statistics.median(mine), 1), "most": round(max(mine), 1),
            "peer": round(statistics.median(theirs), 1) if theirs else None}  # fmt: skip


def listed(kinds: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """All questions as one mix; the single times are taken out of `kinds`."""
    mine = [each for kind in kinds.values() for each in kind.pop("times")]
    theirs = [each for kind in kinds.values() for each in kind.pop("peers")]
    return [
        row(f"list page and search, ms, p{at}", quantile(mine, at), quantile(theirs, at), GOALS["p95"])
        for at in (50, 95)
    ]


def timed(does: Callable[[], object], rounds: int) -> list[float]:
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        does()
        spent.append((time.perf_counter() - began) * 1000)
    return spent


def plain(studio: Studio, project: str, path: Path) -> None:
    """The peer's table: the same rows with their folded text."""
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE rows (number INTEGER, status TEXT, tags TEXT, person TEXT, size INTEGER, deleted INTEGER, changed TEXT, question TEXT, answer TEXT, searchable TEXT)")  # fmt: skip
    with studio.database.reading() as db:
        found = db.exec_driver_sql(
            "SELECT number, status, tags, updated_by, size, deleted, updated_at, question, answer, messages FROM conversations"
        )
        old.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (*each[:-1], searchable("\n".join(turn["content"] for turn in json.loads(each[-1]))))
                for each in found
            ),
        )
    old.execute("CREATE INDEX listed ON rows (deleted, number)")
    old.execute("CREATE INDEX by_status ON rows (deleted, status, number)")
    old.commit()
    old.close()


def like(old: sqlite3.Connection, wanted: Wanted, skip: int = 0) -> None:
    """What the list did before it had an index of words."""
    given: dict[str, Any] = {"deleted": wanted.binned, "skip": skip}
    where = "deleted = :deleted"
    for column, value in (("status", wanted.status), ("person", wanted.person)):
        if value:
            where += f" AND {column} = :{column}"
            given[column] = value
    for column, value in (("tags", f'"{wanted.tag}"' if wanted.tag else ""), ("searchable", searchable(wanted.search).strip('"'))):  # fmt: skip
        if value:
            where += f" AND {column} LIKE '%' || :{column} || '%'"
            given[column] = value
    where += " AND size > 2000" if wanted.length else ""
    order = {"newest": "number DESC", "oldest": "number", "changed": "changed DESC", "longest": "size DESC", "shortest": "size"}[wanted.sort]  # fmt: skip
    old.execute(f"SELECT count(*) FROM rows WHERE {where}", given).fetchone()
    old.execute(f"SELECT number, question, answer FROM rows WHERE {where} ORDER BY {order} LIMIT 50 OFFSET :skip", given).fetchall()  # fmt: skip


def saves(studio: Studio, project: str, count: int = 200) -> list[float]:
    """Milliseconds of one person's saves, each one a change of another conversation that is there."""
    draw, spent = random.Random(3), []
    for _ in range(count):
        now = writing.read(studio, draw.randint(1, COUNT), project)
        text = replace(now.messages[-1], content=now.messages[-1].content + " Changed.")
        change = Change(uuid4().hex, project, now.id, now.version, (*now.messages[:-1], text), now.status, now.tags)  # fmt: skip
        spent += timed(lambda change=change: writing.save(studio, Person("Ada"), change), 1)  # type: ignore[misc]
    return spent


DRAWN = """([text, most]) => new Promise((done, lost) => {
    const field = document.querySelector("#list .search"), rows = document.querySelector("#list .rows"), began = performance.now();
    const seen = new MutationObserver(() => { seen.disconnect(); requestAnimationFrame(() => setTimeout(() => done(performance.now() - began))); });
    seen.observe(rows, { childList: true });
    setTimeout(() => lost(new Error("nothing changed")), most);
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
})"""


def painted(home: Path) -> list[float]:
    """Milliseconds from a key in the search field to the rows on the screen, the wait for the next key within."""
    import psutil
    from playwright.sync_api import sync_playwright

    from tests.bench.load import settled
    from tests.browser.chromium import chromium_path
    from tests.browser.served import Served

    with sync_playwright() as playwright:
        studio = Served(home).start()
        browser = playwright.chromium.launch(executable_path=chromium_path())
        try:
            page = browser.new_page()
            page.goto(studio.url)
            page.locator("#list .rows button").nth(40).wait_for()
            settled(psutil.Process(studio.process.pid))
            spent = []
            for text in [
                "wat",
                "water",
                "the",
                "order 12",
                '"the same"',
                "ref1a2b",
                "148",
                "cont",
                "",
                "you can",
            ] * 5:
                spent.append(float(page.evaluate(DRAWN, [text, 30_000])))
                time.sleep(0.2)
        finally:
            browser.close()
            studio.end()
    return spent
