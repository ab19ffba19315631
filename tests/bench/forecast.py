"""What the plan foretells beside what its run then takes: the card's seconds, and the most memory that was held.

Ours is the plan's figure, the peer is the whole run. Of each kind of run the studio first measures four updates, and plans
from that alone; the run then has other updates and evaluations. In the rows "from" one kind "to" another the plan knows
nothing but the run of the other kind; there is none where that does not tell, as of another precision.

Time is the wall's: a machine that is busy with other things distorts it. So a kind is measured and run again, up to three
times, until both were given nearly the same share of a processor; `shares` tells what they were given.

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
from pathlib import Path
from typing import Any

from studio.core.records import Run
from studio.store import runs
from studio.work import importing, models, training, writing
from studio.work.studio import Studio, opened, owner
from tests.bench.training import talks

EXAMPLES = Path(__file__).parents[2] / "assets" / "starter_examples.jsonl"
FILE = Path(os.environ.get("STUDIO_BENCH_DATA", EXAMPLES))
GOALS = {"seconds": 0.25, "memory": 0.15}  # how far a forecast may be off, as a share of what was measured
LONG = (1300, 2300)  # characters of a long conversation: 300 to 600 tokens of the starter
MANY = 60  # long conversations
STEADY = 0.1  # how far the shares of a processor may be apart
ATTEMPTS = 3


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
    Kind("starter", "bf16", "short", {"updates": 40, "evaluations": 4}),
    Kind("starter", "bf16", "long", {"updates": 16, "evaluations": 2}),
    Kind("starter", "nf4", "short", {"updates": 30, "evaluations": 6, "general": 0.0}),
    Kind("starter", "nf4", "long", {"updates": 14, "evaluations": 3, "general": 0.0}),
    Kind("starter", "fp32", "short", {"updates": 24, "evaluations": 2, "batch": 4}),
    Kind("rehearsal", "fp32", "short", {"updates": 150, "evaluations": 6}),
    Kind("rehearsal", "bf16", "long", {"updates": 120, "evaluations": 12}),
)


@dataclass(frozen=True)
class Seen:
    """A kind's project, the run that it took, and what was foretold of it: seconds and bytes."""

    kind: Kind
    project: str
    run: Run
    foretold: tuple[float, int]
    shares: tuple[float, float]  # of a processor that the measurement and the run were given


def run() -> dict[str, Any]:
    """{"rows": [{what, ours (foretold), peer (measured), ratio}], "goals": how far a ratio may be from 1}."""
    with tempfile.TemporaryDirectory() as place:
        return compared(opened(Path(place) / "home"))


def compared(studio: Studio) -> dict[str, Any]:
    words = os.environ.get("STUDIO_BENCH_KINDS", "").split(",")
    wanted = [each for each in KINDS if any(word in each.name for word in words)]
    seen = [steadily(studio, each) for each in wanted]
    return {
        "what": f"{FILE.name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "goals": GOALS,
        "rows": [
            *(row for each in seen for row in rows(each.kind.name, each.foretold, each.run)),
            *(row for one in seen for other in seen if one is not other for row in across(studio, one, other)),
        ],
        "shares": {each.kind.name: each.shares for each in seen},
    }  # fmt: skip


def steadily(studio: Studio, kind: Kind) -> Seen:
    """The attempt in which measurement and run were given the most equal shares of a processor."""
    attempts: list[Seen] = []
    while len(attempts) < ATTEMPTS and not any(unequal(each) < STEADY for each in attempts):
        attempts.append(once(studio, kind))
    return min(attempts, key=unequal)


def unequal(seen: Seen) -> float:
    return abs(seen.shares[0] / seen.shares[1] - 1)


def once(studio: Studio, kind: Kind) -> Seen:
    project = prepared(studio, kind)
    begun = spent()
    measured = over(studio, training.measure(studio, owner(), project, **kind.changes))
    between = spent()
    foretold = planned(studio, project, kind, measured)
    run = over(studio, training.start(studio, owner(), project, name=kind.name, **kind.changes))
    return Seen(kind, project, run, foretold, (share(begun, between), share(between, spent())))


def planned(studio: Studio, project: str, kind: Kind, by: Run) -> tuple[float, int]:
    """What the plan foretells where it knows but one run, or zeros."""
    with nothing_known_but(studio, by):
        plan = training.plan(studio, project, **kind.changes)
    return plan.seconds or 0.0, plan.memory or 0


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


def across(studio: Studio, one: Seen, other: Seen) -> list[dict[str, Any]]:
    foretold = planned(studio, other.project, other.kind, one.run)
    return rows(f"from {one.kind.name} to {other.kind.name}", foretold, other.run) if foretold[0] else []


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
        run = training.run(studio, run.id)
    studio.jobs.children[run.id].join()
    assert run.state in ("finished", "discarded"), (run.folder / "worker.log").read_text("utf-8")
    return run


def spent() -> tuple[float, float]:
    """Seconds now, and those of a processor that all workers so far have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), used.ru_utime + used.ru_stime


def share(begun: tuple[float, float], ended: tuple[float, float]) -> float:
    return round((ended[1] - begun[1]) / (ended[0] - begun[0]), 2)


def rows(what: str, foretold: tuple[float, int], run: Run) -> list[dict[str, Any]]:
    card: dict[str, Any] = run.card or {}
    return [
        row(f"seconds, {what}", foretold[0], card["seconds"]),
        row(f"memory in MB, {what}", foretold[1] / 2**20, card["peak_memory_mb"]),
    ]


def row(what: str, ours: float, peer: float) -> dict[str, Any]:
    return {"what": what, "ours": round(ours, 1), "peer": round(peer, 1), "ratio": round(ours / peer, 2)}
