"""Keeping settings under a name, for the next run and for other projects."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from studio.core.errors import BadInput
from studio.core.recipe import preset
from studio.core.records import Person
from studio.store import recipes
from studio.work.studio import Studio

NAME = re.compile(r"[\w][\w .-]{0,59}")


def save(studio: Studio, person: Person, name: str, preset_name: str, **changes: Any) -> str:
    """Keep a preset and what was set otherwise; returns the name. Raises BadInput, BadRecipe."""
    name = name.strip()
    if not NAME.fullmatch(name):
        raise BadInput("Give the recipe a name of up to 60 letters, digits, spaces, dots and hyphens.")
    preset(preset_name, 1, **changes)  # refuses what no run could use
    recipes.save(studio.home, name, {"preset": preset_name, **changes})
    return name


def names(studio: Studio) -> list[str]:
    return recipes.names(studio.home)


def load(studio: Studio, name: str) -> tuple[str, dict[str, Any]]:
    """(preset, what is set otherwise). Raises NotFound, and BadRecipe for a file that was edited into nonsense."""
    changes = recipes.load(studio.home, name)
    preset_name = str(changes.pop("preset", "standard"))
    return preset_name, {"general": asdict(preset(preset_name, 1, **changes))["general"], **changes}
