"""One training process: python -m studio.engine.worker RUN_FOLDER MODELS_FOLDER [LOCK]. No page, no database.

It reads the run folder's spec and frozen data, appends what happens to events.jsonl, and writes card.json last. All
that the rest of the studio knows of a run it reads from this folder. Started again on a run that was cut off, it goes on
from the newest checkpoint.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from filelock import FileLock

from studio.core.errors import StudioError, refused
from studio.core.progress import Discarded, Failed, Paused, Resumed, Sampled, Saved
from studio.core.recipe import Recipe, general_wanted, kept
from studio.core.steps import steps
from studio.engine.preparing import Prepared, prepare
from studio.engine.run_folder import Folder


def main() -> None:
    folder, models = Folder(Path(sys.argv[1])), Path(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: folder.asked.append("pause"))
    with held(folder.path, sys.argv[3:]):
        try:
            (folder.path / "queue").unlink(missing_ok=True)
            (folder.path / "pid").write_text(str(os.getpid()), "utf-8")
            folder.hold_room()
            run(folder, models)
        except StudioError as error:
            folder.free_room()
            folder.emit(Failed(error.title, str(error)))
            sys.exit(1)
        except Exception as error:
            folder.free_room()
            report(folder, error)
            raise
        folder.free_room()


def held(folder: Path, inherited: list[str]) -> AbstractContextManager[object]:
    """The run's lock: handed down by whoever started this process, as an open file; else it is taken."""
    if inherited:
        return nullcontext()  # the file stays open: the run is held until this process has left the memory
    # Waited for: whoever looks whether a run is alive may hold its lock for an instant.
    return FileLock(folder / "lock", timeout=10)


def report(folder: Folder, error: Exception) -> None:
    """Say what went wrong in a sentence; the traceback goes to the log of this process."""
    from studio.engine import memory

    explained: StudioError | None = None
    if memory.ran_out(error):
        explained = memory.explained()
    elif isinstance(error, OSError):
        explained = refused(error, "resume the run: it goes on from where it was saved last")
    if explained:
        folder.emit(Failed(explained.title, str(explained)))
    else:
        folder.emit(Failed("Training failed", f"Training ended with an unforeseen {type(error).__name__}. The details are in worker.log in the run's folder."))  # fmt: skip


def run(folder: Folder, models: Path) -> None:
    from studio.engine import finishing, trackers

    again = folder.mend()
    spec = json.loads((folder.path / "spec.json").read_text("utf-8"))
    recipe = kept(spec["recipe"])
    started = time.monotonic()
    prepared = prepare(folder, spec, recipe, models)
    training = Training(folder, prepared, recipe, started)
    if again:
        training.resume(spec.get("versions", {}))
    with trackers.tracked(folder, spec, [each[-1].content for each in prepared.watch.questions]):
        why = training.go()
        early = why == "keep" and not training.at.best_update
        if why == "pause" or early:
            folder.emit(Paused(training.at.done, early))
        elif why == "discard" or spec.get("trial"):
            shutil.rmtree(folder.checkpoints, ignore_errors=True)
            folder.emit(Discarded(training.at.done))
        else:
            finishing.finish(folder, prepared, training.at, why)


class Training:
    """The loop's parts, made from a run's recipe. `started`: when this worker was, by the clock that nobody sets."""

    def __init__(
        self, folder: Folder, prepared: Prepared, recipe: Recipe, started: float | None = None
    ) -> None:
        import torch

        from studio.engine.loop import Standing

        self.folder, self.prepared, self.recipe = folder, prepared, recipe
        self.started = started or time.monotonic()
        self.at = Standing(prepared.fit.row)
        self.spent = 0.0  # seconds of earlier workers
        weights = [each for each in prepared.model.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(
            weights, lr=recipe.learning_rate, weight_decay=0.0, fused=prepared.device != "mps"
        )

    def resume(self, planned_with: dict[str, str]) -> None:
        """Go on from the newest checkpoint that is whole, or from the beginning where there is none."""
        from studio.engine import resuming

        found, damaged = resuming.newest(self.folder.checkpoints)
        if found:
            row, self.at = self.at.row, resuming.standing(found)
            self.at.row = min(row, self.at.row)
            self.spent = self.at.seconds
            resuming.restore(found, self.prepared.model, self.optimizer)
        resuming.forget(self.folder.checkpoints, self.at.done)
        self.folder.emit(Resumed(self.at.done, self.at.evaluated, changed(planned_with), damaged))

    def go(self) -> str:
        """Train to the end, or until something ends it; returns why, as the loop tells."""
        from studio.engine import loop

        data, recipe, updates, row = self.prepared.data, self.recipe, self.prepared.updates, self.at.row
        wanted = general_wanted(recipe, len(data.own)) if data.general else 0
        parts = loop.Parts(
            model=self.prepared.model,
            loss=self.prepared.fit.loss,
            optimizer=self.optimizer,
            schedule=loop.warm_up_and_cosine(self.optimizer, updates, recipe.warm_up, self.at.made),
            rows=self.rows,
            held_out=self.rows(data.held_out, row),
            general=self.rows(data.gauge, row),
            emit=self.folder.emit,
            wish=self.folder.wish,
            keep_best=self.keep_best,
            watch=self.watch,
            save=self.save,
            keep_point=self.keep_point,
        )
        taken = steps(data.own, data.general, wanted, recipe.batch, updates, recipe.seed)
        every = math.ceil(updates / recipe.evaluations)
        rules = loop.Rules(updates, every, recipe.clip, recipe.patience, recipe.forget, recipe.points)
        return loop.train(parts, taken, rules, self.at)

    def rows(self, conversations: Any, longest: int) -> Any:
        from studio.engine import batches

        return [each.to(self.prepared.device) for each in batches.packs(conversations, longest)]

    def keep_best(self, update: int) -> None:
        from studio.engine import checkpoint, plain, resuming

        place = resuming.best(self.folder.checkpoints, update)
        checkpoint.save_adapter(self.prepared.model, place, plain.original(self.prepared.base))
        self.folder.emit(Saved(update, f"checkpoints/{place.name}"))

    def keep_point(self, update: int) -> None:
        from studio.engine import plain, points

        points.keep(self.folder, self.prepared.model, update, plain.original(self.prepared.base))

    def watch(self, update: int) -> None:
        if self.prepared.watch.questions:
            self.folder.emit(Sampled(update, self.prepared.watch.answers()))

    def save(self, at: Any) -> None:
        from studio.engine import resuming

        at.seconds = self.spent + time.monotonic() - self.started
        resuming.save(self.folder.checkpoints, self.prepared.model, self.optimizer, at)


def changed(planned_with: dict[str, str]) -> str:
    """What is of another version now than when the run was planned: the result may then differ in its last digits."""
    now = {name: installed(name) for name in planned_with if name != "studio"}
    return ", ".join(f"{name} {planned_with[name]} to {now[name]}" for name in now if now[name] != planned_with[name])  # fmt: skip


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


if __name__ == "__main__":
    main()
