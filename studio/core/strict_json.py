"""JSON as its standard has it, where Python's own reader lets more pass."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NoReturn


def parse(text: str) -> object:
    """Decode JSON as its standard has it: NaN and Infinity are refused. Raises ValueError with one line of reason."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a number that JSON knows")

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError(twice(pairs))
        return found

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def twice(pairs: Sequence[tuple[str, object]]) -> str:
    """Says which name an object has twice. JSON's readers would keep the last and drop the others in silence."""
    names = [name for name, _ in pairs]
    again = next(name for name in names if names.count(name) > 1)
    return f"`{again[:80]}` stands in it twice"
