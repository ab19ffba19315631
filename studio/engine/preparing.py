"""Before the first update: the base with its adapter, fitted to the data and the memory of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.core.encode import Encoded, Template, encode
from studio.core.errors import NothingToLearn, TrainingFailed
from studio.core.progress import Fetching, Loading, Planned
from studio.core.recipe import Recipe, planned_updates
from studio.core.steps import extent
from studio.engine.run_folder import Folder, write_json
from studio.engine.watching import Watch


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
        return max(lengths([*self.own, *self.held_out, *self.general, *self.gauge]))

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
    watch: Watch


def prepare(folder: Folder, spec: dict[str, Any], recipe: Recipe, models: Path) -> Prepared:
    from studio.engine import batches, device, fitting, folders
    from studio.engine.models import ChatTemplate, choose_precision, load, load_tokenizer
    from studio.engine.resolve import ensure

    path = ensure(spec["base"], models, lambda done, total: folder.emit(Fetching(done, total)))
    revision = known_base(path, spec)
    chosen = device.choose()
    precision, why = choose_precision(path, recipe.quantization, chosen.device)
    folder.emit(Loading(spec["base"], chosen.device, precision, f"{chosen.why}; {why}"))
    template, frozen = ChatTemplate(load_tokenizer(path)), spec.get("data", {})
    data = read(folder, template, min(recipe.max_length, folders.limit(path)), frozen)
    model = with_adapter(load(path, precision, chosen.device), recipe)
    sample = batches.pack(data.two_short()).to(chosen.device)
    fit = fitting.fit(model, sample, data.longest, chosen.device)
    updates = planned_updates(recipe, len(data.own))
    folder.emit(planned(data, recipe, updates, fit, model))
    write_json(folder.path / "spec.json", {**spec, "form": fit.told, "base_revision": revision})
    watch = Watch(model, template, folder.conversations("watch", frozen) if "watch" in frozen else ())
    return Prepared(model, spec["base"], data, fit, updates, chosen.device, precision, watch)


def planned(data: Data, recipe: Recipe, updates: int, fit: Any, model: Any) -> Planned:
    from studio.engine import memory

    trained = (each for each in model.parameters() if each.requires_grad)
    adapting = 3 * sum(each.nbytes for each in trained)  # the gradient, and the two means that Adam keeps
    _, row = extent(lengths(data.own), lengths(data.general), recipe, updates, fit.row)
    step = fit.step and fit.step - fit.token * (fit.row - row)
    return Planned(
        updates=updates,
        learned_tokens=sum(each.learned for each in data.own),
        held_out=len(data.held_out),
        general=len(data.general),
        path=fit.told,
        left_out=data.left_out,
        held_out_tokens=sum(lengths(data.held_out)),
        gauge_tokens=sum(lengths(data.gauge)),
        row=row,
        row_limit=fit.row,
        token_bytes=fit.token,
        memory_mb=round(memory.peak() / 2**20),
        needed_mb=round((memory.held() + adapting + step) / 2**20) if step else 0,
    )


def lengths(conversations: Sequence[Encoded]) -> list[int]:
    """In tokens."""
    return [len(each.ids) for each in conversations]


def known_base(path: Path, spec: dict[str, Any]) -> str:
    """Which base this is. Raises TrainingFailed where a run that goes on had begun on another."""
    from studio.engine import folders

    revision = folders.revision(path)
    if spec.get("base_revision", revision) != revision:
        raise TrainingFailed(
            f"The base model {spec['base']} is no longer the one that this run began on: its files were changed. "
            "Repeat the run to train on what is there now."
        )
    return revision


def read(folder: Folder, template: Template, limit: int, frozen: dict[str, Any]) -> Data:
    """Encode the run's conversations. Raises NothingToLearn where none fits the limit of `limit` tokens."""
    names = ("train", "held_out", "general", "gauge")
    own, held_out, general, gauge = (
        [encode(each, template) for each in folder.conversations(name, frozen)] for name in names
    )
    fitting = [each for each in own if len(each.ids) <= limit and each.learned]
    held_out = [each for each in held_out if len(each.ids) <= limit and each.learned]
    if not fitting or not held_out:
        raise NothingToLearn(
            f"Too few conversations fit the limit of {limit:,} tokens: one to learn from and one held out are needed. "
            "Shorten them, or raise “Longest conversation” under Advanced settings, and start again."
        )
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
