"""Models of the Hugging Face hub: only weights in safetensors, settings and tokenizer are fetched, never program code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock

from studio.core.errors import ModelNotReady, StudioError
from studio.engine import downloads, folders
from studio.engine.api import Progress

WANTED = (".safetensors", ".json", ".jinja", ".model", ".txt", "LICENSE", "LICENSE.md", "NOTICE")
# The same weights once more, in another program's layout.
UNWANTED = ("consolidated",)


def place(id: str, models: Path) -> Path:
    return models / "hub" / id.replace("/", "--")


def fetched(id: str, models: Path) -> Path | None:
    """The folder of a hub model that is here as a whole, or None. Reads headers only."""
    folder = place(id, models)
    try:
        folders.check(folder)
        folders.weights(folder)
    except ModelNotReady:
        return None
    return folder


def fetch(id: str, models: Path, progress: Progress, endpoint: str | None = None) -> Path:
    """Fetch a model once; a broken fetch goes on where it stopped. `endpoint` is the hub's address, None: the usual one.

    Raises ModelNotReady (no network, no such model, no access, not usable) or DoesNotFit, each with the next step.
    """
    folder = place(id, models)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if fetched(id, models):
            return folder
        partial = folder.with_name(f".{folder.name}.partial")
        revision, sizes = listed(id, partial, endpoint)
        missing = sum(sizes.values()) - downloads.size_of(partial)
        downloads.require_room(folder.parent, max(0, missing), f"The model {id}")
        with downloads.watched(partial, sum(sizes.values()), progress):
            download(id, revision, sizes, partial, endpoint)
        check(partial, sizes)
        note = {"model": id, "revision": revision}
        (partial / "source.json").write_text(json.dumps(note, indent=2) + "\n", "utf-8")
        shutil.rmtree(partial / ".cache", ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)  # one that was damaged since
        partial.rename(folder)
    return folder


def listed(id: str, partial: Path, endpoint: str | None) -> tuple[str, dict[str, int]]:
    """The model's newest revision and the files wanted of it, with their bytes."""
    from huggingface_hub import HfApi

    try:
        found = HfApi(endpoint=endpoint).model_info(id, files_metadata=True, timeout=20)
    except Exception as error:  # the hub's client lets its HTTP library's own errors through
        raise explained(id, error, partial) from error
    sizes = {each.rfilename: int(each.size or 0) for each in found.siblings or () if wanted(each.rfilename)}
    if not any(name.endswith(".safetensors") for name in sizes):
        raise ModelNotReady(
            f"{id} has no weights in safetensors on the hub, and the studio opens no other kind. Choose another model."
        )
    return str(found.sha), sizes


def wanted(name: str) -> bool:
    return "/" not in name and name.endswith(WANTED) and not name.startswith(UNWANTED)


def download(id: str, revision: str, sizes: dict[str, int], partial: Path, endpoint: str | None) -> None:
    from huggingface_hub import snapshot_download

    settings: dict[str, Any] = {"allow_patterns": list(sizes), "local_dir": partial, "endpoint": endpoint}
    try:
        snapshot_download(id, revision=revision, **settings)
    except Exception as error:
        raise explained(id, error, partial) from error


def check(partial: Path, sizes: dict[str, int]) -> None:
    """Raise ModelNotReady where a file is missing or cut, or where the model cannot be used; then nothing of it stays."""
    short = [
        name
        for name, size in sizes.items()
        if not (partial / name).is_file() or (size and (partial / name).stat().st_size != size)
    ]
    try:
        if short:
            raise ModelNotReady(f"{', '.join(short)} did not arrive whole. Fetch the model again.")
        folders.check(partial)
        folders.weights(partial)
    except ModelNotReady:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def explained(id: str, error: Exception, place: Path) -> StudioError:
    """One sentence, with the next step, for what went wrong between here and the hub."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return ModelNotReady(
            f"{id} is only given to people who accepted its terms. Accept them on its page, log in with `hf auth login`, "
            "and fetch it again."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return ModelNotReady(f"There is no model {id} on the hub, or it is private. Check its name.")
    if isinstance(error, errors.HfHubHTTPError):
        return ModelNotReady(
            f"The hub could not give {id} just now ({type(error).__name__}). Try again later."
        )
    if downloads.is_full(error):
        return downloads.disk_full(f"the model {id}", place)
    return ModelNotReady(
        f"The hub could not be reached, so {id} could not be fetched. Check the network and try again, use the starter "
        "model, or choose a folder with a model in it."
    )
