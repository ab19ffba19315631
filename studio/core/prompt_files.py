"""A prompt as other programs take it: as messages in JSON, and as a Modelfile for Ollama."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from studio.core.errors import BadInput
from studio.core.records import Message

# What Ollama's library calls the bases that the studio offers.
AT_OLLAMA = {
    "starter": "smollm2:135m",
    "HuggingFaceTB/SmolLM2-360M-Instruct": "smollm2:360m",
    "HuggingFaceTB/SmolLM2-1.7B-Instruct": "smollm2:1.7b",
    "Qwen/Qwen2.5-0.5B-Instruct": "qwen2.5:0.5b",
    "Qwen/Qwen2.5-1.5B-Instruct": "qwen2.5:1.5b",
    "Qwen/Qwen3-4B-Instruct-2507": "qwen3:4b-instruct",
}
# Ollama reads a quoted text up to the first line that ends with three quotation marks; nothing can stand for them.
ENDS_EARLY = re.compile(r'"""[ \t]*[\r\n]')


def as_messages(system: str, shots: Sequence[Sequence[Message]]) -> str:
    """{"messages": [...]} as most programs take a prompt: the system text, then the examples as earlier turns."""
    turns = [{"role": each.role, "content": each.content} for each in together(system, shots)]
    return json.dumps({"messages": turns}, ensure_ascii=False, indent=2) + "\n"


def as_modelfile(system: str, shots: Sequence[Sequence[Message]], base: str) -> str:
    """The lines from which `ollama create` makes a model with this prompt. `base` is the studio's id of the base.

    Raises BadInput for a text that no Modelfile can hold.
    """
    known = AT_OLLAMA.get(base)
    start = [] if known else ["# Write here what Ollama calls the base model that you used in the studio."]
    start.append(f"FROM {known or 'NAME-OF-THE-BASE'}")
    return "\n".join([*start, *lines(system, shots)]) + "\n"


def lines(system: str, shots: Sequence[Sequence[Message]]) -> Iterator[str]:
    for each in together(system, shots):
        what = "SYSTEM" if each.role == "system" else f"MESSAGE {each.role}"
        if ENDS_EARLY.search(each.content):
            raise BadInput(
                'A line of the prompt ends with three quotation marks ("""), which a Modelfile cannot hold. Take them out, or '
                "take the prompt as messages."
            )
        yield f'{what} """{each.content}"""'


def together(system: str, shots: Sequence[Sequence[Message]]) -> list[Message]:
    start = [Message("system", system)] if system.strip() else []
    return [*start, *(each for shot in shots for each in shot if each.role != "system")]
