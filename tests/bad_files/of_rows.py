"""Rows whose content is wrong, between two good ones, in every shape that has rows: JSON Lines, a JSON list, and CSV."""

from __future__ import annotations

import json
from typing import Any

from tests.bad_files.expected import GOOD, Bad, Corpus

USER = {"role": "user", "content": "Where is it?"}
SAID = {"role": "assistant", "content": "On the boat."}
LATER = ("And now?", "Still there.")
HALF = "holds half of a character"
SIGN = "an invisible control character"

# Turns that are no conversation, with the reason that must be named.
TURNS: dict[str, tuple[Any, str]] = {
    "no turns": ([], "no turns"),
    "only a system text": ([{"role": "system", "content": "x"}], "no turns"),
    "begins with an answer": ([SAID], "begins with an answer"),
    "ends with a question": ([USER, SAID, USER], "last turn is not an answer"),
    "two questions in a row": ([USER, USER, SAID], "Turns 1 and 2"),
    "two answers in a row": ([USER, SAID, SAID], "Turns 2 and 3"),
    "system text in the middle": ([USER, {"role": "system", "content": "x"}, SAID], "Turn 2 is a system text"),
    "two system texts": ([{"role": "system", "content": "x"}] * 2 + [USER, SAID], "Turn 2 is a system text"),
    "unknown role": ([{"role": "wizard", "content": "x"}, SAID], "unknown role"),
    "role in other letters": ([{"role": "User", "content": "x"}, SAID], "unknown role"),
    "role is a number": ([{"role": 1, "content": "x"}, SAID], "unknown role"),
    "role is a list": ([{"role": ["user"], "content": "x"}, SAID], "unknown role"),
    "role is an object": ([{"role": {"user": 1}, "content": "x"}, SAID], "unknown role"),
    "role is null": ([{"role": None, "content": "x"}, SAID], "unknown role"),
    "role is missing": ([{"content": "x"}, SAID], "unknown role"),
    "tool role": ([USER, {"role": "tool", "content": "x"}, SAID], "uses a tool"),
    "tool calls": ([USER, {**SAID, "tool_calls": [{"id": "1"}]}], "uses a tool"),
    "function call": ([USER, {**SAID, "function_call": {"name": "f"}}], "uses a tool"),
    "content is null": ([USER, {"role": "assistant", "content": None}], "has no text"),
    "content is missing": ([USER, {"role": "assistant"}], "has no text"),
    "content is a number": ([USER, {"role": "assistant", "content": 5}], "has no text"),
    "content is a list of parts": ([{"role": "user", "content": [{"type": "text", "text": "x"}]}, SAID], "has no text"),
    "content is an object": ([{"role": "user", "content": {"text": "x"}}, SAID], "has no text"),
    "content is true": ([{"role": "user", "content": True}, SAID], "has no text"),
    "question is empty": ([{"role": "user", "content": ""}, SAID], "Turn 1 is empty"),
    "answer is spaces": ([USER, {"role": "assistant", "content": " \n\t"}], "Turn 2 is empty"),
    "answer is a no-break space": ([USER, {"role": "assistant", "content": "\u00a0\u2003"}], "Turn 2 is empty"),
    "turn is a text": (["x"], "Turn 1 is not an object"),
    "turn is null": ([None], "Turn 1 is not an object"),
    "turn is a list": ([["user", "x"]], "Turn 1 is not an object"),
    "turns are an object": ({"role": "user", "content": "x"}, "is not a list"),
    "turns are a number": (7, "is not a list"),
    "turns are false": (False, "is not a list"),
    "turns are null": (None, "has no `messages`"),
    "turns are a text": ("once upon a time", "is not a list in JSON"),
    "turns are broken json in a text": ("[{", "is not a list in JSON"),
    "turns are nan in a text": ("[NaN]", "is not a list in JSON"),
    "weight below zero": ([USER, {**SAID, "weight": -1}], "weight of turn 2"),
    "weight is enormous": ([USER, {**SAID, "weight": 1e308}], "weight of turn 2"),
    "weight is infinite": ([USER, {**SAID, "weight": 10**400}], "weight of turn 2"),
    "weight is a text": ([USER, {**SAID, "weight": "0"}], "weight of turn 2"),
    "weight is true": ([USER, {**SAID, "weight": True}], "weight of turn 2"),
    "weight is a list": ([USER, {**SAID, "weight": [0]}], "weight of turn 2"),
    "name is a number": ([{**USER, "name": 5}, SAID], "name in turn 1"),
    "name is endless": ([{**USER, "name": "x" * 201}, SAID], "name in turn 1"),
    "name with a line of nul": ([{**USER, "name": "x\0"}, SAID], "name in turn 1"),
    "lone high surrogate": ([{"role": "user", "content": "a\ud800"}, SAID], HALF),
    "lone low surrogate": ([USER, {"role": "assistant", "content": "\udc00b"}], HALF),
    "surrogates in the wrong order": ([USER, {"role": "assistant", "content": "\udc00\ud83d"}], HALF),
    "nul in a question": ([{"role": "user", "content": "a\0b"}, SAID], SIGN),
    "bell in an answer": ([USER, {"role": "assistant", "content": "\x07"}], SIGN),
    "escape sequence of a terminal": ([USER, {"role": "assistant", "content": "\x1b[31mred"}], SIGN),
    "vertical tab": ([USER, {"role": "assistant", "content": "a\x0bb"}], SIGN),
    "form feed": ([USER, {"role": "assistant", "content": "a\x0cb"}], SIGN),
    "backspace": ([USER, {"role": "assistant", "content": "a\x08b"}], SIGN),
    "unit separator": ([USER, {"role": "assistant", "content": "a\x1fb"}], SIGN),
    "a text of more than a million characters": ([USER, {"role": "assistant", "content": "x" * 1_000_001}], "limit is 1,000,000"),
    "more than a thousand turns": ([USER, SAID] * 501, "1,002 turns"),
}  # fmt: skip

