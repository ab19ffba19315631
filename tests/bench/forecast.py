"""What the plan foretells beside what its run then takes: the card's seconds, and the most memory that was held.

Ours is the plan's figure, the peer is the whole run. Of each kind of run the studio first measures four updates, as the
page does where nothing is known, and plans from that alone: the first rows. Then it makes a run of half as many updates and
plans from that alone: the rows "with experience". The whole run comes last.

Time is the wall's: a machine that is busy with other things distorts it. So a kind is done again where the three were not
given nearly the same share of a processor; `shares` tells what they were given.

STUDIO_BENCH_DATA      a file of conversations, in any shape the studio imports; else the studio's own examples
STUDIO_BENCH_KINDS     words of which a kind's name must contain one, with commas between; else all
"""

from __future__ import annotations

import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from studio.core.records import Run
from studio.store import runs
from studio.work import importing, models, planning, run_history, training, writing
from studio.work.studio import Studio, opened, owner
from tests.bench.training import talks

EXAMPLES = Path(__file__).parents[2] / "assets" / "starter_examples.jsonl"
FILE = Path(os.environ.get("STUDIO_BENCH_DATA", EXAMPLES))
GOALS = {"seconds": 0.25, "memory": 0.15}  # how far a forecast may be off, as a share of what was measured
LONG = (1300, 2300)  # characters of a long conversation: 300 to 600 tokens of the starter
MANY = 60  # long conversations
STEADY = 0.1  # how far the shares of a processor may be apart
ATTEMPTS = 2


@dataclass(frozen=True)
class Kind:
    """A model, a precision and a length of conversations, with the settings of its run."""

    base: str
    precision: str
    length: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.base} {self.precision} {self.length}"

    @property
    def changes(self) -> dict[str, Any]:
        """All settings of the run, which is not to end before its last update."""
        return {"quantization": self.precision, "patience": 0, "forget": 0.0, **self.settings}


KINDS = (
    Kind("starter", "bf16", "short", {"updates": 32, "evaluations": 4}),
    Kind("starter", "bf16", "long", {"updates": 12, "evaluations": 2}),
    Kind("starter", "nf4", "short", {"updates": 24, "evaluations": 4, "general": 0.0}),
    Kind("starter", "nf4", "long", {"updates": 10, "evaluations": 2, "general": 0.0}),
    Kind("starter", "fp32", "short", {"updates": 20, "evaluations": 2, "batch": 4}),
    Kind("rehearsal", "fp32", "short", {"updates": 150, "evaluations": 6}),
    Kind("rehearsal", "bf16", "long", {"updates": 120, "evaluations": 12}),
)


@dataclass(frozen=True)
class Seen:
    """The run that a kind took, and what was foretold of it, in seconds and bytes: by a measurement, by a shorter run."""

    kind: Kind
    run: Run
    first: tuple[float, int]
    experienced: tuple[float, int]
    shares: tuple[float, ...]  # of a processor, that measurement, shorter run and run were given


def run() -> dict[str, Any]:
    """{"rows": [{what, ours (foretold), peer (measured), ratio}], "goals": how far a ratio may be from 1}."""
    with tempfile.TemporaryDirectory() as place:
        return compared(opened(Path(place) / "home"))


def compared(studio: Studio) -> dict[str, Any]:
    words = os.environ.get("STUDIO_BENCH_KINDS", "").split(",")
    seen = [steadily(studio, each) for each in KINDS if any(word in each.name for word in words)]
    return {
        "what": f"{FILE.name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "goals": GOALS,
        "rows": [row for each in seen for row in rows(each)],
        "shares": {each.kind.name: each.shares for each in seen},
    }


def steadily(studio: Studio, kind: Kind) -> Seen:
    """The attempt in which measurement and runs were given the most equal shares of a processor."""
    attempts: list[Seen] = []
    while len(attempts) < ATTEMPTS and not any(unequal(each) < STEADY for each in attempts):
        attempts.append(once(studio, kind))
    return min(attempts, key=unequal)


def unequal(seen: Seen) -> float:
    return max(seen.shares) / min(seen.shares) - 1


