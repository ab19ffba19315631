"""From what a person names as base (catalogue name, hub id or folder) to the folder with its files."""

from __future__ import annotations

import re
from pathlib import Path

from filelock import FileLock

from studio.core.errors import ModelNotReady, NotFound
from studio.engine import catalogue, folders, hub, starter
from studio.engine.api import Base, Progress

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def bases(models: Path) -> list[Base]:
    """The catalogue, with the paths of what is on this machine."""
    return [offered(each, models) for each in catalogue.CATALOGUE]


def resolve(id: str, models: Path) -> Base:
    """What a base is and where it lies. Raises NotFound for a name that means nothing, ModelNotReady for an unusable folder."""
    id = id.strip()
    if entry := catalogue.entry(id):
        return offered(entry, models)
    folder = Path(id).expanduser()
    if id and folder.is_dir():
        return local(folder.resolve())
    if HUB_ID.fullmatch(id):
        return Base(id, id.partition("/")[2], None, "see the model's page", None, hub.fetched(id, models))
    if folder.is_absolute():
        raise ModelNotReady(
            f"The base model's folder {folder} is not there: it was moved, renamed or deleted, or its disk is not connected. "
            "Put it back, or choose another base model."
        )
    names = ", ".join(each.id for each in catalogue.CATALOGUE)
    raise NotFound(
        f"There is no base model named “{id}”. Use one of {names}, the hub's owner/name, or a folder with a model in it."
    )


def offered(entry: catalogue.Entry, models: Path) -> Base:
    return Base(
        entry.id, entry.title, entry.parameters, entry.licence, entry.download, place(entry.id, models)
    )


def place(id: str, models: Path) -> Path | None:
    """Where a catalogue model lies whole, or None."""
    if id == catalogue.STARTER:
        return models / catalogue.STARTER if starter.ready(models) else None
    if id == catalogue.REHEARSAL:
        folder = models / catalogue.REHEARSAL
        return folder if folder.is_dir() else None
    return hub.fetched(id, models)


def local(folder: Path) -> Base:
    folders.check(folder)
    return Base(
        str(folder), folder.name, folders.weights(folder).parameters, "see the model's folder", 0, folder
    )


def ensure(id: str, models: Path, progress: Progress) -> Path:
    """The base's folder, its files brought there first where they are not. Raises NotFound, ModelNotReady, DoesNotFit."""
    base = resolve(id, models)
    if base.path:
        return base.path
    models.mkdir(parents=True, exist_ok=True)
    if base.id == catalogue.STARTER:
        return starter.ensure(models, progress)
    if base.id == catalogue.REHEARSAL:
        return made(models)
    return hub.fetch(base.id, models, progress)


def made(models: Path) -> Path:
    """The rehearsal model, made by whoever comes first; others wait for it."""
    from studio.engine import rehearsal

    folder = models / catalogue.REHEARSAL
    with FileLock(models / ".rehearsal.lock"):
        return folder if folder.is_dir() else rehearsal.make(folder)


def ready(id: str, models: Path) -> Path:
    """The base's folder. Raises ModelNotReady, with the next step, while its files are not on this machine."""
    base = resolve(id, models)
    if base.path is None:
        raise ModelNotReady(f"The base model {base.title} is not on this machine yet. Fetch it first.")
    return base.path
