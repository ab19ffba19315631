"""Answers to several questions at once, token by token: rows of base and adapters in one batch over one set of weights.

How tokens are read is a Reader's business; here it is decided which rows read what, and what follows.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from studio.core.records import Answer, Sampling
from studio.engine.adapters import Adapter
from studio.engine.kept import Entry, Kept
from studio.engine.models import ChatTemplate

CHUNK = 256  # prompt tokens a pass, of all rows together: bounds the memory of long prompts, and how long "stop" has to wait
LEAST = 16  # prompt tokens a pass of one row, however many rows there are
TOGETHER = 8192  # tokens of a list's rows, each counted as long as the longest may become: bounds the memory of their past
LIKELY = (
    1024  # of the best tokens: among so many the set that holds top_p is looked for before all are sorted
)


class Reader(Protocol):
    """Reads tokens through the weights and remembers each row's keys and values."""

    model: Any  # of transformers, for what is not read token by token
    joinable: bool  # whether rows can come and go while others are answered, and be kept

    def seat(self, adapter: Adapter | None, past: Any = None, length: int = 0) -> Any:
        """A place for a row, with the first `length` tokens of a `past` read already; its `length` tells how many are now.

        Raises ModelNotReady for an adapter that does not fit the model.
        """
        ...

    def forward(self, parts: Sequence[tuple[Any, Sequence[int]]]) -> torch.Tensor:
        """Take in a part of one token or more for each seat; scores [parts, vocabulary], fp32 on the CPU, after its last."""
        ...

    def past(self, seat: Any) -> Any:
        """A copy of what the seat remembers; tensors, or pairs of them, in a list."""
        ...

    def leave(self, seats: Sequence[Any]) -> None: ...

    def close(self) -> None:
        """Forget all rows and leave the model as it was."""
        ...


@dataclass(eq=False)
class Row:
    """One answer in the making. `prompt`: ids; `room`: tokens it may become; `ids`: the answer so far, without its end."""

    prompt: list[int]
    adapter: Adapter | None
    sampling: Sampling
    room: int
    fingerprint: str
    ids: list[int] = field(default_factory=list)
    seconds: float = 0.0
    done: bool = False

    def __post_init__(self) -> None:
        # Of its own, on the CPU: what a row draws depends on its seed alone, not on its neighbours or the device.
        self.chance = torch.Generator().manual_seed(self.sampling.seed)

    def take(self, scores: torch.Tensor, ends: frozenset[int], started: float) -> int:
        """Choose the next token from `scores` [vocabulary] and return its id; at an end token the row is done."""
        id = choose(scores, self.sampling, self.chance)
        self.seconds = time.perf_counter() - started
        if id in ends:
            self.done = True
        else:
            self.ids.append(id)
            self.done = len(self.ids) >= self.room
        return id

    def answer(self, template: ChatTemplate) -> Answer:
        # A character may take several tokens: its first ones alone are shown as U+FFFD, so wait for the rest.
        text = template.decode(self.ids).rstrip("\ufffd")
        return Answer(
            text, len(self.ids), self.seconds, self.done, self.fingerprint, len(self.ids) >= self.room
        )


def answers(
    reader: Reader, template: ChatTemplate, asked: Sequence[Row], kept: Kept, stopping: Callable[[], bool]
) -> Iterator[tuple[Answer, ...]]:
    """Yield every row's answer so far, after each token; the last time all are done. Closing it leaves the model clean.

    Ends within a token, or a chunk of a long prompt, of `stopping()`.
    """
    with Table(reader, template, kept) as table:
        table.seat(asked)
        while table.rows and not stopping():
            if table.step() and table.rows:
                yield tuple(row.answer(template) for row in asked)
    for row in asked:
        row.done = True
    yield tuple(row.answer(template) for row in asked)


def answer_all(
    reader: Reader,
    template: ChatTemplate,
    asked: Sequence[Row],
    rows_at_once: int,
    kept: Kept,
    stopping: Callable[[], bool],
) -> Iterator[tuple[int, Answer]]:
    """Yield (place in `asked`, answer) as each row is done; the place of a finished row is taken by the next.

    Rows of like length are read together, the longest first, so that no long one is left to run alone at the end.
    """
    waiting = deque(sorted(asked, key=lambda row: -len(row.prompt)))
    place = {id(row): index for index, row in enumerate(asked)}
    with Table(reader, template, kept) as table:
        while (waiting or table.rows) and not stopping():
            free = table.free(rows_at_once, waiting)
            table.seat([waiting.popleft() for _ in range(free)])
            for row in table.step():
                if row.done:
                    yield place[id(row)], row.answer(template)


