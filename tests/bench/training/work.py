"""What is to be done, written down once for every side: conversations in training order, their ids and labels."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studio.core.encode import encode
from studio.core.records import Message
from studio.engine.models import ChatTemplate, load_tokenizer

Talk = list[dict[str, str]]
RANK, ALPHA, RATE, BATCH, SEED = 16, 32, 2e-4, 8, 42
# ChatML with the markers that TRL needs to tell what is an answer; the starter's own template has none. Its default
# system text is put in by the template itself, so it is repeated here.
TEMPLATE = """{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
' }}{% endif %}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '
' }}{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '
' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""


@dataclass(frozen=True)
class Job:
    model: str
    updates: int
    batch: int = BATCH
    learning_rate: float = RATE
    rank: int = RANK
    alpha: int = ALPHA
    seed: int = SEED


def write(folder: Path, model: Path, conversations: list[Talk], updates: int, order: str) -> Path:
    """Lay out the work of `updates` updates over a set of conversations; the studio may see the whole set.

    `order` is "shuffled", or "grouped": the same conversations with the longest first, which is how TRL's grouping by
    length orders a set of fewer than fifty batches.
    """
    run = folder / "run"
    run.mkdir(parents=True)
    job = Job(str(model), updates)
    (folder / "job.json").write_text(json.dumps(asdict(job)), "utf-8")
    (folder / "template.jinja").write_text(TEMPLATE, "utf-8")
    lines(run / "held_out.jsonl", [{"messages": min(conversations, key=lambda each: len(str(each)))}])
    for name in ("general.jsonl", "gauge.jsonl"):
        (run / name).touch()
    taken = list(range(len(conversations)))
    random.Random(job.seed).shuffle(taken)  # the order that the worker takes a set in
    taken = taken[: updates * job.batch]
    ordered = [conversations[at] for at in taken]
    ids = encoded(model, ordered)
    if order == "grouped":
        longest_first = sorted(range(len(ids)), key=lambda at: len(ids[at]["input_ids"]), reverse=True)
        ordered, ids = [ordered[at] for at in longest_first], [ids[at] for at in longest_first]
    placed = dict(enumerate(conversations)) | dict(zip(taken, ordered, strict=True))
    lines(run / "train.jsonl", [{"messages": each} for each in placed.values()])
    lines(folder / "messages.jsonl", [{"messages": each} for each in ordered])
    lines(folder / "encoded.jsonl", ids)
    return folder


def encoded(model: Path, conversations: list[Talk]) -> list[dict[str, Any]]:
    template = ChatTemplate(load_tokenizer(model))
    made = (encode(tuple(Message(**each) for each in talk), template) for talk in conversations)
    return [{"input_ids": each.ids, "labels": each.labels} for each in made]


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), "utf-8")
