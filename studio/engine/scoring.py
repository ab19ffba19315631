"""How much given answers surprise a model: their loss, with the base's own weights or an adapter laid over them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from studio.core.encode import IGNORED, encode
from studio.core.errors import BadInput
from studio.engine.adapters import Adapter
from studio.engine.api import Loss, Said
from studio.engine.models import ChatTemplate
from studio.engine.overlay import Overlay

TOGETHER = 1024  # tokens of a batch, padding counted: bounds the memory, and how long "stop" has to wait


@dataclass(frozen=True)
class Row:
    """A conversation's ids, and where in them each learned answer lies."""

    ids: list[int]
    answers: tuple[range, ...]
    adapter: Adapter | None


def row(said: Said, template: ChatTemplate, adapter: Adapter | None, limit: int) -> Row:
    """Raises BadInput for a conversation of more than `limit` tokens, TemplateNotSplittable."""
    encoded = encode(said.messages, template)
    if len(encoded.ids) > limit:
        raise BadInput(
            f"A conversation has {len(encoded.ids):,} tokens with its prompt and the model takes {limit:,}. "
            "Shorten it, or use fewer examples."
        )
    learned = [place for place, label in enumerate(encoded.labels) if label != IGNORED]
    # Places in a row belong to one answer: a turn of the user always stands between two.
    runs = [
        [place for _, place in group] for _, group in groupby(enumerate(learned), lambda at: at[1] - at[0])
    ]
    answers = [range(run[0], run[-1] + 1) for run in runs]
    if answers and not said.ended:
        answers[-1] = answers[-1][:-1]
    return Row(encoded.ids, tuple(answers), adapter)


def losses(
    model: Any, rows: Sequence[Row], stopping: Callable[[], bool]
) -> Iterator[tuple[int, tuple[Loss, ...]]]:
    """Yield (place in `rows`, the loss of each of its answers), rows of like length together. The model is left as it was."""
    overlay = Overlay(model)
    try:
        for places in batches(rows):
            if stopping():
                return
            yield from zip(places, measured(overlay, [rows[at] for at in places]), strict=True)
    finally:
        overlay.lift()


def batches(rows: Sequence[Row]) -> Iterator[list[int]]:
    """The places of rows that go through the model together: longest first, at most TOGETHER tokens."""
    waiting = sorted(range(len(rows)), key=lambda at: -len(rows[at].ids))
    while waiting:
        taken = max(1, TOGETHER // max(1, len(rows[waiting[0]].ids)))
        yield waiting[:taken]
        del waiting[:taken]


@torch.inference_mode()
def measured(overlay: Overlay, rows: Sequence[Row]) -> list[tuple[Loss, ...]]:
    """One pass. Rows are padded at their end: no token looks at what comes after it, so padding changes nothing."""
    overlay.deal([overlay.lay(each.adapter) for each in rows])
    device = overlay.model.get_input_embeddings().weight.device
    longest = max(len(each.ids) for each in rows)
    ids = torch.tensor([each.ids + [0] * (longest - len(each.ids)) for each in rows], device=device)
    # A token is told by the scores of the one before it. The very first one of all is told by none.
    places = sorted({at - 1 for each in rows for answer in each.answers for at in answer if at})
    if not places:
        return [tuple(Loss(0.0, 0) for _ in each.answers) for each in rows]
    scores = scores_at(overlay.model, ids, torch.tensor(places, device=device))
    column = {place: number for number, place in enumerate(places)}
    return [
        tuple(
            loss(scores[at], each.ids, [place for place in answer if place], column)
            for answer in each.answers
        )
        for at, each in enumerate(rows)
    ]


def scores_at(model: Any, ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Scores [rows, places, vocabulary]; over all positions they would be the largest thing in memory by far."""
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        made: torch.Tensor = model(input_ids=ids, use_cache=False, logits_to_keep=places).logits
        return made
    whole: torch.Tensor = model(input_ids=ids, use_cache=False).logits
    return whole[:, places]


def loss(scores: torch.Tensor, ids: Sequence[int], answer: Sequence[int], column: dict[int, int]) -> Loss:
    """The loss of the tokens at the places `answer`, from scores [places, vocabulary] of one row."""
    at = [column[place - 1] for place in answer]
    wanted = torch.tensor([ids[place] for place in answer], device=scores.device, dtype=torch.long)
    return Loss(float(cross_entropy(scores[at].float(), wanted, reduction="sum")), len(answer))
