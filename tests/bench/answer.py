"""Base and tuned side by side, against two plain `generate` calls one after the other: python tests/bench/answer.py."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

ROUNDS = 5
NEW = 48  # tokens an answer
QUESTION = "How can I manage stress more effectively?"


def run(rounds: int = ROUNDS, new: int = NEW) -> dict[str, Any]:
    """Medians over interleaved rounds, after one untimed: {"what", "rows": [{what, ours, peer, ratio}]}, in seconds."""
    from studio.engine import device, starter

    chosen = device.choose()
    folder = starter.ensure(user_cache_path("sft-studio-tests") / "models", lambda done, total: None)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for precision in ("bf16", "fp32"):
            rows += measured(folder, Path(place) / precision, precision, rounds, new)
    what = f"two answers of {new} tokens, {chosen.threads} thread(s), median of {rounds} rounds"
    return {"what": what, "rows": rows}


def measured(folder: Path, adapter: Path, precision: str, rounds: int, new: int) -> list[dict[str, Any]]:
    from studio.core.encode import prompt
    from studio.core.records import Message
    from studio.engine import adapters, decode, models

    template = models.ChatTemplate(models.load_tokenizer(folder))
    ids = prompt((Message("user", QUESTION),), template)
    peer, own = with_adapter(folder, adapter, precision), models.load(folder, precision, "cpu")
    held = adapters.read(adapter)
    ways = {"ours": side_by_side(decode, own, template, ids, held, new), "peer": one_by_one(peer, ids, new)}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            times[name].append(clocked(way, new))
    rows = []
    for index, clock in enumerate(("wall", "cpu")):
        ours, theirs = (
            statistics.median(each[index] for each in times[name][1:]) for name in ("ours", "peer")
        )
        what = f"{precision}, prompt of {len(ids)}, {clock} seconds"
        rows.append(
            {"what": what, "ours": round(ours, 2), "peer": round(theirs, 2), "ratio": round(theirs / ours, 2)}
        )
    return rows


def with_adapter(folder: Path, adapter: Path, precision: str) -> Any:
    """The base with a random adapter through PEFT, saved to `adapter` so that both ways use the same one."""
    import torch
    from peft import LoraConfig, get_peft_model

    from studio.engine import models

    torch.manual_seed(0)
    config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(models.load(folder, precision, "cpu"), config).eval()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.002)
    model.save_pretrained(adapter, save_embedding_layers=False)
    return model


def side_by_side(
    decode: Any, model: Any, template: Any, ids: list[int], held: Any, new: int
) -> Callable[[], list[int]]:
    from studio.core.records import Sampling
    from studio.engine.kept import Kept
    from studio.engine.neutral import NeutralReader

    reader = NeutralReader(model)

    def way() -> list[int]:
        rows = [decode.Row(ids, who, Sampling(new), new, "") for who in (None, held)]
        *_, last = decode.answers(reader, template, rows, Kept(0), lambda: False)
        return [answer.tokens for answer in last]

    return way


def one_by_one(model: Any, ids: list[int], new: int) -> Callable[[], list[int]]:
    import torch

    given = torch.tensor([ids])

    def answer() -> int:
        made = model.generate(
            input_ids=given,
            attention_mask=torch.ones_like(given),
            max_new_tokens=new,
            do_sample=False,
            pad_token_id=2,
        )
        return int(made.shape[1]) - len(ids)

    def way() -> list[int]:
        with model.disable_adapter():
            base = answer()
        return [base, answer()]

    return way


def clocked(way: Callable[[], list[int]], new: int) -> tuple[float, float]:
    """Wall and processor seconds of one go; both answers must have their full length for the ways to be comparable."""
    wall, cpu = time.perf_counter(), time.process_time()
    lengths = way()
    spent = time.perf_counter() - wall, time.process_time() - cpu
    if lengths != [new, new]:
        raise RuntimeError(f"The answers have {lengths} tokens, not {new} each.")
    return spent


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
