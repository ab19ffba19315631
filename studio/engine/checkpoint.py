"""Adapters on disk: staged, synced, hashed and renamed into place, so that a folder that exists is whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.core.errors import DoesNotFit, TrainingFailed

MANIFEST = "manifest.json"
RESUME = "Free some space and resume the run."


def save_adapter(model: Any, folder: Path, base: str) -> None:
    """Write the PEFT model's adapter to `folder` in PEFT's own layout, replacing what is there in one rename.

    `base` is the base model's public name: PEFT would record this machine's path of it. Raises DoesNotFit on a full disk.
    """
    with staged(folder, f"The adapter could not be written to {folder}", RESUME) as staging:
        model.save_pretrained(str(staging), save_embedding_layers=False)  # else PEFT asks the hub
        settle(staging / "adapter_config.json", base)


@contextmanager
def staged(folder: Path, failed: str, way_out: str) -> Iterator[Path]:
    """A new folder to write into, published as `folder` in the end. Raises DoesNotFit, as "failed (why). way out"."""
    from safetensors import SafetensorError  # what that library makes of all that the disk refuses

    staging = folder.with_name(f".{folder.name}.staging")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir(parents=True)
        yield staging
        publish(staging, folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise DoesNotFit(f"{failed} ({getattr(error, 'strerror', None) or error}). {way_out}") from error


def settle(config: Path, base: str) -> None:
    """Name the base, and sort what PEFT writes in another order each time: the same run gives the same bytes."""
    settings = json.loads(config.read_text("utf-8"))
    settings["base_model_name_or_path"] = base
    settings["target_modules"] = sorted(settings["target_modules"])
    config.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", "utf-8")


def publish(staging: Path, folder: Path) -> None:
    """Hash and sync every file of `staging`, then put it in `folder`'s place."""
    manifest = {path.name: fingerprint(path) for path in sorted(staging.iterdir()) if path.name != MANIFEST}
    (staging / MANIFEST).write_text(json.dumps(manifest, indent=2), "utf-8")
    for path in staging.iterdir():
        sync(path)
    sync(staging)
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
    sync(folder.parent)


def copy_whole(source: Path, folder: Path) -> None:
    """Copy a published adapter to another place, published there as a whole. Raises DoesNotFit on a full disk."""
    with staged(folder, f"The adapter could not be written to {folder}", RESUME) as staging:
        for path in source.iterdir():
            shutil.copyfile(path, staging / path.name)


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint_once(path: Path) -> str:
    """As `fingerprint`, read again only when the file was written anew: for what is asked before each answer."""
    told = path.stat()
    return remembered(path, told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=64)
def remembered(path: Path, written: int, size: int) -> str:
    return fingerprint(path)


def whole(folder: Path) -> bool:
    """Whether every file of a published folder is there and unchanged."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        return bool(manifest) and all(fingerprint(folder / name) == known for name, known in manifest.items())
    except (OSError, ValueError):
        return False


def verify_adapter(folder: Path) -> None:
    """Raise TrainingFailed unless the adapter in `folder` is whole, finite and changes something."""
    from safetensors.torch import load_file

    if not whole(folder):
        raise TrainingFailed(
            "The finished adapter could not be read back from the disk. Start the run again."
        )
    weights = load_file(str(folder / "adapter_model.safetensors"))
    if not all(bool(each.isfinite().all()) for each in weights.values()):
        raise TrainingFailed(
            "The finished adapter holds numbers that are not numbers. Try a lower learning rate."
        )
    if not any(bool(each.any()) for name, each in weights.items() if "lora_B" in name):
        raise TrainingFailed("The adapter changes nothing. Train for more updates.")


def sync(path: Path) -> None:
    """Make what was written to `path` survive a power cut. Folders cannot be synced on Windows."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
