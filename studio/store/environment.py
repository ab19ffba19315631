"""The one place that reads and writes the process environment."""

from __future__ import annotations

import os
from pathlib import Path

# Set before torch, gradio or a hub library is imported; a value that a person has set stays.
DEFAULTS = {
    "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads made two cores slower than one while the page runs
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",  # progress is told by the studio, in its own words
    # Products of rows of other lengths than before are prepared anew and kept, half a megabyte each: the usual thousand
    # took up to 0.9 GB in training. So many are used again within an update; more are not.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "256",
    "LRU_CACHE_CAPACITY": "256",  # what torch itself keeps of them
    # Nothing is compiled here. bitsandbytes asks for it all the same, and torch's compiler takes 0.7 s to import.
    "TORCHDYNAMO_DISABLE": "1",
}
# Nothing leaves the machine: not a matter of taste, so these are not defaults.
ALWAYS = {"GRADIO_ANALYTICS_ENABLED": "False", "DO_NOT_TRACK": "1"}


def prepare() -> None:
    """Set what the heavy libraries read when they are imported."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.update(ALWAYS)


def for_child(**changes: str) -> dict[str, str]:
    """The environment of a process that the studio starts; without what trackio would take for an order to send its log away."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRACKIO_")}
    return {**kept, **DEFAULTS, **ALWAYS, **changes}


def home_wanted() -> Path | None:
    """The data folder that the person asked for through STUDIO_HOME, if any."""
    value = os.environ.get("STUDIO_HOME", "").strip()
    return Path(value) if value else None


def use_temporary_folder(folder: Path) -> None:
    """Let every library of this process put its temporary files into `folder`."""
    os.environ["TMPDIR"] = os.environ["GRADIO_TEMP_DIR"] = str(folder)
