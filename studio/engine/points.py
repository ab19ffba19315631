"""Points of a run: its adapter after other updates than the best, kept so that they can be compared."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.core.errors import TrainingFailed
from studio.engine import checkpoint, downloads, resuming
from studio.engine.loop import Point, Standing
from studio.engine.run_folder import Folder

log = logging.getLogger(__name__)


def keep(folder: Folder, model: Any, update: int, base: str) -> None:
    """Keep the adapter as it is now for as long as the run goes on. Raises DoesNotFit."""
    require_room(folder, sum(weight.nbytes for _, weight in resuming.learned(model)))
    checkpoint.save_adapter(model, resuming.point(folder.checkpoints, update), base)


def publish(folder: Folder, at: Standing) -> list[dict[str, Any]]:
    """Put the points into the run's folder, as `points/<update>`; returns what the card says of them. Raises DoesNotFit."""
    place = folder.path / "points"
    shutil.rmtree(place, ignore_errors=True)  # of an earlier worker, which was killed before its card
    kept = {place / str(point.update): (source, point) for source, point in sound(folder.checkpoints, at)}
    require_room(folder, sum(downloads.size_of(source) for source, _ in kept.values()))
    for own, (source, _) in kept.items():
        checkpoint.copy_whole(source, own)
    checkpoint.sync(folder.path)
    return [told(own, point) for own, (_, point) in kept.items()]


def sound(checkpoints: Path, at: Standing) -> Iterator[tuple[Path, Point]]:
    """All points but the best, which is published by itself, and damaged ones: a run need not end without a result for these."""
    for each in at.points:
        source = resuming.point(checkpoints, each.update)
        if each.update == at.best_update:
            continue
        try:
            checkpoint.verify_adapter(source)
        except TrainingFailed as error:
            log.warning("the point after %s updates is left out: %s", each.update, error)
        else:
            yield source, each


def told(own: Path, point: Point) -> dict[str, Any]:
    weights = own / "adapter_model.safetensors"
    losses = {"held_out_loss": point.held_out, "general_loss": point.general}
    return {"update": point.update, **losses, "sha256": checkpoint.fingerprint(weights)}


def require_room(folder: Folder, size: int) -> None:
    downloads.require_room(folder.path, size, "Keeping points to compare with", resuming.WAY_OUT)
