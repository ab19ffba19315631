"""Bring a base model to this machine in a process of its own: python -m studio.engine.fetch ID MODELS PROGRESS_FILE.

Each change is a line in the progress file: {"done", "total"} in bytes, then {"ready": path} or {"error": {...}}. The
file's lock is held while the fetch lives.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from filelock import FileLock

from studio.core.errors import StudioError
from studio.engine.local import LocalEngine


def main() -> None:
    id, models, progress = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])

    def tell(line: dict[str, Any]) -> None:
        with progress.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")

    with FileLock(f"{progress}.lock"):
        try:
            base = LocalEngine(models).fetch(id, lambda done, total: tell({"done": done, "total": total}))
            tell({"ready": str(base.path)})
        except StudioError as error:
            tell({"error": {"title": error.title, "message": str(error)}})
            sys.exit(1)
        except Exception as error:
            message = f"The model could not be brought here ({type(error).__name__}). The log tells more; try again."
            tell({"error": {"title": "The model is not ready", "message": message}})
            raise


if __name__ == "__main__":
    main()
