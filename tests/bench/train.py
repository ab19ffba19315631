"""The studio's training beside its peers, in interleaved rounds at equal work; each side is a process of its own.

Equal work: the same conversations in the same order, the same updates, learned tokens and first adapter. The first update
warms up and is not counted. Against TRL's grouping by length both sides take the longest first. Its packing puts
conversations into other steps, so there only the sum is the same.

STUDIO_BENCH_DATA      a file of conversations, in any shape the studio imports; else the studio's own examples
STUDIO_BENCH_ROUNDS    how often each side runs (5)
STUDIO_BENCH_UPDATES   updates of eight conversations (3)
STUDIO_BENCH_PEERS     names of peers with commas between; else all
STUDIO_BENCH_PARTS     of "gradients,peers,limit,growth", which (all)
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from studio.engine import device, starter
from studio.store import environment
from tests.bench.training import environments, gradients, growth, made, talks, work
from tests.bench.training.marks import RESULT, counted

CHECKOUT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "training"
# What is compared: a peer, whose environment it has, and the work of both: the model, the studio's precision, the order.
PEERS = {
    "trl": ("trl", "starter", "bf16", "shuffled"),
    "trl-packed": ("trl", "starter", "bf16", "shuffled"),
    "trl-grouped": ("trl", "starter", "bf16", "grouped"),
    "transformers": ("trl", "starter", "bf16", "shuffled"),
    "llamafactory": ("llamafactory", "starter", "bf16", "shuffled"),
    "four-bit": ("trl", "starter", "nf4", "shuffled"),
    "trl-neutral": ("trl", "olmo2", "bf16", "shuffled"),
}
TITLES = {
    "trl": "TRL SFTTrainer, defaults, answers only",
    "trl-packed": "TRL, bf16 weights, packing, no checkpointing",
    "trl-grouped": "TRL, bf16 weights, grouped by length, no checkpointing",
    "transformers": "transformers Trainer, bf16 weights",
    "llamafactory": "LLaMA-Factory, bf16",
    "four-bit": "PEFT + bitsandbytes, NF4",
    "trl-neutral": "TRL defaults, on an OLMo2 (neutral form)",
}
Results = dict[str, list[dict[str, Any]]]


def run() -> dict[str, Any]:
    """All parts that are asked for. `rows` hold tokens a second of each side; the ratio is the median over the rounds."""
    parts = setting("PARTS", "gradients,peers,limit,growth").split(",")
    base = starter.ensure(user_cache_path("sft-studio-tests") / "models", lambda done, total: None)
    told: dict[str, Any] = {"rows": [], "conditions": conditions()}
    if "gradients" in parts:
        told["rows"].append(gradients.row())
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(Path(temporary), base, conversations())
        if "peers" in parts:
            results, told["failed"] = bench.rounds(int(setting("ROUNDS", "5")), wanted_peers())
            there = [each for each in wanted_peers() if each not in told["failed"]]
            told["rows"] += [row for name in there for row in compared(name, results)]
            told["sides"] = results
        if "limit" in parts:
            told["limit"] = limit = bench.limit()
            if sides := told.get("sides", {}).get(studio_side(PEERS["trl"][1:])):
                told["limit"] |= reached(limit, sides)
        if "growth" in parts:
            told["growth"] = growth.table(bench)
    told["conditions"]["load_after"] = os.getloadavg()
    return told


def setting(name: str, default: str) -> str:
    return os.environ.get(f"STUDIO_BENCH_{name}", default)


def wanted_peers() -> list[str]:
    return setting("PEERS", ",".join(PEERS)).split(",")


def conversations() -> list[list[dict[str, str]]]:
    if file := setting("DATA", ""):
        return [
            [{"role": turn.role, "content": turn.content} for turn in talk] for talk in talks.of(Path(file))
        ]
    paths = (CHECKOUT / "assets" / name for name in ("general.jsonl", "starter_examples.jsonl"))
    return [json.loads(line)["messages"] for path in paths for line in path.open(encoding="utf-8")]


class Bench:
    """One benchmark's folder, data and models."""

    def __init__(self, folder: Path, base: Path, talks: list[list[dict[str, str]]]) -> None:
        self.folder, self.talks = folder, talks
        self.models = {"starter": base}
        self.threads = device.threads_wanted()
        self.count = 0

    def model(self, kind: str) -> Path:
        """The starter, or a random model of another kind with the starter's tokenizer."""
        if kind not in self.models:
            self.models[kind] = made.model(kind, self.folder / kind, self.models["starter"])
        return self.models[kind]

    def rounds(self, count: int, peers: list[str]) -> tuple[Results, dict[str, str]]:
        """Each side once a round, the studio's first: it also writes down the adapter that all start from.

        A peer that fails is left out from then on; why is in the second of the two that are returned.
        """
        results: Results = {}
        failed: dict[str, str] = {}
        updates = int(setting("UPDATES", "3"))
        for _ in range(count):
            for common in dict.fromkeys(PEERS[each][1:] for each in peers):
                kind, precision, order = common
                place = self.work(kind, self.talks, updates, order)
                results.setdefault(studio_side(common), []).append(self.ours(place, precision))
                for each in peers:
                    if PEERS[each][1:] != common or each in failed:
                        continue
                    try:
                        results.setdefault(each, []).append(self.peer(each, place, precision))
                    except RuntimeError as error:
                        failed[each] = str(error)
        return results, failed

    def work(self, kind: str, talks: list[work.Talk], updates: int, order: str = "shuffled") -> Path:
        self.count += 1
        return work.write(self.folder / f"work-{self.count}", self.model(kind), talks, updates, order)

    def ours(self, place: Path, precision: str) -> dict[str, Any]:
        """As the studio starts its worker: the same environment, the same code."""
        command = [sys.executable, "-m", "tests.bench.training.ours", str(place), precision]
        return told(command, environment.for_child()) | {"learned_share": learned_share(place)}

    def peer(self, name: str, place: Path, precision: str) -> dict[str, Any]:
        kind = name.removesuffix("-neutral")
        python = environments.python(PEERS[name][0])
        command = [str(python), str(HERE / "peer.py"), kind, str(place), str(place / f"initial-{precision}")]
        # As many threads as the studio takes, waiting as its own do: spinning ones would only slow the peers down.
        offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
        return told(command, environment.for_child(OMP_NUM_THREADS=str(self.threads), **offline))

    def limit(self) -> dict[str, Any]:
        command = [sys.executable, "-m", "tests.bench.training.limit", str(self.model("starter"))]
        return told(command, environment.for_child())


