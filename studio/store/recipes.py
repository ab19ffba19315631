"""Recipes that people have kept: one JSON file each, to be read, copied and edited by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.core.errors import BadRecipe, NotFound
from studio.store.home import Home


def save(home: Home, name: str, recipe: dict[str, Any]) -> Path:
    """Write a recipe whole or not at all; one of that name is replaced."""
    path = home.recipes / f"{name}.json"
    staging = path.with_suffix(".staging")
    staging.write_text(json.dumps(recipe, indent=2) + "\n", "utf-8")
    return staging.replace(path)


def names(home: Home) -> list[str]:
    return sorted(path.stem for path in home.recipes.glob("*.json"))


def load(home: Home, name: str) -> dict[str, Any]:
    """Raises NotFound, and BadRecipe for a file that is no JSON object."""
    if name not in names(home):
        raise NotFound(f"There is no recipe named {name} in {home.recipes}.")
    try:
        recipe = json.loads((home.recipes / f"{name}.json").read_text("utf-8"))
    except ValueError as error:
        raise BadRecipe(f"The file {name}.json in {home.recipes} is no JSON any more ({error}). Mend it or delete it.") from error  # fmt: skip
    if not isinstance(recipe, dict):
        raise BadRecipe(f"The file {name}.json in {home.recipes} holds no settings. Mend it or delete it.")
    return recipe
