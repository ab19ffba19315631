"""After the last update: the best adapter is read back, checked and published, and the card is written last."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from studio.core.errors import TrainingFailed
from studio.core.progress import Finished
from studio.core.stats import change_interval
from studio.engine import checkpoint, memory, points, resuming
from studio.engine.loop import Standing
from studio.engine.preparing import Prepared
from studio.engine.run_folder import Folder, write_json

SAME = 0.02  # how far the loss of one and the same adapter may be apart: in 16 bits rows of other lengths round otherwise
TOO_FAR = 0.02  # a rise of the held-out loss, as a share, that is no longer chance or a beginning
FEWEST = 5  # held-out conversations below which an interval would only pretend to know


def finish(folder: Folder, prepared: Prepared, at: Standing, why: str) -> None:
    """Publish what a run has learned. `why` it ended, as the loop tells. Raises TrainingFailed."""
    begun = time.monotonic()
    if not at.best_update:
        raise nothing_kept(at, why)
    best = resuming.best(folder.checkpoints, at.best_update)
    checkpoint.verify_adapter(best)
    interval = proven(prepared, best, at)
    checkpoint.copy_whole(best, folder.path / "adapter")
    kept = points.publish(folder, at)
    state = "stopped" if why == "keep" else "finished"
    at.seconds += time.monotonic() - begun
    told = card(folder, prepared, at, state, why, interval)
    write_json(folder.path / "card.json", {**told, "points": kept})
    folder.emit(Finished(state, why))
    shutil.rmtree(folder.checkpoints, ignore_errors=True)


def nothing_kept(at: Standing, why: str) -> TrainingFailed:
    """Why a run that ended has no adapter, and what to do."""
    if why == "numbers":
        return TrainingFailed(
            "The loss stopped being a number three times before anything was learned, so the run was ended. "
            "Try a lower learning rate."
        )
    # An adapter better than the base is kept, unless it lies beyond the forgetting limit.
    moved = at.last / at.before - 1 if at.last and at.before else 0.0
    if why == "forgot" or moved < 0:
        return TrainingFailed(
            f"General knowledge suffered before anything could be kept: the loss on general text rose by {at.forgotten:.0%}. "
            "Mix in general examples, or choose a gentler strength; if general knowledge does not matter here, set the "
            "forgetting limit under Advanced settings to 0."
        )
    if moved > TOO_FAR:
        return TrainingFailed(
            f"The held-out loss never fell below the base model's and ended {moved:.0%} above it, so there is nothing to keep. "
            "Choose a gentler strength: this one drives the model away from what it could."
        )
    return TrainingFailed(
        "The held-out loss never fell below the base model's, so there is nothing to keep. "
        "Try the strong preset, or write more examples."
    )


def proven(prepared: Prepared, best: Path, at: Standing) -> tuple[float, float] | None:
    """Load the best adapter back, measure it on each held-out conversation, and tell between which shares the loss changed.

    Raises TrainingFailed where what was loaded back is not what was measured in training. None with too few to tell.
    """
    model = prepared.model
    load_back(model, best)
    after = losses(prepared)
    measured = sum(after) / sum(each.learned for each in prepared.data.held_out)
    if at.best is None or abs(measured - at.best) > SAME * at.best:
        raise TrainingFailed(
            f"The adapter, loaded back from the disk, has a held-out loss of {measured:.3f} and had {at.best or 0:.3f} when it was "
            "saved, so it is not offered. Resume the run; if it happens again, look at the disk."
        )
    without_adapter(model)
    return change_interval(losses(prepared), after) if len(after) >= FEWEST else None


def load_back(model: Any, folder: Path) -> None:
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(model, load_file(str(folder / "adapter_model.safetensors")))


def without_adapter(model: Any) -> None:
    """Let the model compute as its base, whatever form it is in; the adapter on the disk is not touched."""
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.zero_()


def losses(prepared: Prepared) -> list[float]:
    """The summed loss of each held-out conversation by itself, in nats."""
    import torch

    from studio.engine import batches

    prepared.model.eval()
    with torch.no_grad():
        rows = (batches.pack([each]).to(prepared.device) for each in prepared.data.held_out)
        return [prepared.fit.loss(prepared.model, row).item() for row in rows]


def card(
    folder: Folder,
    prepared: Prepared,
    at: Standing,
    state: str,
    why: str,
    interval: tuple[float, float] | None,
) -> dict[str, Any]:
    return {
        "state": state,
        "why": why,
        "updates": at.done,
        "seconds": round(at.seconds, 1),
        "learned_tokens": sum(each.learned for each in prepared.data.own),
        "held_out_loss": {"before": at.before, "best": at.best, "last": at.last},
        "held_out_change": interval,  # between which shares it changed, 95 %
        "general_loss": {"before": at.general_before, "best": at.general_best},
        "best_step": at.best_update,
        "adapter": "adapter",
        "adapter_sha256": checkpoint.fingerprint(folder.path / "adapter" / "adapter_model.safetensors"),
        "peak_memory_mb": round(memory.peak() / 2**20),
        "device": prepared.device,
        "precision": prepared.precision,
    }