def once(studio: Studio, kind: Kind) -> Seen:
    project, shorter = prepared(studio, kind), {**kind.changes, "updates": kind.changes["updates"] // 2}
    times = [spent()]
    measured = over(studio, training.measure(studio, owner(), project, **kind.changes))
    times.append(spent())
    earlier = over(studio, training.start(studio, owner(), project, name=f"Half of {kind.name}", **shorter))
    times.append(spent())
    first, experienced = (planned(studio, project, kind, each) for each in (measured, earlier))
    run = over(studio, training.start(studio, owner(), project, name=kind.name, **kind.changes))
    times.append(spent())
    return Seen(kind, run, first, experienced, tuple(share(*each) for each in pairwise(times)))


def planned(studio: Studio, project: str, kind: Kind, by: Run) -> tuple[float, int]:
    """What the plan foretells where it knows but one run."""
    with nothing_known_but(studio, by):
        plan = planning.plan(studio, project, **kind.changes)
    assert plan.seconds
    assert plan.memory
    return plan.seconds, plan.memory


@contextmanager
def nothing_known_but(studio: Studio, run: Run) -> Iterator[None]:
    """Folders whose names begin with a dot are no runs."""
    hidden = [each for each in runs.folders(studio.home) if each != run.folder]
    for each in hidden:
        each.rename(each.with_name(f".{each.name}"))
    try:
        yield
    finally:
        for each in hidden:
            each.with_name(f".{each.name}").rename(each)


def prepared(studio: Studio, kind: Kind) -> str:
    """The project on the kind's base with conversations of its length; answers its id."""
    name = f"{kind.base} {kind.length}"
    known = name in [each.name for each in writing.projects(studio)]
    project = writing.project(studio, name).id
    if not known:
        models.choose(studio, owner(), project, kind.base)
        models.ensure(studio, project, lambda done, total: None)
        path = studio.home.temporary / "talks.jsonl"
        lines = [json.dumps({"messages": each}) + "\n" for each in conversations(kind.length)]
        path.write_text("".join(lines), "utf-8")
        importing.take(studio, owner(), project, importing.read_file(studio, project, path))
    return project


def conversations(length: str) -> list[list[dict[str, str]]]:
    short = [
        [{"role": each.role, "content": each.content} for each in talk if each.role != "system"]
        for talk in talks.of(FILE)
    ]
    return short if length == "short" else joined(short)


def joined(short: list[list[dict[str, str]]]) -> list[list[dict[str, str]]]:
    """Conversations of several short ones each, one after the other."""
    chance, made = random.Random(0), []
    for _ in range(MANY):
        wanted, talk = chance.randint(*LONG), list[dict[str, str]]()
        while sum(len(each["content"]) for each in talk) < wanted:
            talk = [*talk, *chance.choice(short)]
        made.append(talk)
    return made


def over(studio: Studio, run: Run) -> Run:
    """The run once it has ended and its process with it. Raises AssertionError, with its log, where it went wrong."""
    while runs.is_active(run):
        time.sleep(0.2)
        run = run_history.run(studio, run.id)
    studio.jobs.children[run.id].join()
    assert run.state in ("finished", "discarded"), (run.folder / "worker.log").read_text("utf-8")
    return run


def spent() -> tuple[float, float]:
    """Seconds now, and those of a processor that all workers so far have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), used.ru_utime + used.ru_stime


def share(begun: tuple[float, float], ended: tuple[float, float]) -> float:
    return round((ended[1] - begun[1]) / (ended[0] - begun[0]), 2)


def rows(seen: Seen) -> Iterator[dict[str, Any]]:
    card: dict[str, Any] = seen.run.card or {}
    for known, (seconds, memory) in (("", seen.first), (", with experience", seen.experienced)):
        yield row(f"seconds, {seen.kind.name}{known}", seconds, card["seconds"])
        yield row(f"memory in MB, {seen.kind.name}{known}", memory / 2**20, card["peak_memory_mb"])


def row(what: str, ours: float, peer: float) -> dict[str, Any]:
    return {"what": what, "ours": round(ours, 1), "peer": round(peer, 1), "ratio": round(ours / peer, 2)}
