"""The torch-free face of the engine: what `work` may ask of it, as a Protocol and plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from studio.core.records import Answer, Message, Sampling, Token

PLAIN = "plain:"  # before a base's id: the same base under the studio's plain chat template
Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True)
class Device:
    """Where the engine computes, and why there. Memory in bytes; `kind` is cuda, mps or cpu."""

    kind: str
    name: str
    why: str
    total_memory: int
    used_memory: int


@dataclass(frozen=True)
class Base:
    """A base model that a project can use. `path` is where its files lie, None while it is not on this machine.

    `trouble`: why it can no longer be used although somebody chose it, with the way out. `template`: whether its chat
    template is its own; one that has none cannot be used as it is, and can be as PLAIN + id.
    """

    id: str
    title: str
    parameters: int | None
    licence: str
    download: int | None  # bytes to fetch; None: not known
    path: Path | None
    trouble: str = ""
    template: Literal["own", "none", "plain"] = "own"


@dataclass(frozen=True)
class Ask:
    """One row of a batch: the whole conversation up to the question, and the adapter that answers (None: the base).

    `arm` is its name, with the version of a kept prompt, for the answer's fingerprint.
    """

    messages: tuple[Message, ...]
    adapter: Path | None
    sampling: Sampling
    arm: str = ""


@dataclass(frozen=True)
class Size:
    """A conversation's tokens after the chat template: all of them, and those that are learned."""

    tokens: int
    learned: int


@dataclass(frozen=True)
class Said:
    """A conversation whose learned answers are measured: how much they surprise the base, or an adapter on it.

    `ended`: whether its last answer came to its end; where it was cut off, its end was not said and does not count.
    """

    messages: tuple[Message, ...]
    adapter: Path | None
    ended: bool = True


@dataclass(frozen=True)
class Loss:
    """The loss of an answer: the sum over its tokens, in nats."""

    nats: float
    tokens: int


class Engine(Protocol):
    def device(self) -> Device: ...

    def bases(self) -> list[Base]:
        """The catalogue with what is on this machine."""
        ...

    def base(self, id: str) -> Base:
        """A catalogue entry, a local folder or a hub id. Raises ModelNotReady for a folder that cannot be used."""
        ...

    def fetch(self, id: str, progress: Progress) -> Base:
        """Bring a base to this machine, once; returns at once where it is there. Raises ModelNotReady, DoesNotFit."""
        ...

    def limit(self, id: str) -> int:
        """The longest conversation the model takes, in tokens."""
        ...

    def xray(self, id: str, messages: Sequence[Message], limit: int) -> list[Token]:
        """Raises TemplateNotSplittable, ModelNotReady."""
        ...

    def seen(self, id: str, messages: Sequence[Message]) -> list[Token]:
        """All that the model reads before it answers the question at the end. Raises ModelNotReady, BadInput."""
        ...

    def sizes(self, id: str, conversations: Sequence[Sequence[Message]]) -> list[Size]:
        """Raises TemplateNotSplittable, ModelNotReady."""
        ...

    def counts(self, id: str, texts: Sequence[str]) -> list[int]:
        """Tokens of each text by itself, without what the chat template puts around it. Raises ModelNotReady."""
        ...

    def answers(
        self, id: str, asks: Sequence[Ask], stopping: Callable[[], bool]
    ) -> Iterator[tuple[Answer, ...]]:
        """Answer all asks in one batch over one set of weights; yields every row's answer so far after each token.

        A row that is done costs nothing any more, and what a row has in common with an earlier question is not read again.
        Waits until those who asked before are answered. The last yield has done=True in every row, and comes within a token
        of `stopping()`; none comes where that was said before its turn. Raises ModelNotReady, DoesNotFit, and BadInput for a
        question that is too long.
        """
        ...

    def answer_all(
        self, id: str, asks: Sequence[Ask], rows_at_once: int, stopping: Callable[[], bool]
    ) -> Iterator[tuple[int, Answer]]:
        """Answer a list, `rows_at_once` rows at a time; yields (place in `asks`, answer) as each one is done.

        A finished row makes room for the next question. Ends within a token of `stopping()`, without the answers that are
        not whole. Raises as `answers` does, for a question that is too long before the first is answered.
        """
        ...

    def losses(
        self, id: str, said: Sequence[Said], stopping: Callable[[], bool]
    ) -> Iterator[tuple[int, tuple[Loss, ...]]]:
        """Measure conversations; yields (place in `said`, the loss of each of its learned answers) as each one is done.

        Counted as in training: an answer's tokens up to and with its end. Ends within some seconds of `stopping()`.
        Raises as `answer_all` does, and TemplateNotSplittable.
        """
        ...

    def wanted(self) -> bool:
        """Whether somebody waits for what is being answered just now to end: a long list makes room for a person."""
        ...

    def answering_now(self) -> bool:
        """Whether a question is being answered or a list worked on just now, so that whoever asks waits."""
        ...

    def loaded(self) -> str | None:
        """The base held in memory for answers, with its precision, for the header strip; None: none."""
        ...

    def loading(self) -> tuple[str, float] | None:
        """The title of the base that is being loaded for answers just now, and the share of it that is there."""
        ...

    def merge(self, id: str, adapter: Path, out: Path) -> list[Path]:
        """Write base and adapter as one 16-bit safetensors model folder; returns the files."""
        ...

    def reading_files(self, id: str) -> list[Path]:
        """The files by which a base reads and writes text, its chat template among them. Raises ModelNotReady."""
        ...

    def unload(self) -> None: ...
