"""A plain chat template for base models that have none: who speaks is said in words, and an answer ends as a text does.

Such a base is used as "plain:ID". It then lies in a folder of the studio's own that holds links to the same files, and the
template. So everyone who reads a model's folder finds one template, a run's worker and an exported model's user, too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from studio.core.errors import ModelNotReady
from studio.engine.api import PLAIN

FILE = "chat_template.jinja"
NEXT_TURN = (
    "\n\nUser:"  # who was never taught to end an answer goes on with the next question: there it is over
)
# The line break after who speaks: an answer then begins with a token of its own, whatever its first letter is.
TURNS = (
    r"{% for message in messages %}"
    r"{% if message['role'] == 'system' %}{{ message['content'] + '\n\n' }}"
    r"{% elif message['role'] == 'user' %}{{ 'User:\n' + message['content'] + '\n\n' }}"
    r"{% else %}{{ 'Assistant:\n' + message['content'] + eos_token + '\n\n' }}{% endif %}{% endfor %}"
    r"{% if add_generation_prompt %}{{ 'Assistant:\n' }}{% endif %}"
)
BEGINNING = "{{ bos_token }}"  # where the model's texts begin with a token of their own


def original(id: str) -> str:
    """The base under its plain template; any other id is its own."""
    return id.removeprefix(PLAIN)


def next_turn(template: str) -> str:
    """What begins the next question in this template though no token ends the answer; "" for any other template."""
    return NEXT_TURN if template.removeprefix(BEGINNING) == TURNS else ""


def place(id: str, models: Path) -> Path:
    return models / "plain" / sha256(original(id).encode()).hexdigest()[:16]


def made(id: str, models: Path, folder: Path) -> Path | None:
    """The folder of the base under its plain template; None where it was not made yet, or `folder` holds other files now."""
    mine = place(id, models)
    template = mine / FILE
    names = {each.name for each in mine.iterdir()} - {FILE} if template.is_file() else None
    whole = names == {each.name for each in files(folder)}
    return mine if whole and all((mine / each).exists() for each in names or ()) else None


def make(id: str, models: Path, folder: Path, tokenizer: Any) -> Path:
    """Make it from the base in `folder`, whole when it appears. Raises ModelNotReady where no template can be given."""
    template = template_for(tokenizer, folder.name)
    mine = place(id, models)
    staging = mine.with_name(f".{mine.name}.{os.getpid()}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    for each in files(folder):
        show(each.resolve(), staging / each.name)
    (staging / FILE).write_text(template, "utf-8")
    shutil.rmtree(mine, ignore_errors=True)
    staging.rename(mine)
    return mine


def files(folder: Path) -> Iterator[Path]:
    return (each for each in folder.iterdir() if each.is_file() and each.name != FILE)


def show(file: Path, link: Path) -> None:
    """A link to the file; where the system gives none, another name of it; else a copy."""
    for way in (link.symlink_to, link.hardlink_to, partial(shutil.copy2, dst=link)):
        with contextlib.suppress(OSError, NotImplementedError):
            way(file)
            return
    raise ModelNotReady(f"{file} could not be linked or copied. Free some space, then try again.")


def template_for(tokenizer: Any, name: str) -> str:
    if not tokenizer.eos_token:
        raise ModelNotReady(
            f"The model in {name} knows no token that ends a text, so it could never be taught to end an answer. "
            "Choose another base model."
        )
    begins = tokenizer("a").input_ids[:1] == [tokenizer.bos_token_id]
    return f"{BEGINNING if begins else ''}{TURNS}"