@dataclass(eq=False)
class Reading:
    """A row at the table: its seat with the reader, the tokens it has yet to take in, and when it sat down.

    `begun`: how many of its tokens had been read before.
    """

    row: Row
    seat: Any
    pending: list[int]
    started: float
    begun: int


class Table:
    """The rows that are answered together. Each reads its prompt in parts, then its own tokens one by one, and leaves."""

    def __init__(self, reader: Reader, template: ChatTemplate, kept: Kept) -> None:
        self.reader, self.template, self.kept = reader, template, kept
        self.rows: list[Reading] = []

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if error[0] in (None, GeneratorExit):
                self.dismiss(self.rows)
        finally:
            self.reader.close()

    def seat(self, rows: Sequence[Row]) -> None:
        for row in rows:
            past, length = self.kept.find(name_of(row), row.prompt) if self.reader.joinable else (None, 0)
            seat = self.reader.seat(row.adapter, past, length)
            self.rows.append(Reading(row, seat, row.prompt[length:], time.perf_counter(), length))

    def free(self, rows_at_once: int, waiting: Sequence[Row]) -> int:
        """How many of those that wait, the longest first, may sit down now; one at least where nobody sits."""
        if not waiting or (self.rows and not self.reader.joinable):
            return 0
        longest = max(len(row.prompt) + row.room for row in [*waiting, *(each.row for each in self.rows)])
        most = max(1, min(rows_at_once, TOGETHER // longest))
        return max(0, min(most - len(self.rows), len(waiting)))

    def step(self) -> list[Row]:
        """One pass of the model. Returns the rows that took a token; those that are done have left."""
        parts = [(each, part) for each, part in zip(self.rows, self.parts(), strict=True) if part]
        scores = self.reader.forward([(each.seat, part) for each, part in parts])
        took: list[Row] = []
        for (each, part), row_scores in zip(parts, scores, strict=True):
            each.pending = each.pending[len(part) :]
            if not each.pending:
                each.pending = [each.row.take(row_scores, self.template.end_ids, each.started)]
                each.row.done = each.row.done or self.template.over(each.row.ids)
                took.append(each.row)
        self.dismiss([each for each in self.rows if each.row.done])
        return took

    def parts(self) -> list[list[int]]:
        """What each row takes in next: a share of its prompt, or its newest token."""
        reading = sum(len(each.pending) > 1 for each in self.rows)
        share = max(LEAST, CHUNK // max(1, reading))
        longest = 0 if self.reader.joinable else max(len(each.pending) for each in self.rows)
        # Where rows cannot come and go, all prompts have to end in the same pass: shorter ones begin later.
        waits = [max(0, longest - len(each.pending)) for each in self.rows]
        return [each.pending[: max(0, share - wait)] for each, wait in zip(self.rows, waits, strict=True)]

    def dismiss(self, leaving: Sequence[Reading]) -> None:
        """Let rows go; what was read of them is kept. They cost nothing from here on."""
        if self.reader.joinable:
            for each in leaving:
                self.keep(each)
        if leaving:
            self.reader.leave([each.seat for each in leaving])
        self.rows = [each for each in self.rows if each not in leaving]

    def keep(self, each: Reading) -> None:
        row = each.row
        # The newest token was chosen but not read, and an end token is not among the ids.
        read = (row.prompt + row.ids)[: each.seat.length]
        if read and self.kept.room:
            past = self.reader.past(each.seat)
            self.kept.keep(Entry(name_of(row), tuple(read), past, size_of(past), each.begun, len(row.prompt)))


def name_of(row: Row) -> str:
    return row.adapter.fingerprint if row.adapter else ""


def size_of(past: Any) -> int:
    """Bytes of a tensor, or of all in a list."""
    if isinstance(past, torch.Tensor):
        return past.numel() * past.element_size()
    return sum(map(size_of, past))


def choose(scores: torch.Tensor, sampling: Sampling, chance: torch.Generator) -> int:
    """The next token's id from scores [vocabulary]: the best, or drawn from the smallest set that holds `top_p`."""
    if sampling.temperature <= 0:
        return int(scores.argmax())
    shares = (scores / sampling.temperature).softmax(0)
    best, ids = shares.topk(min(LIKELY, len(shares)))
    if float(best.sum()) < sampling.top_p:
        best, ids = shares.sort(descending=True)
    within = best.cumsum(0) - best < sampling.top_p
    within[0] = True  # the best always stays in, so that there is one to draw
    sums = best[within].cumsum(0)
    point = torch.rand(1, generator=chance) * sums[-1]
    return int(ids[min(int(torch.searchsorted(sums, point)), len(sums) - 1)])
