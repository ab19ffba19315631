"""One training process: python -m studio.engine.worker RUN_FOLDER MODELS_FOLDER. No page, no database.

It reads the run folder's spec and frozen data, appends what happens to events.jsonl, and writes card.json last. All
that the rest of the studio knows of a run it reads from this folder.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from studio.core.encode import Encoded, Template, encode
from studio.core.errors import NothingToLearn, StudioError
from studio.core.progress import Discarded as DiscardedEvent
from studio.core.progress import Event, Failed, Fetching, Finished, Loading, Planned, Saved, as_line
from studio.core.recipe import Recipe, general_wanted, planned_updates
from studio.core.records import Message


@dataclass
class Folder:
    """The run's folder as its worker sees it."""

    path: Path
    asked: list[str] = field(default_factory=list)  # what a signal asked for

    def emit(self, event: Event) -> None:
        """Append one event; flushed, so that every reader sees it at once."""
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as events:
            events.write(json.dumps(as_line(event, time.time())) + "\n")

    def wish(self) -> str:
        """What a person has asked of this run: "" (go on), "keep" (stop and keep the best) or "discard"."""
        try:
            return (self.path / "stop").read_text("utf-8").strip() or "keep"
        except FileNotFoundError:
            return self.asked[0] if self.asked else ""

    def conversations(self, name: str) -> list[tuple[Message, ...]]:
        with (self.path / name).open("rb") as lines:
            return [tuple(Message(**each) for each in json.loads(line)["messages"]) for line in lines]


def main() -> None:
    folder, models = Folder(Path(sys.argv[1])), Path(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: folder.asked.append("keep"))
    # Waited for: whoever looks whether a run is alive holds its lock for an instant.
    with FileLock(folder.path / "lock", timeout=10):
        (folder.path / "pid").write_text(str(os.getpid()), "utf-8")
        try:
            run(folder, models)
        except StudioError as error:
            folder.emit(Failed(error.title, str(error)))
            sys.exit(1)
        except Exception as error:
            report(folder, error)
            raise


def report(folder: Folder, error: Exception) -> None:
    """Say what went wrong in a sentence; the traceback goes to the log of this process."""
    from studio.engine import memory

    if memory.ran_out(error):
        explained: StudioError = memory.explained()
        folder.emit(Failed(explained.title, str(explained)))
    elif isinstance(error, OSError):
        folder.emit(Failed("There is not enough room", f"The run could not write its files ({error.strerror}). Free some space and start again."))  # fmt: skip
    else:
        folder.emit(Failed("Training failed", f"Training ended with an unforeseen {type(error).__name__}. The details are in worker.log in the run's folder."))  # fmt: skip


def run(folder: Folder, models: Path) -> None:
    spec = json.loads((folder.path / "spec.json").read_text("utf-8"))
    recipe = Recipe(**spec["recipe"])
    started = time.time()
    prepared = prepare(folder, spec, recipe, models)
    done = train(folder, prepared, recipe)
    finish(folder, prepared, done, time.time() - started)


