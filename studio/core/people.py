"""Who acts: what a person may be called."""

from __future__ import annotations

import unicodedata

from studio.core.errors import BadInput
from studio.core.records import Person
from studio.core.text import clean

LONGEST = 60  # characters of a name


def named(name: str) -> Person:
    """The person of that name, in one form however it was typed. Raises BadInput for what cannot be read as a name.

    Marks that turn the direction of writing or show nothing are refused too: with them one name could pass for another.
    """
    wanted = unicodedata.normalize("NFC", " ".join(clean(name, "The name", LONGEST).split()))
    if not wanted or not wanted.isprintable() or len(wanted) > LONGEST:
        raise BadInput(
            f"This cannot be a name. Write one of up to {LONGEST} letters, without invisible characters."
        )
    return Person(wanted)
