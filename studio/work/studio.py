"""The studio: six collaborators, made once and handed to every verb."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field
from pathlib import Path

from studio.core.records import Person
from studio.engine.api import Engine
from studio.store.database import Database
from studio.store.home import Home, open_home
from studio.work.drafts import Drafts
from studio.work.jobs import Jobs
from studio.work.unattended import Unattended


@dataclass(frozen=True)
class Studio:
    home: Home
    database: Database
    engine: Engine
    jobs: Jobs
    drafts: Drafts = field(default_factory=Drafts)
    unattended: Unattended = field(default_factory=Unattended)


def opened(root: Path | None = None) -> Studio:
    """Open the studio whose data lies in `root` (default: the user's data folder). Raises a StudioError it cannot use."""
    from studio.engine.local import LocalEngine

    home = open_home(root)
    return Studio(home, Database.open(home.database), LocalEngine(home.models), Jobs(home))


def owner() -> Person:
    """The person at this machine, by the account's name: who acts where nobody says another name."""
    try:
        return Person(getpass.getuser())
    except (OSError, KeyError):  # an account without a name, as in some containers
        return Person("me")
