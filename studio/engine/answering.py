"""The base model that is kept in memory for answers: one at a time, used by one caller at a time."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from studio.core.encode import prompt
from studio.core.errors import BadInput, Busy, DoesNotFit
from studio.core.prompt import system_text
from studio.core.records import Answer
from studio.engine import device as devices
from studio.engine import folders, memory, models
from studio.engine.api import Ask, Base, Loss, Said
from studio.engine.kept import Kept
from studio.engine.line import Line
from studio.engine.models import ChatTemplate

if TYPE_CHECKING:
    from studio.engine.adapters import Adapter
    from studio.engine.decode import Reader, Row

PATIENCE = 5.0  # seconds in which an answer that is being stopped has ended, before the memory is asked back
KEPT = 512 * 2**20  # bytes of what was read, at most: 20,000 tokens of a small model, 4,000 of a large one
SHARE_FOR_KEPT = 1 / 8  # of the memory available, where that is less
SHARE_FOR_LISTS = 1 / 8  # of what is kept, and beside it, for the text that a list's questions have in common

log = logging.getLogger(__name__)
Made = TypeVar("Made")


@dataclass(frozen=True)
class Loaded:
    """A base in memory. `identity` differs when the weights on the disk differ."""

    base: Base
    identity: str
    precision: str
    device: str
    reader: Reader
    template: ChatTemplate
    limit: int
    kept: Kept


class Answering:
    """Holds the loaded base and the adapters in use."""

    def __init__(self) -> None:
        self.line = Line()
        self.loaded: Loaded | None = None
        self.coming: tuple[str, float] | None = (
            None  # the title of the base that is being loaded, and how much of it
        )
        self.adapters: dict[tuple[Path, int], Adapter] = {}

    def answers(
        self, base: Base, template: ChatTemplate, asks: Sequence[Ask], stopping: Callable[[], bool]
    ) -> Iterator[tuple[Answer, ...]]:
        """See Engine.answers. Raises BadInput for a question that is too long."""
        from studio.engine import decode

        def alone() -> Iterator[tuple[Answer, ...]]:
            loaded, rows = self.ready(base, template, asks)
            yield from decode.answers(loaded.reader, loaded.template, rows, loaded.kept, stopping)

        return self.in_turn(alone, stopping)

    def answer_all(
        self,
        base: Base,
        template: ChatTemplate,
        asks: Sequence[Ask],
        rows_at_once: int,
        stopping: Callable[[], bool],
    ) -> Iterator[tuple[int, Answer]]:
        """See Engine.answer_all. What a list's rows have in common is kept for the rest of the list only."""
        from studio.engine import decode

        def alone() -> Iterator[tuple[int, Answer]]:
            loaded, rows = self.ready(base, template, asks)
            kept = Kept(int(loaded.kept.room * SHARE_FOR_LISTS))
            yield from decode.answer_all(loaded.reader, loaded.template, rows, rows_at_once, kept, stopping)

        return self.in_turn(alone, stopping)

    def losses(
        self, base: Base, template: ChatTemplate, said: Sequence[Said], stopping: Callable[[], bool]
    ) -> Iterator[tuple[int, tuple[Loss, ...]]]:
        """See Engine.losses."""
        from studio.engine import scoring

        def alone() -> Iterator[tuple[int, tuple[Loss, ...]]]:
            loaded = self.bring(base, template)
            self.read_adapters([each.adapter for each in said if each.adapter], loaded)
            rows = [
                scoring.row(each, loaded.template, self.adapters[key_of(each.adapter)] if each.adapter else None, loaded.limit)
                for each in said
            ]  # fmt: skip
            yield from scoring.losses(loaded.reader.model, rows, stopping)

        return self.in_turn(alone, stopping)

    def in_turn(
        self, answering: Callable[[], Iterator[Made]], stopping: Callable[[], bool]
    ) -> Iterator[Made]:
        if not self.line.take(stopping):
            return
        try:
            yield from answering()
        except Exception as error:
            if memory.ran_out(error):
                raise out_of_memory() from error
            raise
        finally:
            self.line.end()

    def ready(self, base: Base, template: ChatTemplate, asks: Sequence[Ask]) -> tuple[Loaded, list[Row]]:
        """Base and adapters in memory, and the questions as rows of tokens."""
        loaded = self.bring(base, template)
        self.read_adapters([each.adapter for each in asks if each.adapter], loaded)
        return loaded, [self.row(loaded, each) for each in asks]

    def bring(self, base: Base, template: ChatTemplate) -> Loaded:
        """The base in memory, loaded first where another one or none is there."""
        folder = template.folder
        identity = folders.identity(folder)
        if self.loaded and (self.loaded.template.folder, self.loaded.identity) == (folder, identity):
            return self.loaded
        self.drop()  # before the new one is loaded: two of them may not fit
        chosen = devices.choose()
        precision, _ = models.choose_precision(folder, "auto", chosen.device)
        return self.hold(base, template, precision, chosen.device)

    def hold(self, base: Base, template: ChatTemplate, precision: str, device: str) -> Loaded:
        """Load the base in this precision, to answer until another one is wanted."""
        folder = template.folder
        identity, limit = folders.identity(folder), folders.limit(folder)
        self.coming = (base.title, 0.0)
        try:
            reader = read_by(models.load(folder, precision, device, self.come))
        finally:
            self.coming = None
        kept = Kept(int(min(KEPT, SHARE_FOR_KEPT * devices.available_memory(device))))
        self.loaded = Loaded(base, identity, precision, device, reader, template, limit, kept)
        return self.loaded

    def come(self, done: int, total: int) -> None:
        if self.coming:
            self.coming = (self.coming[0], done / total)

    def drop(self) -> None:
        self.loaded = None
        self.adapters.clear()

    def unload(self) -> None:
        """Give the memory back. Raises Busy while an answer is being written."""
        until = time.monotonic() + PATIENCE
        if not self.line.take(lambda: time.monotonic() > until):
            raise Busy(
                "A question is being answered, so its model cannot be put away. Wait until it is done, or stop it."
            )
        try:
            self.drop()
        finally:
            self.line.end()

    def read_adapters(self, wanted: Sequence[Path], loaded: Loaded) -> None:
        """Hold exactly the wanted adapters; one that was written anew is read anew, and what it had read is forgotten."""
        from studio.engine import adapters

        keys = [key_of(path) for path in wanted]
        for (path, written), adapter in self.adapters.items():
            if path in wanted and (path, written) not in keys:
                loaded.kept.forget(adapter.fingerprint)
        self.adapters = {key: self.adapters.get(key) or adapters.read(key[0], loaded.device) for key in keys}

    def row(self, loaded: Loaded, ask: Ask) -> Row:
        from studio.engine.decode import Row

        ids = prompt(ask.messages, loaded.template)
        room = min(ask.sampling.max_tokens, loaded.limit - len(ids))
        if room < 1:
            raise BadInput(
                f"The conversation has {len(ids):,} tokens and {loaded.base.title} takes {loaded.limit:,}. Begin a new one, "
                "shorten it, or use fewer examples."
            )
        adapter = self.adapters[key_of(ask.adapter)] if ask.adapter else None
        return Row(ids, adapter, ask.sampling, room, fingerprint(loaded, adapter, ask))


