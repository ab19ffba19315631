"""Answers to several questions at once, token by token: rows of base and adapters in one batch over one set of weights.

Architecture-neutral: the model's own forward and cache, prompts padded on the left, adapters laid over their rows.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from studio.core.records import Answer, Sampling
from studio.engine.adapters import Adapter, over_rows
from studio.engine.models import ChatTemplate

CHUNK = 512  # prompt tokens a pass: bounds the memory of long prompts, and how long "stop" has to wait


@dataclass
class Row:
    """One answer in the making. `prompt`: ids; `room`: tokens it may become; `ids`: the answer so far, without its end."""

    prompt: list[int]
    adapter: Adapter | None
    sampling: Sampling
    room: int
    fingerprint: str
    ids: list[int] = field(default_factory=list)
    text: str = ""
    seconds: float = 0.0
    done: bool = False

    def __post_init__(self) -> None:
        # Of its own, on the CPU: what a row draws depends on its seed alone, not on its neighbours or the device.
        self.chance = torch.Generator().manual_seed(self.sampling.seed)

    def take(self, scores: torch.Tensor, template: ChatTemplate, started: float) -> int:
        """Choose the next token from `scores` [vocabulary] and return its id; at an end token the row is done."""
        id = choose(scores, self.sampling, self.chance)
        self.seconds = time.perf_counter() - started
        if id in template.end_ids:
            self.done = True
        else:
            self.ids.append(id)
            # A character may take several tokens: its first ones alone are shown as U+FFFD, so wait for the rest.
            self.text = template.decode(self.ids).rstrip("\ufffd")
            self.done = len(self.ids) >= self.room
        return id

    def answer(self) -> Answer:
        return Answer(self.text, len(self.ids), self.seconds, self.done, self.fingerprint)


def answers(
    model: Any, template: ChatTemplate, asked: Sequence[Row], stopping: Callable[[], bool]
) -> Iterator[tuple[Answer, ...]]:
    """Yield every row's answer so far, after each token; the last time all are done. Closing it leaves the model clean.

    Ends within a token, or a chunk of a long prompt, of `stopping()`.
    """
    rows = sorted(asked, key=lambda row: id(row.adapter) if row.adapter else 0)  # same adapters side by side
    started = time.perf_counter()
    with over_rows(model, [row.adapter for row in rows]):
        batch = Batch(model, rows, min(template.end_ids))
        scores = batch.read(stopping)
        while scores is not None:
            next_ids = [
                batch.filler if row.done else row.take(each, template, started)
                for row, each in zip(rows, scores, strict=True)
            ]
            if stopping() or all(row.done for row in rows):
                break
            yield tuple(row.answer() for row in asked)
            scores = batch.step(next_ids, [not row.done for row in rows])
    for row in rows:
        row.done = True
    yield tuple(row.answer() for row in asked)


class Batch:
    """The model's memory of a batch: its key-value cache, which positions are padding, and where each row stands."""

    def __init__(self, model: Any, rows: Sequence[Row], filler: int) -> None:
        from transformers import DynamicCache

        self.model, self.filler = model, filler
        self.cache = DynamicCache(config=model.config)
        longest = max(len(row.prompt) for row in rows)
        padded = [[filler] * (longest - len(row.prompt)) + row.prompt for row in rows]
        real = [[0] * (longest - len(row.prompt)) + [1] * (len(row.prompt) + row.room) for row in rows]
        width = max(map(len, real))
        device = model.get_input_embeddings().weight.device
        self.prompts = torch.tensor(padded, device=device)
        self.mask = torch.tensor([each + [1] * (width - len(each)) for each in real], device=device)
        self.places = (self.mask.cumsum(1) - 1).clamp(min=0)  # of each token within its own row
        self.at = torch.tensor([len(row.prompt) for row in rows], device=device)
        self.seen = 0
        # Scores over the vocabulary at every prompt position would be the largest thing in memory by far.
        knows = "logits_to_keep" in inspect.signature(model.forward).parameters
        self.only_last = {"logits_to_keep": 1} if knows else {}

    def read(self, stopping: Callable[[], bool]) -> torch.Tensor | None:
        """Take in the prompts chunk by chunk; scores [rows, vocabulary] of the first token, or None if stopped on the way."""
        scores = None
        for part in self.prompts.split(CHUNK, 1):
            if stopping():
                return None
            scores = self.forward(part, self.places[:, self.seen : self.seen + part.shape[1]])
        return scores

    def step(self, ids: Sequence[int], live: Sequence[bool]) -> torch.Tensor:
        """Take in one token a row; scores [rows, vocabulary] of the next. A row that is done stands still."""
        scores = self.forward(torch.tensor(ids, device=self.at.device)[:, None], self.at[:, None])
        self.at += torch.tensor(live, device=self.at.device)
        return scores

    @torch.inference_mode()
    def forward(self, ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        self.seen += ids.shape[1]
        made = self.model(
            input_ids=ids,
            attention_mask=self.mask[:, : self.seen],
            position_ids=places,
            past_key_values=self.cache,
            use_cache=True,
            **self.only_last,
        )
        return made.logits[:, -1].float().cpu()


def choose(scores: torch.Tensor, sampling: Sampling, chance: torch.Generator) -> int:
    """The next token's id from scores [vocabulary]: the best, or drawn from the smallest set that holds `top_p`."""
    if sampling.temperature <= 0:
        return int(scores.argmax())
    shares, ids = (scores / sampling.temperature).softmax(0).sort(descending=True)
    beyond = shares.cumsum(0) - shares >= sampling.top_p
    beyond[0] = False  # the best always stays in, so that there is one to draw
    shares[beyond] = 0
    return int(ids[torch.multinomial(shares, 1, generator=chance)])
