"""What is set for the whole studio and not for one project: a JSON file, to be read and edited by hand."""

from __future__ import annotations

import json
from typing import Any

from studio.store.home import Home


def load(home: Home) -> dict[str, Any]:
    """What is set; nothing where the file is missing, or no longer what a setting can be read from."""
    try:
        found = json.loads(home.settings.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def save(home: Home, **changes: Any) -> None:
    """Write the file whole or not at all; what is not in `changes` stays."""
    staging = home.settings.with_suffix(".staging")
    staging.write_text(json.dumps({**load(home), **changes}, indent=2) + "\n", "utf-8")
    staging.replace(home.settings)
