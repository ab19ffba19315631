"""Taking a prompt home: a small file that other programs read."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from studio.core import prompt_files
from studio.core.errors import BadInput
from studio.core.text import clean
from studio.work import examples, writing
from studio.work.prompts import worded
from studio.work.studio import Studio

NAMES = {"messages": "{}.json", "modelfile": "Modelfile"}


def write(
    studio: Studio, project_id: str, name: str, system: str, pinned: Sequence[str], kind: str
) -> tuple[Path, list[str]]:
    """Write a prompt with its pinned examples into a private folder of its own: the file, and what was left out and why.

    The nearest examples cannot come along: they differ with the question. `kind` is one of NAMES. Raises BadInput.
    """
    if kind not in NAMES:
        raise BadInput(f"A prompt is not taken home as “{kind}”. Use one of {', '.join(NAMES)}.")
    shown, left_out = examples.pinned(studio, project_id, pinned)
    shots = [each.conversation.messages for each in shown]
    if kind == "messages":
        text = prompt_files.as_messages(worded(system), shots)
    else:
        text = prompt_files.as_modelfile(worded(system), shots, writing.by_id(studio, project_id).base)
    file = Path(tempfile.mkdtemp(dir=studio.home.temporary)) / NAMES[kind].format(plain(name))
    file.write_text(text, "utf-8", newline="")
    return file, left_out


def plain(name: str) -> str:
    """A prompt's name as a file's: letters, digits and hyphens."""
    kept = "".join(each if each.isalnum() else "-" for each in clean(name, "The prompt's name", 1000)[:60])
    return kept.strip("-") or "prompt"
