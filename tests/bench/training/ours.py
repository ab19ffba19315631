"""The studio's side: its own worker on a run folder, up to a number of updates: ours.py WORK PRECISION."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from studio.core.progress import Event, Planned, Stepped
from studio.core.recipe import Recipe
from studio.engine import preparing, run_folder, worker
from tests.bench.training.marks import Marks


class Watched(run_folder.Folder):
    """A run folder that notes the time after each update, and ends the run after the last one that is wanted."""

    def __init__(self, path: Path, updates: int) -> None:
        super().__init__(path)
        self.updates, self.marks = updates, Marks()
        self.tokens: list[int] = []
        self.form = ""

    def emit(self, event: Event) -> None:
        if isinstance(event, Planned):
            self.form = event.path
        if isinstance(event, Stepped):
            self.marks.updated()
            self.marks.losses.append(event.loss)
            self.tokens.append(event.tokens)
            if event.update == self.updates:
                self.asked.append("discard")
        super().emit(event)


def main() -> None:
    work, precision = Path(sys.argv[1]), sys.argv[2]
    job = json.loads((work / "job.json").read_text("utf-8"))
    folder = Watched(work / "run", job["updates"])
    # Planned far longer than it runs, so that the rate stays constant, as the peers' does.
    recipe = Recipe(
        learning_rate=job["learning_rate"],
        updates=100_000,
        batch=job["batch"],
        rank=job["rank"],
        alpha=job["alpha"],
        warm_up=0.0,
        seed=job["seed"],
        quantization=precision,
    )
    begun = time.perf_counter()
    prepared = preparing.prepare(folder, {"base": job["model"]}, recipe, work)
    ready = time.perf_counter() - begun
    initial = work / f"initial-{precision}"
    if not initial.exists():
        prepared.model.save_pretrained(str(initial), save_embedding_layers=False)
    worker.Training(folder, prepared, recipe).go()
    # The set may be larger than what is trained on here, so learned tokens are counted by who made the work.
    folder.marks.tell(folder.tokens, [], form=folder.form, ready=ready)


if __name__ == "__main__":
    main()
