"""What every command shares: its options, where it works, and how it speaks."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studio.core.records import Person, Project

if TYPE_CHECKING:  # it brings the database, and the first page must not wait for that
    from studio.work.studio import Studio

Home = Annotated[
    Path | None, typer.Option("--home", help="Where everything lives.", show_default="your data folder")
]
Name = Annotated[str, typer.Option("--project", help="The project; made on first use.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else there.")]


@dataclass(frozen=True)
class Here:
    """What every command works with."""

    studio: Studio
    person: Person
    project: Project


def here(home: Path | None, project: str) -> Here:
    from studio.work import studio as making
    from studio.work import writing

    studio = making.opened(home)
    return Here(studio, making.owner(), writing.project(studio, project))


def opened(home: Path | None) -> Studio:
    from studio.work import studio as making

    return making.opened(home)


def tell(as_json: bool, result: dict[str, Any], sentence: str) -> None:
    print(json.dumps(result, ensure_ascii=False) if as_json else sentence)


def say(text: str) -> None:
    """Progress and messages: never on standard output, which belongs to the result."""
    print(text, file=sys.stderr, flush=True)


def fetching() -> Callable[[int, int], None]:
    """A listener that says how far a fetch of the base model is, once for each tenth."""
    said = [-1]

    def tell(done: int, total: int) -> None:
        tenth = 10 * done // max(1, total)
        if tenth > said[0]:
            said[0] = tenth
            say(f"Fetching the base model: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

    return tell
