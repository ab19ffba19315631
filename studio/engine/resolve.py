"""From what a person names as base (catalogue name, hub id or folder) to the folder with its files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from studio.core.errors import ModelNotReady, NotFound
from studio.engine import catalogue, folders, hub, plain, starter
from studio.engine.api import PLAIN, Base, Progress

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def bases(models: Path) -> list[Base]:
    """The catalogue, with the paths of what is on this machine."""
    return [offered(each, models) for each in catalogue.CATALOGUE]


def resolve(id: str, models: Path) -> Base:
    """What a base is and where it lies. Raises NotFound for a name that means nothing, ModelNotReady for an unusable folder."""
    id = id.strip()
    if id.startswith(PLAIN):
        return under_plain(resolve(plain.original(id), models), models)
    if entry := catalogue.entry(id):
        return offered(entry, models)
    folder = Path(id).expanduser()
    if id and folder.is_dir():
        return conversing(local(folder.resolve()))
    if HUB_ID.fullmatch(id):
        found = hub.fetched(id, models)
        parameters = folders.weights(found).parameters if found else None
        return conversing(Base(id, id.partition("/")[2], parameters, "see the model's page", None, found))
    if folder.is_absolute():
        raise ModelNotReady(
            f"The base model's folder {folder} is not there: it was moved, renamed or deleted, or its disk is not connected. "
            "Put it back, or choose another base model."
        )
    names = ", ".join(each.id for each in catalogue.CATALOGUE)
    raise NotFound(
        f"There is no base model named “{id}”. Use one of {names}, the hub's owner/name, or a folder with a model in it."
    )


def conversing(base: Base) -> Base:
    """A base whose tokenizer has no chat template cannot be used as it is."""
    if base.path is None or folders.has_template(base.path):
        return base
    trouble = (
        f"{base.title} has no chat template: it was made to continue texts, not to converse. Use a plain template, for which the "
        f"page has a button and the command line the name “{PLAIN}{base.id}”, or choose its instruct or chat version."
    )
    return replace(base, path=None, trouble=trouble, template="none")


def under_plain(base: Base, models: Path) -> Base:
    """The base under its plain template; not there yet while it was not made, or the base itself is not there."""
    if base.path:
        raise ModelNotReady(f"{base.title} has a chat template of its own. Choose “{base.id}”.")
    made = plain.made(base.id, models, lies(base.id, models)) if base.template == "none" else None
    title = f"{base.title}, plain template"
    return replace(base, id=f"{PLAIN}{base.id}", title=title, path=made, trouble="", template="plain")


def lies(id: str, models: Path) -> Path:
    """Where the files of a base lie that is here and has no chat template."""
    return hub.place(id, models) if HUB_ID.fullmatch(id) and not Path(id).is_dir() else Path(id)


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
    if base.trouble:
        raise ModelNotReady(base.trouble)
    models.mkdir(parents=True, exist_ok=True)
    if base.id == catalogue.STARTER:
        return starter.ensure(models, progress)
    if base.id == catalogue.REHEARSAL:
        return made(models)
    if base.template == "plain":
        return made_plain(base.id, models, progress)
    return hub.fetch(base.id, models, progress)


def made(models: Path) -> Path:
    """The rehearsal model, made by whoever comes first; others wait for it."""
    from studio.engine import rehearsal

    folder = models / catalogue.REHEARSAL
    with FileLock(models / ".rehearsal.lock"):
        return folder if folder.is_dir() else rehearsal.make(folder)


def made_plain(id: str, models: Path, progress: Progress) -> Path:
    """The base under its plain template, made by whoever comes first; its own files are fetched before that."""
    from studio.engine.models import read_tokenizer

    under = plain.original(id)
    if resolve(under, models).template != "none":
        ensure(under, models, progress)
        resolve(id, models)  # raises where it turns out to have a template
    (models / "plain").mkdir(parents=True, exist_ok=True)
    folder = lies(under, models)
    with FileLock(models / "plain" / ".lock"):
        return resolve(id, models).path or plain.make(id, models, folder, read_tokenizer(folder))


def ready(id: str, models: Path) -> Path:
    """The base's folder. Raises ModelNotReady, with the next step, while its files are not on this machine."""
    base = resolve(id, models)
    if base.trouble:
        raise ModelNotReady(base.trouble)
    if base.path is None:
        raise ModelNotReady(f"The base model {base.title} is not on this machine yet. Fetch it first.")
    return base.path