def studio_side(common: tuple[str, ...]) -> str:
    return f"ours {' '.join(common)}"


def learned_share(place: Path) -> float:
    rows = [json.loads(line) for line in (place / "encoded.jsonl").open(encoding="utf-8")]
    tokens, learned = counted(rows, len(rows))
    return learned[0] / tokens[0]


def told(command: list[str], environ: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True)
    found = [line for line in done.stdout.splitlines() if line.startswith(RESULT)]
    if done.returncode or not found:
        raise RuntimeError(f"{' '.join(command[1:4])} failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(found[-1].removeprefix(RESULT))
    return result | {"load": os.getloadavg()[0]}


def compared(name: str, results: Results) -> list[dict[str, Any]]:
    """Tokens a wall second and a processor second, and peak memory, of the studio beside one peer."""
    mine, theirs = results[studio_side(PEERS[name][1:])], results[name]
    equal = max(abs(mean(one) - mean(two)) for one, two in zip(mine, theirs, strict=True))
    rows = [
        figure(f"tokens/s against {TITLES[name]}", rates(mine, "wall"), rates(theirs, "wall")),
        figure(f"tokens/CPU s against {TITLES[name]}", rates(mine, "cpu"), rates(theirs, "cpu")),
        figure(f"peak MB against {TITLES[name]}", *([each["peak_mb"] for each in side] for side in (mine, theirs))),
    ]  # fmt: skip
    return [{**row, "mean_loss_apart": round(equal, 4)} for row in rows]


def reached(limit: dict[str, Any], ours: list[dict[str, Any]]) -> dict[str, Any]:
    """The products that a step needs a second, if every token is counted, and their share of what the machine can do.

    The beginning that conversations share is counted for each, as the peers compute it, though the studio does so once.
    """
    learned = statistics.median(each["learned_share"] for each in ours)
    each_token = limit["gflop_per_token"] + learned * limit["head_gflop_per_learned_token"]
    rate = statistics.median(rates(ours, "wall")) * each_token
    return {"reached_gflops": round(rate, 1), "share": round(rate / limit["limit_gflops"], 2)}


def mean(side: dict[str, Any]) -> float:
    return statistics.mean(side["losses"])


def rates(side: list[dict[str, Any]], seconds: str) -> list[float]:
    return [each["tokens"] / each[seconds] for each in side]


def figure(what: str, ours: list[float], peer: list[float]) -> dict[str, Any]:
    ratios = [one / two for one, two in zip(ours, peer, strict=True)]
    return {
        "what": what,
        "ours": round(statistics.median(ours), 1),
        "peer": round(statistics.median(peer), 1),
        "ratio": round(statistics.median(ratios), 2),
        "spread": [round(min(ratios), 2), round(max(ratios), 2)],
    }


def conditions() -> dict[str, Any]:
    names = ("torch", "transformers", "peft", "bitsandbytes")
    return {
        "machine": f"{platform.system()} {platform.machine()}, {device.cores()} cores",
        "threads": device.threads_wanted(),
        "load_before": os.getloadavg(),
        "versions": {name: version(name) for name in names},
        "rounds": setting("ROUNDS", "5"),
        "updates_counted": int(setting("UPDATES", "3")) - 1,
    }
