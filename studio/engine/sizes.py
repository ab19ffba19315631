"""How many tokens conversations have, counted once: a plan, a check and each round of judging ask for the whole set anew."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from studio.core.encode import Template, encode
from studio.core.records import Message
from studio.engine.api import Size

MOST = 200_000  # conversations that are remembered, at some 200 bytes each; then the oldest are forgotten


class Sizes:
    """The sizes of conversations under one chat template. Only their digests are held, no text."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.known: dict[bytes, Size] = {}

    def of(self, messages: Sequence[Message]) -> Size:
        """Raises TemplateNotSplittable, BadInput, ModelNotReady as encoding does."""
        key = digest(messages)
        found = self.known.get(key)
        if found is None:
            encoded = encode(messages, self.template)
            found = self.known[key] = Size(len(encoded.ids), encoded.learned)
            if len(self.known) > MOST:
                self.known.pop(next(iter(self.known)), None)
        return found


def digest(messages: Sequence[Message]) -> bytes:
    """All that the tokens of a conversation, and which of them are learned, depend on, in 16 bytes."""
    made = blake2b(digest_size=16)
    for each in messages:
        content = each.content.encode()
        made.update(f"{each.role} {each.learned} {len(content)} ".encode())
        made.update(content)
    return made.digest()
