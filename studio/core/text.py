"""The one gate that every text passes on its way in: what would break a page, a database or a file is refused.

Nothing that a person wrote is ever changed on the way: it is kept as it came, to the byte, or refused with a sentence.
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

# Accents of Latin, Greek and Cyrillic, the points of Hebrew and Arabic, and what picks between forms of a sign.
ACCENTS = r"\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u065f\u0670\ufe00-\ufe0f"
ACCENT = re.compile(f"[{ACCENTS}]")

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


def made(text: str) -> str:
    """A model's text without what `clean` refuses and without space around it: what no person wrote may be changed."""
    return FORBIDDEN.sub("", text).strip()


def unlooped(text: str) -> str | None:
    """A text that ends with the same words three times over, with them once; None for any other.

    Small models fall into such a loop and do not leave it. Lines of dashes and the like are none. What is left ends with
    a sentence where it has one.
    """
    for size in range(12, 200):
        again = text[-size:]
        if text.endswith(again * 3) and any(map(str.isalpha, again)):
            once = text[: -2 * size]
            ends = [each.end() for each in re.finditer(r"[.!?](?=\s|$)", once)]
            return once[: ends[-1]] if ends else once
    return None


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
    """The form in which texts are compared by a search: case, width, accents and composition do not matter."""
    if text.isascii():
        return text.lower()
    bare = ACCENT.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()))
    return unicodedata.normalize("NFC", bare)


def one_line(text: str, limit: int = 200) -> str:
    """The beginning of `text` on one line, for lists. `limit` counts characters."""
    return " ".join(text[: 4 * limit].split())[:limit]