def read_by(model: Any) -> Reader:
    """The fastest way of reading tokens that is right for this model, by its structure and by a trial."""
    from studio.engine import llama, packing
    from studio.engine.llama_reader import LlamaReader, agrees
    from studio.engine.neutral import NeutralReader

    if llama.applies(model):
        reader = LlamaReader(model)
        if agrees(reader):
            return reader
        log.warning(
            "The forward for Llama-type models does not agree with %s; its own is used.", type(model).__name__
        )
    packing.pack(model)
    models.pack_for_answers(model, True)
    return NeutralReader(model)


def key_of(folder: Path) -> tuple[Path, int]:
    """The adapter's folder and when its weights or settings were last written, in nanoseconds."""
    files = (folder / "adapter_model.safetensors", folder / "adapter_config.json")
    return folder, max((file.stat().st_mtime_ns for file in files if file.is_file()), default=0)


def fingerprint(loaded: Loaded, adapter: Adapter | None, ask: Ask) -> str:
    """Twelve hexadecimal digits over the weights, the adapter, the precision, the words before the question and the sampling.

    Of words that are kept as a prompt, its examples too, the arm's name tells the version.
    """
    parts = [
        loaded.base.id,
        loaded.identity,
        loaded.precision,
        adapter.fingerprint if adapter else "",
        system_text(ask.messages),
        ask.arm,
        asdict(ask.sampling),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def out_of_memory() -> DoesNotFit:
    return DoesNotFit(
        "Memory ran out while the answer was written. Ask for fewer tokens, shorten the conversation, or close other programs."
    )
