"""Where everything lives: every path of the studio is made here, once, and handed down."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from studio.core.errors import FULL, DoesNotFit, NoAccess, must_fit
from studio.store import environment


@dataclass(frozen=True)
class Home:
    """The studio's folder. `open_home` makes it, readable by its owner only."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "studio.db"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def evaluations(self) -> Path:
        return self.root / "evaluations"

    @property
    def recipes(self) -> Path:
        return self.root / "recipes"

    @property
    def settings(self) -> Path:
        return self.root / "settings.json"

    @property
    def endpoint_key(self) -> Path:
        """By itself and not among the settings, so that whoever copies or shows those has no key."""
        return self.root / "endpoint.key"

    @property
    def trackio(self) -> Path:
        return self.root / "trackio"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    def run(self, id: str) -> Path:
        return self.runs / id

    def adapter(self, run: str, point: int | None = None) -> Path:
        """A run's best adapter, or the one after `point` updates where it keeps that."""
        return self.run(run) / "points" / str(point) if point else self.run(run) / "adapter"

    def evaluation(self, id: str) -> Path:
        return self.evaluations / id


def open_home(root: Path | None = None) -> Home:
    """Make the studio's folder where it is missing. Raises DoesNotFit or NoAccess, with the way out, where it cannot be made."""
    home = Home(
        (root or environment.home_wanted() or user_data_path("sft-studio", False)).expanduser().resolve()
    )
    try:
        for folder in (
            home.root,
            home.runs,
            home.models,
            home.evaluations,
            home.recipes,
            home.exports,
            home.logs,
            home.temporary,
        ):
            folder.mkdir(parents=True, exist_ok=True)
        home.root.chmod(0o700)
        home.temporary.chmod(0o700)
    except OSError as error:
        kind = DoesNotFit if error.errno in FULL else NoAccess
        raise kind(
            f"The studio cannot keep its data in {home.root} ({error.strerror}). "
            "Free some space, check who owns it, or choose another folder with --home."
        ) from error
    return home


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise DoesNotFit where `needed` bytes beside the reserve are not free in a folder."""
    must_fit(shutil.disk_usage(folder).free, needed, purpose)


def assets() -> Path:
    """The folder of styles, scripts and starter texts: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"