@dataclass(frozen=True)
class Data:
    """The encoded conversations; `left_out` of the own ones were too long, or had nothing to learn."""

    own: list[Encoded]
    held_out: list[Encoded]
    general: list[Encoded]
    gauge: list[Encoded]
    left_out: int

    @property
    def longest(self) -> int:
        """In tokens."""
        return max(len(each.ids) for each in [*self.own, *self.held_out, *self.general, *self.gauge])

    def two_short(self) -> list[Encoded]:
        """Two own conversations at the lower quartile: enough to compare forms on, and little for the plain one to hold."""
        ordered = sorted(self.own, key=lambda each: len(each.ids))
        return ordered[len(ordered) // 4 :][:2]


@dataclass(frozen=True)
class Prepared:
    """A model with its adapter, fitted to the data and the memory, and the data."""

    model: Any
    base: str
    data: Data
    fit: Any
    updates: int
    device: str
    precision: str


def prepare(folder: Folder, spec: dict[str, Any], recipe: Recipe, models: Path) -> Prepared:
    from studio.engine import batches, device, fitting
    from studio.engine.models import ChatTemplate, choose_precision, load, load_tokenizer
    from studio.engine.resolve import ensure

    path = ensure(spec["base"], models, lambda done, total: folder.emit(Fetching(done, total)))
    chosen = device.choose()
    precision, why = choose_precision(path, recipe.quantization, chosen.device)
    folder.emit(Loading(spec["base"], chosen.device, precision, f"{chosen.why}; {why}"))
    data = read(folder, ChatTemplate(load_tokenizer(path)), recipe.max_length)
    model = with_adapter(load(path, precision, chosen.device), recipe)
    sample = batches.pack(data.two_short()).to(chosen.device)
    fit = fitting.fit(model, sample, data.longest, chosen.device)
    updates = planned_updates(recipe, len(data.own))
    learned = sum(each.learned for each in data.own)
    folder.emit(Planned(updates, learned, len(data.held_out), len(data.general), fit.told, data.left_out))
    write_json(folder.path / "spec.json", {**spec, "form": fit.told})
    return Prepared(model, spec["base"], data, fit, updates, chosen.device, precision)


def read(folder: Folder, template: Template, limit: int) -> Data:
    """Encode the run's conversations. Raises NothingToLearn where none fits the limit of `limit` tokens."""
    names = ("train.jsonl", "held_out.jsonl", "general.jsonl", "gauge.jsonl")
    own, held_out, general, gauge = (
        [encode(each, template) for each in folder.conversations(name)] for name in names
    )
    fitting = [each for each in own if len(each.ids) <= limit and each.learned]
    held_out = [each for each in held_out if len(each.ids) <= limit and each.learned]
    if not fitting or not held_out:
        raise NothingToLearn("No conversation fits the limit of the model. Shorten them or raise the limit.")
    return Data(fitting, held_out, general, gauge, len(own) - len(fitting))


def with_adapter(base: Any, recipe: Recipe) -> Any:
    """Freeze the base and give every linear layer but the head an adapter, whose weights are kept in fp32."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(recipe.seed)
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(base, config)


def train(folder: Folder, prepared: Prepared, recipe: Recipe) -> int:
    import torch

    from studio.engine import batches, checkpoint, loop

    device, data, row = prepared.device, prepared.data, prepared.fit.row
    weights = [each for each in prepared.model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0.0, fused=device != "mps")
    wanted = general_wanted(recipe, len(data.own)) if data.general else 0
    steps = batches.steps(data.own, data.general, wanted, recipe.batch, prepared.updates, recipe.seed, row)

    def keep_best(update: int) -> None:
        place = folder.path / "checkpoints" / "best"
        place.parent.mkdir(exist_ok=True)
        checkpoint.save_adapter(prepared.model, place, prepared.base)
        folder.emit(Saved(update, "checkpoints/best"))

    parts = loop.Parts(
        model=prepared.model,
        loss=prepared.fit.loss,
        optimizer=optimizer,
        schedule=loop.warm_up_and_cosine(optimizer, prepared.updates, recipe.warm_up),
        held_out=[each.to(device) for each in batches.packs(data.held_out, row)],
        general=[each.to(device) for each in batches.packs(data.gauge, row)],
        emit=folder.emit,
        wish=folder.wish,
        keep_best=keep_best,
    )
    on_device = ([pack.to(device) for pack in step] for step in steps)
    every = math.ceil(prepared.updates / recipe.evaluations)
    return loop.train(parts, on_device, prepared.updates, every, recipe.clip)


def finish(folder: Folder, prepared: Prepared, done: int, seconds: float) -> None:
    """Publish the best adapter, checked by reading it back, and write the card last."""
    from studio.engine import checkpoint

    if folder.wish() == "discard":
        folder.emit(DiscardedEvent(done))
        return
    best = folder.path / "checkpoints" / "best"
    if not best.exists():
        raise NothingToLearn(nothing_kept(done, prepared.updates))
    checkpoint.verify_adapter(best)
    checkpoint.copy_whole(best, folder.path / "adapter")
    state = "stopped" if done < prepared.updates else "finished"
    write_json(folder.path / "card.json", card(folder.path, prepared, state, done, seconds))
    folder.emit(Finished(state))


def nothing_kept(done: int, updates: int) -> str:
    """Why a run that ended has no adapter, and what to do: one that was stopped is not to blame."""
    if done < updates:
        return (
            f"The run was stopped after {done} of {updates} updates, before the held-out loss had fallen, "
            "so there is nothing to keep. Start it again and let it go on for longer."
        )
    return (
        "The held-out loss never fell below the base model's, so there is nothing to keep. "
        "Try the strong preset, or write more examples."
    )


def card(folder: Path, prepared: Prepared, state: str, done: int, seconds: float) -> dict[str, Any]:
    from studio.engine import checkpoint, memory

    with (folder / "events.jsonl").open(encoding="utf-8") as lines:
        evaluated = [event for event in map(json.loads, lines) if event["kind"] == "evaluated"]
    best = min(evaluated, key=lambda event: event["held_out_loss"])
    first, last = evaluated[0], evaluated[-1]
    return {
        "state": state,
        "updates": done,
        "seconds": round(seconds, 1),
        "learned_tokens": sum(each.learned for each in prepared.data.own),
        "held_out_loss": {
            "before": first["held_out_loss"],
            "best": best["held_out_loss"],
            "last": last["held_out_loss"],
        },
        "general_loss": {"before": first["general_loss"], "best": best["general_loss"]},
        "best_step": best["update"],
        "adapter": "adapter",
        "adapter_sha256": checkpoint.fingerprint(folder / "adapter" / "adapter_model.safetensors"),
        "peak_memory_mb": round(memory.peak() / 2**20),
        "device": prepared.device,
        "precision": prepared.precision,
    }


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a file whole or not at all, and onto the disk before this returns."""
    from studio.engine import checkpoint

    staging = path.with_suffix(".staging")
    staging.write_text(json.dumps(value, indent=2), "utf-8")
    checkpoint.sync(staging)
    staging.replace(path)
    checkpoint.sync(path.parent)


if __name__ == "__main__":
    main()
