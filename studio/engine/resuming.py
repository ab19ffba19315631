"""What a run that was cut off goes on from: weights, optimizer and standing, staged and renamed like an adapter.

checkpoints/at-24      after 24 updates: state.safetensors (the adapter's weights in fp32, the optimizer's averages) and
                       standing.json; the newest two are kept, should one be damaged
checkpoints/best-24    the adapter after 24 updates, in PEFT's layout, for as long as a kept checkpoint names it
checkpoints/point-24   the same of a point to compare with (see `loop.even`)

Data order and rate follow from the recipe and the standing. Dropout is never used, so no random state is needed.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.core.errors import TrainingFailed
from studio.engine import checkpoint, downloads
from studio.engine.loop import Point, Standing

KEPT = 2
WAY_OUT = "Free some space and resume it: it goes on from where it was saved last."


def best(checkpoints: Path, update: int) -> Path:
    """Where the adapter that was the best after `update` updates lies."""
    return checkpoints / f"best-{update}"


def point(checkpoints: Path, update: int) -> Path:
    """Where the adapter lies that is kept to compare with."""
    return checkpoints / f"point-{update}"


def save(checkpoints: Path, model: Any, optimizer: Any, at: Standing) -> None:
    """Publish a checkpoint, then remove what no kept one needs. Raises DoesNotFit on a full disk."""
    from safetensors.torch import save_file

    held = tensors(model, optimizer)
    checkpoints.mkdir(exist_ok=True)
    downloads.require_room(checkpoints, sum(each.nbytes for each in held.values()), f"Saving the run after {at.done} updates", WAY_OUT)  # fmt: skip
    failed = f"The run could not be saved after {at.done} updates"
    with checkpoint.staged(checkpoints / f"at-{at.done}", failed, WAY_OUT) as staging:
        save_file(held, staging / "state.safetensors")
        (staging / "standing.json").write_text(json.dumps(asdict(at)), "utf-8")
    tidy(checkpoints)


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
    """Keep the newest checkpoints, and the best adapters and the points that they name."""
    for folder in numbered(checkpoints, "at")[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
    stood = [standing(each) for each in numbered(checkpoints, "at")]
    named = {best(checkpoints, each.best_update) for each in stood}
    named |= {point(checkpoints, each.update) for at in stood for each in at.points}
    for folder in {*numbered(checkpoints, "best"), *numbered(checkpoints, "point")} - named:
        shutil.rmtree(folder, ignore_errors=True)


def numbered(checkpoints: Path, kind: str) -> list[Path]:
    """The folders of a kind, newest first."""
    return sorted(checkpoints.glob(f"{kind}-*"), key=update_of, reverse=True)


def update_of(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def standing(folder: Path) -> Standing:
    noted = json.loads((folder / "standing.json").read_text("utf-8"))
    points = [Point(*each) for each in noted.pop("points", ())]  # runs of before there were any have none
    return Standing(**noted, points=points)


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
    try:
        update = standing(folder).best_update
    except TypeError:  # another version of the studio noted other things
        return False
    return update == 0 or checkpoint.whole(best(checkpoints, update))


def restore(folder: Path, model: Any, optimizer: Any) -> None:
    """Put a checkpoint's weights into the model, and its averages into the fresh optimizer.

    Raises TrainingFailed where another version of a library has made other weights of the adapter than are saved.
    """
    from safetensors.torch import load_file

    found = load_file(str(folder / "state.safetensors"))
    if any(name not in found or found[name].shape != weight.shape for name, weight in learned(model)):
        raise TrainingFailed(
            "What is saved of this run does not fit what the libraries that are installed now make of its model. "
            "Repeat the run, or install the versions again that it began with: `run` lists them on the command line."
        )
    state = optimizer.state_dict()
    for place, (name, weight) in enumerate(learned(model)):
        weight.data.copy_(found[name])
        held = {key: found[f"{key}:{name}"] for key in ("step", "exp_avg", "exp_avg_sq") if f"{key}:{name}" in found}  # fmt: skip
        if held:
            state["state"][place] = held
    optimizer.load_state_dict(state)


def forget(checkpoints: Path, after: int) -> None:
    """Remove what an earlier worker kept after so many updates: a resumed run makes it again."""
    for kind in ("at", "best", "point"):
        for folder in numbered(checkpoints, kind):
            if update_of(folder) > after:
                shutil.rmtree(folder, ignore_errors=True)
