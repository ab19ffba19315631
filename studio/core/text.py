"""The one gate that every text passes on its way in: what would break a page, a database or a file is refused.

Nothing is ever changed on the way: a text is kept as it came, to the byte, or refused with a sentence.
"""

from __future__ import annotations

import re
import unicodedata

from studio.core.errors import BadInput

LIMIT = 1_000_000  # characters in one text
MOST_TURNS = 1000  # of one conversation

# A lone surrogate is half a character: it cannot be written as UTF-8, and once sent to a page it ends that page's stream.
# NUL and its neighbours end strings in C libraries and are invisible on screen. Tab and the two line ends are text.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

CONTROL_TOKEN = re.compile(
    r"<\|[^|<>\s]{1,80}\|>"  # <|im_end|>, <|endoftext|>, <|eot_id|>
    r"|<｜[^｜<>\s]{1,80}｜>"  # the same with full-width bars
    r"|</?s>|<(?:bos|eos|pad|unk|mask)>"
    r"|<(?:start|end)_of_(?:turn|image)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
    r"|<</?SYS>>"
    r"|\[gMASK\]"
)


def clean(text: str, what: str, limit: int = LIMIT) -> str:
    """Return `text` unchanged, or raise BadInput with the place of what cannot be kept.

    `what` names the text at the beginning of the sentence, such as "Turn 2"; `limit` counts characters.
    """
    if not isinstance(text, str):
        raise BadInput(f"{what} is not text. Write it as text and try again.")
    if len(text) > limit:
        raise BadInput(
            f"{what} is {len(text):,} characters long and the limit is {limit:,}. Shorten or split it."
        )
    if found := FORBIDDEN.search(text):
        raise BadInput(f"{what} holds {named(found.group())} at {place(text, found.start())}. Delete it there and try again.")  # fmt: skip
    return text


def named(character: str) -> str:
    code = ord(character)
    kind = "half of a character" if code >= 0xD800 else "an invisible control character"
    return f"{kind} (U+{code:04X})"


def place(text: str, position: int) -> str:
    """Where `position` is, as a person counts: lines and characters from 1."""
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    return f"character {column}" if line == 1 else f"line {line}, character {column}"


def control_tokens(text: str) -> list[str]:
    """The chat-template control tokens that stand in `text` as if they were words, in their order."""
    return CONTROL_TOKEN.findall(text)


def searchable(text: str) -> str:
    """The form in which texts are compared by a search: case, width and composition of letters do not matter."""
    return unicodedata.normalize("NFKC", text.casefold())


def one_line(text: str, limit: int = 200) -> str:
    """The beginning of `text` on one line, for lists. `limit` counts characters."""
    return " ".join(text[: 4 * limit].split())[:limit]
