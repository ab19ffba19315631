"""A conversation that Compare hands over to Write, as `Shell.handed` holds it."""

from __future__ import annotations

from typing import Any

HELD_OUT = (
    "This is the conversation that the question is from, and it is held out: learned, it could no longer measure. So the "
    "model's answer was not put into it; what stands here is your own. To teach this, write another conversation like it."
)


def opened(handed: Any) -> dict[str, str]:
    """What the editor is told of it; {} where nothing, or something for another tab, was handed over."""
    if not isinstance(handed, dict) or "conversation" not in handed:
        return {}
    return {"opened": str(handed["conversation"]), "said": HELD_OUT if handed.get("own") is True else ""}
