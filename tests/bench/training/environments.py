"""Virtual environments for the peers, under the user's cache folder; the studio's own is never touched."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from platformdirs import user_cache_path

CHECKOUT = Path(__file__).parents[3]
PACKAGES = {
    "trl": ["torch", "transformers", "peft", "bitsandbytes", "accelerate", "trl", "datasets"],
    "llamafactory": ["torch", "llamafactory"],
}
# Made for another build of torch than the CPU's, they break the import of transformers; text needs neither.
UNWANTED = {"llamafactory": ["torchvision", "torchaudio"]}


def python(name: str) -> Path:
    """The Python of a peer's environment, made on first use; what pip said lies beside it."""
    folder = user_cache_path("sft-studio-bench") / name
    path = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    made = folder / "made"
    if made.is_file() and made.read_text("utf-8") == " ".join(PACKAGES[name]):
        return path
    print(f"Installing {name} for the benchmark into {folder}.", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(constrained(name)), "utf-8")
    with (folder / "install.log").open("w", encoding="utf-8") as log:
        install = [str(path), "-m", "pip", "install", "-c", str(constraints), *PACKAGES[name]]
        subprocess.run(install, stdout=log, stderr=log, check=True)
        if name in UNWANTED:
            remove = [str(path), "-m", "pip", "uninstall", "-y", *UNWANTED[name]]
            subprocess.run(remove, stdout=log, stderr=log, check=True)
    made.write_text(" ".join(PACKAGES[name]), "utf-8")
    return path


def constrained(name: str) -> list[str]:
    """The versions the studio itself was tested with; LLaMA-Factory names its own, save for torch."""
    tested = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    return tested if name == "trl" else [each for each in tested if each.startswith("torch==")]
