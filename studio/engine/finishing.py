"""After the last update: the best adapter is read back, checked and published, and the card is written last."""

from __future__ import annotations

import shutil
from typing import Any

from studio.core.errors import NothingToLearn, StudioError, TrainingFailed
from studio.core.progress import Finished
from studio.engine import checkpoint, memory, resuming
from studio.engine.loop import Standing
from studio.engine.preparing import Prepared
from studio.engine.run_folder import Folder, write_json


def finish(folder: Folder, prepared: Prepared, at: Standing, why: str) -> None:
    """Publish what a run has learned. `why` it ended, as the loop tells. Raises NothingToLearn, TrainingFailed."""
    if not at.best_update:
        raise nothing_kept(at, why, prepared.updates)
    best = resuming.best(folder.checkpoints, at.best_update)
    checkpoint.verify_adapter(best)
    checkpoint.copy_whole(best, folder.path / "adapter")
    state = "stopped" if why == "keep" else "finished"
    write_json(folder.path / "card.json", card(folder, prepared, at, state, why))
    folder.emit(Finished(state, why))
    shutil.rmtree(folder.checkpoints, ignore_errors=True)


def nothing_kept(at: Standing, why: str, updates: int) -> StudioError:
    """Why a run that ended has no adapter, and what to do: one that was stopped is not to blame."""
    if why == "numbers":
        return TrainingFailed(
            "The loss stopped being a number three times before anything was learned, so the run was ended. "
            "Try a lower learning rate."
        )
    if why == "forgot":
        return NothingToLearn(
            f"General knowledge suffered before anything could be kept: the loss on general text rose by {at.forgotten:.0%}. "
            "Mix in general examples, or choose a gentler strength."
        )
    if why == "keep":
        return NothingToLearn(
            f"The run was stopped after {at.done} of {updates} updates, before the held-out loss had fallen, "
            "so there is nothing to keep. Start it again and let it go on for longer."
        )
    return NothingToLearn(
        "The held-out loss never fell below the base model's, so there is nothing to keep. "
        "Try the strong preset, or write more examples."
    )


def card(folder: Folder, prepared: Prepared, at: Standing, state: str, why: str) -> dict[str, Any]:
    return {
        "state": state,
        "why": why,
        "updates": at.done,
        "seconds": round(at.seconds, 1),
        "learned_tokens": sum(each.learned for each in prepared.data.own),
        "held_out_loss": {"before": at.before, "best": at.best, "last": at.last},
        "general_loss": {"before": at.general_before, "best": at.general_best},
        "best_step": at.best_update,
        "adapter": "adapter",
        "adapter_sha256": checkpoint.fingerprint(folder.path / "adapter" / "adapter_model.safetensors"),
        "peak_memory_mb": round(memory.peak() / 2**20),
        "device": prepared.device,
        "precision": prepared.precision,
    }
