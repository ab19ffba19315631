"""What a run says while it works: one event a line in its events.jsonl, written by the worker alone."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Fetching:
    """The base model is being brought to this machine; bytes."""

    done: int
    total: int


@dataclass(frozen=True)
class Loading:
    """The base model is being loaded; `why` says on what device, in what precision, and for what reason."""

    base: str
    device: str
    precision: str
    why: str


@dataclass(frozen=True)
class Planned:
    """The exact work ahead, counted on the encoded data; and what the next plan must know of it to tell what that will take."""

    updates: int
    learned_tokens: int  # a pass over the project's own conversations
    held_out: int
    general: int
    path: str  # which form of the computation runs, and why
    left_out: int = 0
    held_out_tokens: int = 0
    gauge_tokens: int = 0  # of the general conversations that forgetting is measured on
    row: int = 0  # tokens of the longest row
    row_limit: int = 0  # tokens that a row may have, unless one conversation alone has more
    token_bytes: int = 0  # that one more token in a row takes; 0: not known
    memory_mb: int = 0  # the most held so far: by loading, and by choosing the form
    needed_mb: int = 0  # by what is held now and a step with the longest row, as it is reckoned; 0: not known


@dataclass(frozen=True)
class Stepped:
    """One update done. `loss` is the mean over this update's learned tokens, before it; `memory_mb` the most held so far."""

    update: int
    loss: float
    learning_rate: float
    tokens: int
    seconds: float
    grad_norm: float
    memory_mb: int = 0


@dataclass(frozen=True)
class Evaluated:
    """Losses after `update` updates; 0 is the base model as it came."""

    update: int
    held_out_loss: float
    general_loss: float
    best: bool


@dataclass(frozen=True)
class Sampled:
    """What the model answered to the run's watch-prompts after `update` updates, in their order; 0 is the base."""

    update: int
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Skipped:
    """An update was not made because its loss or gradient was not a number."""

    update: int
    why: str


@dataclass(frozen=True)
class Halved:
    """Memory ran out, so rows are half as long from this update on; the update itself stays the same. `row` in tokens."""

    update: int
    row: int


@dataclass(frozen=True)
class Untracked:
    """The log that was to be written besides, for TensorBoard or trackio, failed; `message` is a sentence for the person."""

    message: str


@dataclass(frozen=True)
class Saved:
    update: int
    folder: str


@dataclass(frozen=True)
class Resumed:
    """A worker goes on where an earlier one was ended: after `update` updates, of which `evaluated` was measured last (-1:
    none). What the earlier one said of later updates was lost with it.

    `changed` names what is of another version now than when the run was planned, as "torch 2.13.0 to 2.14.0"; `damaged`
    counts the checkpoints that could not be read.
    """

    update: int
    evaluated: int
    changed: str = ""
    damaged: int = 0


@dataclass(frozen=True)
class Paused:
    """The run ended so that it can be resumed: told by the operating system, or, with `early`, stopped by a person before
    there was anything to keep."""

    update: int
    early: bool = False


@dataclass(frozen=True)
class Finished:
    """The run is over and has a verified adapter; `state` is finished, or stopped when a person ended it early.

    `why` it ended before its last update: "worse" (the held-out loss rose), "forgot" (the general loss rose), "numbers"
    (three updates were none) or "".
    """

    state: str
    why: str = ""


@dataclass(frozen=True)
class Discarded:
    update: int


@dataclass(frozen=True)
class Failed:
    """The run ended without a result; `message` is a sentence for the person."""

    title: str
    message: str


Event = (
    Fetching | Loading | Planned | Stepped | Evaluated | Sampled | Skipped | Halved | Untracked | Saved | Resumed
    | Paused | Finished | Discarded | Failed
)  # fmt: skip


def as_line(event: Event, at: float, clock: float) -> dict[str, object]:
    """The event as it is written: its kind, the time, and its fields; what is no number is null.

    `at`: seconds since 1970, to be shown. `clock`: seconds by a clock that nobody sets, to be computed with; it begins
    anywhere, so only two readings of one worker can be compared.
    """
    return {
        "kind": type(event).__name__.lower(),
        "at": at,
        "clock": round(clock, 3),
        **{name: None if is_nan(value) else value for name, value in asdict(event).items()},
    }


def is_nan(value: object) -> bool:
    """JSON has no word for these, and a page that reads them would stop."""
    return isinstance(value, float) and not math.isfinite(value)
