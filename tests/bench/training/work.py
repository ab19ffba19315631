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


def write(folder: Path, model: Path, conversations: list[list[dict[str, str]]], updates: int) -> Path:
    """Lay out the work of `updates` updates over a set of conversations; the studio may see the whole set."""
    run = folder / "run"
    run.mkdir(parents=True)
    job = Job(str(model), updates)
    (folder / "job.json").write_text(json.dumps(asdict(job)), "utf-8")
    (folder / "template.jinja").write_text(TEMPLATE, "utf-8")
    lines(run / "train.jsonl", [{"messages": each} for each in conversations])
    lines(run / "held_out.jsonl", [{"messages": min(conversations, key=lambda each: len(str(each)))}])
    for name in ("general.jsonl", "gauge.jsonl"):
        (run / name).touch()
    ordered = list(conversations)
    random.Random(job.seed).shuffle(ordered)  # the order that the worker takes a set in
    ordered = ordered[: updates * job.batch]
    lines(folder / "messages.jsonl", [{"messages": each} for each in ordered])
    lines(folder / "encoded.jsonl", encoded(model, ordered))
    return folder


def encoded(model: Path, conversations: list[list[dict[str, str]]]) -> list[dict[str, Any]]:
    template = ChatTemplate(load_tokenizer(model))
    made = (encode(tuple(Message(**each) for each in talk), template) for talk in conversations)
    return [{"input_ids": each.ids, "labels": each.labels} for each in made]


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), "utf-8")
