"""What a run that was cut off goes on from: weights, optimizer and standing, staged and renamed like an adapter.

checkpoints/at-24      after 24 updates: state.safetensors (the adapter's weights in fp32, the optimizer's averages) and
                       standing.json; the newest two are kept, should one be damaged
checkpoints/best-24    the adapter after 24 updates, in PEFT's layout, for as long as a kept checkpoint names it

Data order and rate follow from the recipe and the standing. Dropout is never used, so no random state is needed.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.core.errors import DoesNotFit
from studio.engine import checkpoint
from studio.engine.loop import Standing

KEPT = 2
SPARE = 200 * 2**20  # bytes that a run never fills


def best(checkpoints: Path, update: int) -> Path:
    """Where the adapter that was the best after `update` updates lies."""
    return checkpoints / f"best-{update}"


def save(checkpoints: Path, model: Any, optimizer: Any, at: Standing) -> None:
    """Publish a checkpoint, then remove what no kept one needs. Raises DoesNotFit on a full disk."""
    from safetensors.torch import save_file

    staging = checkpoints / ".at.staging"
    shutil.rmtree(staging, ignore_errors=True)
    held = tensors(model, optimizer)
    checkpoints.mkdir(exist_ok=True)
    require_room(checkpoints, sum(each.nbytes for each in held.values()), at.done)
    try:
        staging.mkdir()
        save_file(held, staging / "state.safetensors")
        (staging / "standing.json").write_text(json.dumps(asdict(at)), "utf-8")
        checkpoint.publish(staging, checkpoints / f"at-{at.done}")
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise DoesNotFit(
            f"The run could not be saved after {at.done} updates ({error.strerror or error}). "
            "Free some space and resume it: it goes on from where it was saved last."
        ) from error
    tidy(checkpoints)


def require_room(folder: Path, needed: int, done: int) -> None:
    """Raises DoesNotFit before the disk is full: a full one loses other programs' work."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise DoesNotFit(
            f"The disk has {free / 2**20:,.0f} MB left, and saving the run after {done} updates takes {needed / 2**20:,.0f} MB. "
            "Free some space and resume it: it goes on from where it was saved last."
        )


def tensors(model: Any, optimizer: Any) -> dict[str, Any]:
    """The learned weights by name, and what AdamW holds of each; nothing of the latter before the first update."""
    found = {}
    for name, weight in learned(model):
        found[name] = weight.detach().contiguous()
        for key, value in optimizer.state.get(weight, {}).items():
            found[f"{key}:{name}"] = value
    return found


def learned(model: Any) -> list[tuple[str, Any]]:
    return [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]


def tidy(checkpoints: Path) -> None:
    """Keep the newest checkpoints and the best adapters that they name."""
    for folder in numbered(checkpoints, "at")[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
    named = {standing(each).best_update for each in numbered(checkpoints, "at")}
    for folder in numbered(checkpoints, "best"):
        if update_of(folder) not in named:
            shutil.rmtree(folder, ignore_errors=True)


def numbered(checkpoints: Path, kind: str) -> list[Path]:
    """The folders of a kind, newest first."""
    return sorted(checkpoints.glob(f"{kind}-*"), key=update_of, reverse=True)


def update_of(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def standing(folder: Path) -> Standing:
    return Standing(**json.loads((folder / "standing.json").read_text("utf-8")))


def newest(checkpoints: Path) -> tuple[Path | None, int]:
    """(the newest checkpoint that is whole, with the best adapter that it names; how many newer ones are not)"""
    found = numbered(checkpoints, "at")
    for damaged, folder in enumerate(found):
        if usable(folder, checkpoints):
            return folder, damaged
    return None, len(found)


def usable(folder: Path, checkpoints: Path) -> bool:
    if not checkpoint.whole(folder):
        return False
    update = standing(folder).best_update
    return update == 0 or checkpoint.whole(best(checkpoints, update))


def restore(folder: Path, model: Any, optimizer: Any) -> None:
    """Put a checkpoint's weights into the model, and its averages into the fresh optimizer."""
    from safetensors.torch import load_file

    found = load_file(str(folder / "state.safetensors"))
    state = optimizer.state_dict()
    for place, (name, weight) in enumerate(learned(model)):
        weight.data.copy_(found[name])
        held = {key: found[f"{key}:{name}"] for key in ("step", "exp_avg", "exp_avg_sq") if f"{key}:{name}" in found}  # fmt: skip
        if held:
            state["state"][place] = held
    optimizer.load_state_dict(state)


def forget(checkpoints: Path, after: int) -> None:
    """Remove what an earlier worker kept after so many updates: a resumed run makes it again."""
    for kind in ("at", "best"):
        for folder in numbered(checkpoints, kind):
            if update_of(folder) > after:
                shutil.rmtree(folder, ignore_errors=True)
