"""The one fake: an engine whose answers are written down beforehand. Everything around it is real."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from studio.core.records import Answer, Message, Token
from studio.engine.api import Ask, Base, Device, Loss, Progress, Said, Size
from studio.engine.line import Line


@dataclass
class ScriptedEngine:
    """`script` holds the answers, one a row, oldest first; when it is empty, a row repeats its question. Every answer is
    told word by word, `pause` seconds apart. `asked` keeps what was asked; `closed` counts the answers that were ended early.
    """

    path: Path | None = Path("/nowhere/starter")
    script: list[str] = field(default_factory=list)
    pause: float = 0.0
    longest: int = 2048
    asked: list[tuple[Ask, ...]] = field(default_factory=list)
    closed: int = 0
    failure: Exception | None = None
    coming: tuple[str, float] | None = None
    line: Line = field(default_factory=Line)

    def device(self) -> Device:
        return Device("cpu", "CPU", "there is no other", 24 * 2**30, 3 * 2**30)

    def bases(self) -> list[Base]:
        return [self.base("starter")]

    def base(self, id: str) -> Base:
        return Base(id, "SmolLM2-135M-Instruct", 135 * 10**6, "Apache-2.0", 93 * 2**20, self.path)

    def fetch(self, id: str, progress: Progress) -> Base:
        return self.base(id)

    def limit(self, id: str) -> int:
        return self.longest

    def xray(self, id: str, messages: Sequence[Message], limit: int) -> list[Token]:
        words = [(word, each.learned) for each in messages for word in each.content.split()]
        return [
            Token(place, f"{word} ", learned, place >= limit) for place, (word, learned) in enumerate(words)
        ]

    def seen(self, id: str, messages: Sequence[Message]) -> list[Token]:
        return [Token(place, each.content, False, False, False) for place, each in enumerate(messages)]

    def sizes(self, id: str, conversations: Sequence[Sequence[Message]]) -> list[Size]:
        return [
            Size(
                sum(len(each.content.split()) for each in messages),
                sum(len(each.content.split()) for each in messages if each.learned),
            )
            for messages in conversations
        ]

    def counts(self, id: str, texts: Sequence[str]) -> list[int]:
        return [len(each.split()) for each in texts]

    def answers(
        self, id: str, asks: Sequence[Ask], stopping: Callable[[], bool]
    ) -> Iterator[tuple[Answer, ...]]:
        if self.failure:
            raise self.failure
        if not self.line.take(stopping):
            return
        self.asked.append(tuple(asks))
        texts = [self.script.pop(0) if self.script else each.messages[-1].content for each in asks]
        most = max(len(each.split(" ")) for each in texts)
        try:
            for count in range(1, most + 1):
                if stopping():
                    return
                time.sleep(self.pause)
                yield tuple(told(each, count, count == most) for each in texts)
        except GeneratorExit:
            self.closed += 1
            raise
        finally:
            self.line.end()

    def answer_all(
        self, id: str, asks: Sequence[Ask], rows_at_once: int, stopping: Callable[[], bool]
    ) -> Iterator[tuple[int, Answer]]:
        for place, each in enumerate(asks):
            for answers in self.answers(id, [each], stopping):
                if answers[0].done:
                    yield place, answers[0]

    def losses(
        self, id: str, said: Sequence[Said], stopping: Callable[[], bool]
    ) -> Iterator[tuple[int, tuple[Loss, ...]]]:
        for place, each in enumerate(said):
            words = [len(one.content.split()) for one in each.messages if one.learned]
            yield place, tuple(Loss(2.0 * count, count) for count in words)

    def wanted(self) -> bool:
        return bool(self.line.waiting)

    def answering_now(self) -> bool:
        return self.line.taken

    def loaded(self) -> str | None:
        return None

    def loading(self) -> tuple[str, float] | None:
        return self.coming

    def merge(self, id: str, adapter: Path, out: Path) -> list[Path]:
        out.mkdir(parents=True)
        (out / "model.safetensors").write_bytes(b"merged")
        return [out / "model.safetensors"]

    def reading_files(self, id: str) -> list[Path]:
        return []

    def unload(self) -> None:
        return None


def told(text: str, words: int, done: bool) -> Answer:
    so_far = " ".join(text.split(" ")[:words])
    return Answer(so_far, min(words, len(text.split(" "))), 0.1 * words, done, "scripted")
