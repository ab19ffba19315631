"""A whole training run on the starter: minutes, memory, what was learned, what was forgotten.

The file is that of STUDIO_BENCH_DATA, else the starter examples. The "peer" of each loss is the base model itself.
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


def run() -> dict[str, Any]:
    """One run of the standard preset through the command line, in a home of its own."""
    file = os.environ.get("STUDIO_BENCH_DATA", str(CHECKOUT / "assets" / "starter_examples.jsonl"))
    with tempfile.TemporaryDirectory() as home:
        studio("import", file, "--home", home)
        told = studio("train", "--preset", os.environ.get("STUDIO_BENCH_PRESET", "standard"), "--home", home)
    held_out, general = told["held_out_loss"], told["general_loss"]
    return {
        "rows": [
            row("held-out loss", held_out["best"], held_out["before"]),
            row("general loss", general["best"], general["before"]),
            {"what": "minutes", "ours": round(told["seconds"] / 60, 1), "peer": None, "ratio": None},
            {"what": "peak memory, MB", "ours": told["peak_memory_mb"], "peer": None, "ratio": None},
        ],
        "run": told,
    }


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
