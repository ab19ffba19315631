"""How long a conversation is, in the words in which a person asks for it."""

from __future__ import annotations

from studio.core.records import Length

SHORT = 500  # characters of the longest one that is called short
LONG = 2000  # characters; what has more is called long


def length(size: int) -> Length:
    """The word for a conversation of `size` characters."""
    return "short" if size <= SHORT else "middle" if size <= LONG else "long"
