"""Bringing in 10,000, 100,000 and, by flag, 1,000,000 conversations: rows a second, and the memory that it takes.

Each size is taken by a fresh process, into an empty studio, from JSON Lines, from one JSON list and from CSV. Its memory is
the most that it had resident less what it had when the studio stood, before the file was opened. The peer is the reading
of the same file by the standard library alone, row by row, with nothing judged, compared or stored. Set
STUDIO_BENCH_ROWS="10000 1000000" for other sizes.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
SIZES = "10000 100000"
KINDS = ("jsonl", "json", "csv")


def run() -> dict[str, Any]:
    sizes = [int(each) for each in os.environ.get("STUDIO_BENCH_ROWS", SIZES).split()]
    rows = []
    for size in sizes:
        for kind in KINDS:
            with tempfile.TemporaryDirectory() as folder:
                path = written(Path(folder), size, kind)
                rows.append(row(size, kind, path, measured(path, Path(folder) / "home")))
    return {"what": f"one process each, load {os.getloadavg()[0]:.1f}", "rows": rows}


def row(size: int, kind: str, path: Path, seen: dict[str, float]) -> dict[str, Any]:
    peer = size / plainly(path, kind)
    return {
        "what": f"{size:,} rows of {kind} ({path.stat().st_size / 1e6:.0f} MB), rows/s taken",
        "ours": round(size / seen["taking"]),
        "peer": round(peer),
        "ratio": round(size / seen["taking"] / peer, 2),
        "looked at, rows/s": round(size / seen["looking"]),
        "memory, MB": round(seen["memory"]),
        "looked at and taken, rows a second of CPU": round(size / seen["cpu"]),
    }


def conversations(size: int) -> Iterator[tuple[str, str]]:
    """Questions and answers of the lengths that people write, none like another."""
    words = (
        "parcel",
        "harbour",
        "lamp",
        "refund",
        "Tuesday",
        "ferry",
        "über",
        "naïve",
        "keeps",
        "the",
        "is",
        "of",
    )
    for number in range(size):
        said = " ".join(words[(number * 7 + place * place) % len(words)] for place in range(20 + number % 60))
        yield f"Question {number}: where is {said[: 40 + number % 80]}?", f"Answer {number}. {said}."


def written(folder: Path, size: int, kind: str) -> Path:
    path = folder / f"rows.{kind}"
    with path.open("w", encoding="utf-8", newline="") as file:
        if kind == "csv":
            csv.writer(file).writerows([("Question", "Reply"), *conversations(size)])
            return path
        for number, (question, answer) in enumerate(conversations(size)):
            turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            ahead = "" if kind == "jsonl" else "," if number else "["
            file.write(ahead + json.dumps({"messages": turns}, ensure_ascii=False) + "\n")
        file.write("]" if kind == "json" else "")
    return path


def plainly(path: Path, kind: str) -> float:
    """Seconds in which the standard library reads the file."""
    begun = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        if kind == "csv":
            assert sum(1 for _ in csv.reader(file))
        elif kind == "json":
            assert json.load(file)
        else:
            assert sum(len(json.loads(line)) for line in file)
    return time.perf_counter() - begun


def measured(path: Path, home: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.importing", str(path), str(home)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def child(path: Path, home: Path) -> dict[str, float]:
    """Look at the file and take it: seconds of each, and the memory (MB) above what the studio itself has."""
    from studio.store.database import Database
    from studio.store.home import open_home
    from studio.work import importing, writing
    from studio.work.studio import Studio, owner

    at = open_home(home)
    studio = Studio(at, Database.open(at.database), engine=None, jobs=None)  # type: ignore[arg-type]
    project = writing.project(studio, "bench").id
    before, begun, worked = peak(), time.perf_counter(), time.process_time()
    found = importing.read_file(studio, project, path)
    looked = time.perf_counter()
    taken = importing.take(studio, owner(), project, found)
    ended, worked = time.perf_counter(), time.process_time() - worked
    assert taken.imported == found.fine == writing.count(studio, project), (taken, found)
    return {"looking": looked - begun, "taking": ended - looked, "memory": peak() - before, "cpu": worked}


def peak() -> float:
    """The most memory (MB) that this process had. Linux hands a parent's peak on in `ru_maxrss`, so it is asked otherwise."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


if __name__ == "__main__":
    print(json.dumps(child(Path(sys.argv[1]), Path(sys.argv[2]))))
