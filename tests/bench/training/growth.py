"""Tokens a second of the studio alone as sets, conversations and models grow; a few updates on each are enough."""

from __future__ import annotations

import itertools
from typing import Any

SIZES, LENGTHS = (100, 1_000, 10_000), (64, 128, 256, 512, 1024, 2000)
UPDATES = 3
WORDS_A_TOKEN = 0.75  # of English text, about


def table(bench: Any) -> list[dict[str, Any]]:
    rows = [
        measured(bench, f"{size} conversations", "starter", repeated(bench.talks, size)) for size in SIZES
    ]
    rows += [measured(bench, f"about {length} tokens each", "starter", of_length(bench.talks, length)) for length in LENGTHS]  # fmt: skip
    rows.append(measured(bench, "OLMo2 of the starter's size", "olmo2", bench.talks))
    rows.append(measured(bench, "Llama, 1,536 wide, 12 layers", "llama", bench.talks))
    return rows


def measured(bench: Any, what: str, kind: str, talks: list[list[dict[str, str]]]) -> dict[str, Any]:
    found = bench.ours(bench.work(kind, talks, UPDATES), "bf16")
    return {
        "what": what,
        "tokens_per_s": round(found["tokens"] / found["wall"], 1),
        "tokens_per_cpu_s": round(found["tokens"] / found["cpu"], 1),
        "peak_mb": round(found["peak_mb"]),
        "seconds_until_ready": round(found["ready"], 1),
        "form": found["form"],
    }


def repeated(talks: list[list[dict[str, str]]], size: int) -> list[list[dict[str, str]]]:
    return list(itertools.islice(itertools.cycle(talks), size))


def of_length(talks: list[list[dict[str, str]]], length: int) -> list[list[dict[str, str]]]:
    """Conversations of one question and an answer whose words fill about `length` tokens."""
    words = [word for talk in talks for turn in talk for word in turn["content"].split()]
    each = max(8, int((length - 40) * WORDS_A_TOKEN))
    supply = itertools.cycle(words)
    return [
        [
            {"role": "user", "content": "Go on."},
            {"role": "assistant", "content": " ".join(itertools.islice(supply, each))},
        ]
        for _ in range(UPDATES * 8)
    ]