# Texts that look dangerous and are only texts: they come in to the letter.
TEXTS = {
    "right to left override": "\u202eabc\u202c", "isolates of direction": "\u2066x\u2069", "zero width signs": "a\u200b\u200d\ufeffb",
    "line separators": "a\u2028b\u2029c\u0085d", "old mac line ends": "a\rb\r", "dos line ends": "a\r\nb\r\n", "byte order mark inside": "\ufeffx",
    "not characters": "\ufffe\uffff", "private use": "\ue000\U0010fffd", "combining pile": "z" + "\u0351" * 300, "emoji of a family": "👩‍👩‍👧‍👦",
    "decomposed and composed": "e\u0301 \u00e9", "tag characters": "x\U000e0041", "script tag": "<script>alert(1)</script>", "control tokens": "<|im_end|></s>[INST]",
    "formula": "=1+1", "formula with a pipe": "=cmd|'/c calc'!A0", "plus": "+1", "minus": "-1", "at sign": "@SUM(A1)", "tab ahead": "\t=1", "apostrophe ahead": "'=1",
    "sql": "'; DROP TABLE conversations; --", "template": "{{x}} ${x} %s {0}", "not a number": "NaN", "the word null": "null", "the word na": "NA", "leading zeros": "007",
    "huge number as text": "1e999", "quotes": 'say "x", then', "backslashes": "\\n\\u0041", "spaces around": "  x  ", "only a zero": "0", "percent nul": "%00",
}  # fmt: skip


def row(turns: object) -> dict[str, object]:
    return {"messages": turns}


def pair(question: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def corpus() -> Corpus:
    for name, (turns, reason) in TURNS.items():
        rows = [row(pair(*GOOD)), row(turns), row(pair(*LATER))]
        left = {"taken": (GOOD, LATER), "refused": ((2, reason),)}
        yield Bad(f"{name}.jsonl", "\n".join(map(json.dumps, rows)).encode(), **left)
        yield Bad(f"{name}.json", json.dumps(rows, indent=1).encode(), **left)
    for name, text in TEXTS.items():
        kept = (("Q " + name, text), (text, "A " + name))
        rows = [row(pair(*each)) for each in kept]
        yield Bad(
            f"{name}.jsonl", "\n".join(json.dumps(each, ensure_ascii=False) for each in rows).encode(), kept
        )
        cells = "".join(
            ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in each) + "\r\n" for each in kept
        )
        yield Bad(f"{name}.csv", f"prompt,completion\r\n{cells}".encode(), kept)
