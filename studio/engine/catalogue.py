"""The base models that the studio offers by name. Any other one can be used by its hub id or its folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """`id` is what a person types: a short name, or the hub's owner/name. `download` in bytes, None: not known."""

    id: str
    title: str
    parameters: int
    licence: str
    download: int | None = None


STARTER = "starter"
REHEARSAL = "rehearsal"

# Small instruct models whose chat templates render turns in order, so that every turn can be trained. Parameters are
# counted from their published shapes; tied weights count once.
CATALOGUE = (
    Entry(STARTER, "SmolLM2-135M-Instruct", 134_515_008, "Apache-2.0", 92_871_040),
    Entry("HuggingFaceTB/SmolLM2-360M-Instruct", "SmolLM2-360M-Instruct", 361_821_120, "Apache-2.0"),
    Entry("HuggingFaceTB/SmolLM2-1.7B-Instruct", "SmolLM2-1.7B-Instruct", 1_711_376_384, "Apache-2.0"),
    Entry("Qwen/Qwen2.5-0.5B-Instruct", "Qwen2.5-0.5B-Instruct", 494_032_768, "Apache-2.0"),
    Entry("Qwen/Qwen2.5-1.5B-Instruct", "Qwen2.5-1.5B-Instruct", 1_543_714_304, "Apache-2.0"),
    Entry("Qwen/Qwen3-4B-Instruct-2507", "Qwen3-4B-Instruct-2507", 4_022_468_096, "Apache-2.0"),
    Entry(REHEARSAL, "Rehearsal: tiny and untrained, to try the buttons", 361_088, "Apache-2.0", 0),
)


def entry(id: str) -> Entry | None:
    return next((each for each in CATALOGUE if each.id == id), None)
