"""Logging runs for TensorBoard or trackio besides: set for the whole studio, off until somebody chooses one."""

from __future__ import annotations

import sys

from studio.core.errors import BadInput
from studio.core.records import Person
from studio.engine.trackers import KINDS, is_installed
from studio.store import settings
from studio.work.studio import Studio


def choices() -> list[tuple[str, str]]:
    """(title, name) of what can be chosen, "" for nothing."""
    return [("Nothing", ""), *((kind.title, name) for name, kind in KINDS.items())]


def chosen(studio: Studio) -> str:
    """The tracker that runs are logged for unless they say otherwise; "" for none."""
    found = settings.load(studio.home).get("tracker")
    return next((name for name in KINDS if name == found), "")


def choose(studio: Studio, person: Person, name: str) -> None:
    """Set it for the runs that are started from now on. Raises BadInput as `ready` does."""
    settings.save(studio.home, tracker=ready(studio, name))


def ready(studio: Studio, name: str | None) -> str:
    """The tracker for a run: `name`, "" for none, None for what the studio is set to.

    Raises BadInput for one that there is not, or whose package is not installed here.
    """
    name = chosen(studio) if name is None else name
    if name and name not in KINDS:
        raise BadInput(f"There is no tracker named {name}. Choose one of {', '.join(KINDS)}, or none.")
    if name and not is_installed(KINDS[name]):
        title, package = KINDS[name].title, KINDS[name].package
        raise BadInput(
            f"To log for {title} the studio needs the package {package}, which is not installed. "
            f'Install it with "{sys.executable}" -m pip install {package}, then choose {title} again; or log to nothing.'
        )
    return name


def where(studio: Studio, name: str) -> tuple[str, str]:
    """(where the logs lie, the command to look at them) of a tracker."""
    if name == "tensorboard":
        return f"the folder of each run in {studio.home.runs}", f'tensorboard --logdir "{studio.home.runs}"'
    return str(studio.home.trackio), f'TRACKIO_DIR="{studio.home.trackio}" trackio show'
