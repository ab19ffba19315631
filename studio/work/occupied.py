"""What a run in training means for whoever asks a model meanwhile: it shares the processor and the memory."""

from __future__ import annotations

from studio.core.course import course
from studio.core.errors import Busy, DoesNotFit, StudioError
from studio.work.studio import Studio


def training(studio: Studio) -> str:
    """Which run is training just now and for how long, as the beginning of a sentence; "" for none."""
    run = studio.jobs.active()
    if run is None:
        return ""
    left = course(run).seconds_left
    minutes = f", about {max(1, round(left / 60))} more min" if left is not None else ""
    if run.spec.get("trial"):
        return "A run is being measured on this machine"
    return f"“{run.spec.get('name') or run.id}” is training on this machine{minutes}"


def explained(studio: Studio, error: StudioError) -> StudioError:
    """What to do about an error in answering: where training holds the memory, its end helps and not other programs'."""
    if isinstance(error, DoesNotFit) and (going := training(studio)):
        return Busy(
            f"{going}, and the memory does not hold that and the model that answers. Wait until the run is over, or stop it in "
            "the Train tab, which keeps the best of it."
        )
    return error
