"""What is set for the whole studio and not for one project: a JSON file, to be read and edited by hand."""

from __future__ import annotations

import contextlib
import json
import os
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


# --- the key of a model elsewhere: in a file of its own that only its owner may read, with the one origin that it is for


def key_for(home: Home, origin: str) -> str:
    """The kept key, "" where there is none or where it was given for another origin."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        found = json.loads(home.endpoint_key.read_text("utf-8"))
        if isinstance(found, dict) and found.get("for") == origin:
            return str(found.get("key", ""))
    return ""


def keep_key(home: Home, origin: str, key: str) -> None:
    """Keep a key in the place of an earlier one; "" keeps none."""
    home.endpoint_key.unlink(missing_ok=True)
    if key:
        # Made anew with its rights: there is no moment in which others could open it.
        with os.fdopen(os.open(home.endpoint_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"for": origin, "key": key}, file)
