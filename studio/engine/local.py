"""The engine on this machine: what studio.engine.api promises, done by the modules beside it. torch is imported late."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from studio.core import encode
from studio.core.errors import DoesNotFit
from studio.core.records import Answer, Message, Token
from studio.engine import device, downloads, folders, libraries, resolve
from studio.engine.answering import Answering
from studio.engine.api import Ask, Base, Device, Loss, Progress, Said, Size
from studio.engine.models import ChatTemplate, load, load_tokenizer
from studio.engine.sizes import Sizes

LICENCES = ("LICENSE*", "LICENCE*", "NOTICE*")
TOKENIZER_FILES = ("tokenizer*", "special_tokens_map.json", "chat_template*", "vocab.*", "merges.txt")


class LocalEngine:
    """An Engine whose base models lie in `models`, or wherever a person's own folders are."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.answering = Answering()
        self.templates: dict[Path, tuple[str, ChatTemplate, Sizes]] = {}

    def device(self) -> Device:
        """The device in use, or, while nothing is loaded, what can be told of the machine at once."""
        if self.answering.loaded is None:
            return device.before_torch()
        return device.describe(device.choose())

    def bases(self) -> list[Base]:
        return resolve.bases(self.models)

    def base(self, id: str) -> Base:
        return resolve.resolve(id, self.models)

    def fetch(self, id: str, progress: Progress) -> Base:
        libraries.wait()
        resolve.ensure(id, self.models, progress)
        return self.base(id)

    def limit(self, id: str) -> int:
        return folders.limit(resolve.ready(id, self.models))

    def xray(self, id: str, messages: Sequence[Message], limit: int) -> list[Token]:
        return encode.xray(messages, self.template(id), limit)

    def seen(self, id: str, messages: Sequence[Message]) -> list[Token]:
        return encode.seen(messages, self.template(id))

    def sizes(self, id: str, conversations: Sequence[Sequence[Message]]) -> list[Size]:
        sizes = self.read(id)[2]
        return [sizes.of(each) for each in conversations]

    def counts(self, id: str, texts: Sequence[str]) -> list[int]:
        template = self.template(id)
        return [len(template.tokenize(each)[0]) for each in texts]

    def template(self, id: str) -> ChatTemplate:
        return self.read(id)[1]

    def read(self, id: str) -> tuple[str, ChatTemplate, Sizes]:
        """The base's chat template, read once, and anew when its files have changed; and the sizes counted under it."""
        folder = resolve.ready(id, self.models)
        libraries.wait()
        identity = folders.identity(folder)
        known = self.templates.get(folder)
        if known is None or known[0] != identity:
            template = ChatTemplate(load_tokenizer(folder))
            known = self.templates[folder] = (identity, template, Sizes(template))
        return known

    def answers(
        self, id: str, asks: Sequence[Ask], stopping: Callable[[], bool]
    ) -> Iterator[tuple[Answer, ...]]:
        return self.answering.answers(self.base(id), self.template(id), asks, stopping)

    def answer_all(
        self, id: str, asks: Sequence[Ask], rows_at_once: int, stopping: Callable[[], bool]
    ) -> Iterator[tuple[int, Answer]]:
        return self.answering.answer_all(self.base(id), self.template(id), asks, rows_at_once, stopping)

    def losses(
        self, id: str, said: Sequence[Said], stopping: Callable[[], bool]
    ) -> Iterator[tuple[int, tuple[Loss, ...]]]:
        return self.answering.losses(self.base(id), self.template(id), said, stopping)

    def wanted(self) -> bool:
        return bool(self.answering.line.waiting)

    def answering_now(self) -> bool:
        return self.answering.line.taken

    def loaded(self) -> str | None:
        held = self.answering.loaded
        return f"{held.base.title}, {held.precision}" if held else None

    def loading(self) -> tuple[str, float] | None:
        return self.answering.coming

    def merge(self, id: str, adapter: Path, out: Path) -> list[Path]:
        """See Engine.merge. Into 16-bit weights, never into 4-bit ones: there a light adapter can vanish."""
        libraries.wait()
        from studio.engine import adapters

        folder = resolve.ready(id, self.models)
        held = adapters.read(adapter)
        model = load(folder, "bf16", "cpu")
        adapters.merge(model, held)
        write(model, folder, out)
        return sorted(path for path in out.iterdir() if path.is_file())

    def reading_files(self, id: str) -> list[Path]:
        return found(resolve.ready(id, self.models), TOKENIZER_FILES)

    def unload(self) -> None:
        self.answering.unload()


def found(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in folder.glob(pattern)})


def write(model: Any, folder: Path, out: Path) -> None:
    """Save the model to `out` with the tokenizer and licence of `folder`. Raises DoesNotFit on a full disk."""
    try:
        model.save_pretrained(out)
        for path in found(folder, (*TOKENIZER_FILES, *LICENCES)):
            shutil.copy2(path, out)
    except (
        Exception
    ) as error:  # the library that writes the weights has an exception of its own for a full disk
        if not downloads.is_full(error):
            raise
        raise DoesNotFit(
            f"The disk became full while the merged model was written to {out}. Free some space."
        ) from error
