"""A whole training run on the starter: minutes, memory, what was learned, what was forgotten, and answers to read.

The examples are those of STUDIO_BENCH_DATA, else the starter examples. STUDIO_BENCH_GENERAL may name a file of general
conversations from anywhere else: the loss on its first 24 is measured before and after as well, as a second opinion on
the studio's own gauge. The "peer" of each loss is the base model itself. STUDIO_BENCH_PRESET and STUDIO_BENCH_MIX (general
examples for each own one) may name several with commas between: each of one is run with each of the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
FOREIGN, READ = 24, 10  # general conversations measured, held-out questions answered


def run() -> dict[str, Any]:
    """Runs through the command line, each in a home of its own."""
    presets, mixes = (wanted(name, usual) for name, usual in (("PRESET", "standard"), ("MIX", "1")))
    told = {f"{preset}, {mix} general for each": tried(preset, mix) for preset in presets for mix in mixes}
    rows = [{**row, "what": f"{row['what']}: {kind}"} for kind, each in told.items() for row in each["rows"]]
    return {"rows": rows, "runs": told}


def tried(preset: str, mix: str) -> dict[str, Any]:
    """A run, or that it had no result; why not, it has said itself."""
    try:
        return once(preset, mix)
    except subprocess.CalledProcessError as error:
        return {"rows": [], "failed": str(error)}


def wanted(name: str, usual: str) -> list[str]:
    return os.environ.get(f"STUDIO_BENCH_{name}", usual).split(",")


def once(preset: str, mix: str) -> dict[str, Any]:
    file = os.environ.get("STUDIO_BENCH_DATA", str(CHECKOUT / "assets" / "starter_examples.jsonl"))
    with tempfile.TemporaryDirectory() as home:
        studio("import", file, "--home", home)
        told = studio("train", "--preset", preset, "--general", mix, "--home", home)
        return {
            "rows": [*figures(told), *foreign(Path(home), told)],
            "run": told,
            "answers": answers(home, told),
        }


def figures(told: dict[str, Any]) -> list[dict[str, Any]]:
    held_out, general = told["held_out_loss"], told["general_loss"]
    return [
        row("held-out loss", held_out["best"], held_out["before"]),
        row("general loss", general["best"], general["before"]),
        {"what": "updates", "ours": told["updates"], "peer": None, "ratio": None},
        {"what": "minutes", "ours": round(told["seconds"] / 60, 1), "peer": None, "ratio": None},
        {"what": "peak memory, MB", "ours": told["peak_memory_mb"], "peer": None, "ratio": None},
    ]


def foreign(home: Path, told: dict[str, Any]) -> list[dict[str, Any]]:
    """The loss on general text of a source that is not the studio's, by the base and by the tuned model."""
    file = os.environ.get("STUDIO_BENCH_GENERAL")
    if not file:
        return []
    before, after = foreign_losses(home / "models" / "starter", Path(told["adapter"]), Path(file))
    return [row("general loss, foreign text", after, before)]


def foreign_losses(base: Path, adapter: Path, file: Path) -> tuple[float, float]:
    from peft import PeftModel

    from studio.core.encode import encode
    from studio.engine import batches, kernels, loop, models
    from tests.bench.training import talks

    template = models.ChatTemplate(models.load_tokenizer(base))
    packs = batches.packs([encode(each, template) for each in talks.of(file)[:FOREIGN]])
    tuned = PeftModel.from_pretrained(models.load(base, "bf16", "cpu"), str(adapter))
    after = loop.mean_loss(tuned, kernels.plain_loss, packs)
    with tuned.disable_adapter():
        return loop.mean_loss(tuned, kernels.plain_loss, packs), after


def answers(home: str, told: dict[str, Any]) -> list[dict[str, str]]:
    """Base and tuned answers to held-out questions, for a person to read."""
    held_out = Path(home) / "runs" / told["run"] / "held_out.jsonl"
    questions = [json.loads(line)["messages"][0]["content"] for line in held_out.open(encoding="utf-8")][
        :READ
    ]
    arms = f"base,run:{told['run']}"
    asked = [
        studio("ask", each, "--arms", arms, "--max-tokens", "60", "--home", home)["answers"]
        for each in questions
    ]
    return [
        {"question": question, **{each["arm"]: each["text"] for each in pair}}
        for question, pair in zip(questions, asked, strict=True)
    ]


def row(what: str, ours: float, base: float) -> dict[str, Any]:
    return {"what": what, "ours": round(ours, 4), "peer": round(base, 4), "ratio": round(ours / base, 4)}


def studio(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "studio", *arguments, "--json"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told
