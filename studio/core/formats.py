"""Conversations in the shapes that people keep them in: messages, ShareGPT, Alpaca, prompt/completion and more, in and out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any

from studio.core import annotated
from studio.core.columns import tags_of
from studio.core.errors import BadInput
from studio.core.records import Conversation, Message, Role
from studio.core.strict_json import parse
from studio.core.text import MOST_TURNS, clean

RawRow = Mapping[str, object]

# The fields by which each shape is known. Where a row has the fields of several, the first of them counts.
FIELDS: dict[str, tuple[str, ...]] = {
    "messages": ("messages",),
    "sharegpt": ("conversations",),
    "alpaca": ("instruction", "output"),
    "prompt": ("prompt", "completion"),
    "labelstudio": ("data", "annotations"),
    "argilla": ("fields", "responses"),
}
TABLE = "table"  # a shape of its own: columns of any names, and what each of them is
FORMATS = (*FIELDS, TABLE)
EXPECTED = "`messages` (OpenAI), `conversations` (ShareGPT), `instruction` and `output` (Alpaca), `prompt` and `completion`, or a question and an answer"
# What is read from a row beside the fields by which its shape is known.
BESIDE = ("tags", "note")
OPTIONAL: dict[str, tuple[str, ...]] = {"sharegpt": ("system",), "alpaca": ("input", "system", "history")}
OF_A_TURN = ("role", "content", "from", "value", "name", "weight")

ROLES: dict[object, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
}
TOOLS = ("tool", "function", "function_call", "tool_call", "observation", "ipython")
CALLS = ("tool_calls", "function_call")
MOST_WEIGHT = 1000
ARM = re.compile(r"base|run:[\w-]{1,40}|endpoint:[\w%./:@~-]{1,3000}", re.ASCII)


@dataclass(frozen=True)
class Verdict:
    """What a row of a file is worth: its messages, or else the reason why it cannot be used. Rows count from 1."""

    row: int
    messages: tuple[Message, ...] | None
    reason: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""


def detect(rows: Sequence[RawRow]) -> str | None:
    """The shape that most of `rows` have, known by their fields; None if none has any."""
    votes = {shape: sum(all(each in row for each in FIELDS[shape]) for row in rows) for shape in FIELDS}
    best = max(FIELDS, key=lambda shape: votes[shape])
    return best if votes[best] else None


def judge(number: int, row: RawRow, shape: str) -> Verdict:
    """Turn one row of a known shape into messages, or say why not."""
    if missing := [each for each in FIELDS[shape] if row.get(each) is None]:
        return Verdict(number, None, f"This row has no `{'` and no `'.join(missing)}`.")
    try:
        messages = READERS[shape](row)
        tags, note = tags_in(row), note_in(row)
    except BadInput as refused:
        return Verdict(number, None, str(refused))
    if reason := unacceptable(messages):
        return Verdict(number, None, reason)
    return Verdict(number, messages, tags=tags, note=note)


def tags_in(row: RawRow) -> tuple[str, ...]:
    """The row's tags where it has any that can be kept as such."""
    return tuple(clean(each, "A tag", 100) for each in tags_of(row.get("tags") or ()) or ())


def note_in(row: RawRow) -> str:
    note = row.get("note")
    return clean(note, "The note", 10_000) if isinstance(note, str) else ""


def left_behind(row: RawRow, shape: str) -> set[str]:
    """The fields of a row, and those of its turns, that the studio has no place for."""
    kept = {*FIELDS[shape], *OPTIONAL.get(shape, ()), *BESIDE}
    if tags_of(row.get("tags") or ()) is None:
        kept.discard("tags")
    entries = row.get(FIELDS[shape][0])
    turns = [each for each in entries if isinstance(each, Mapping)] if isinstance(entries, list) else []
    return {*row} - kept | {f"{each} of a turn" for turn in turns for each in {*turn} - {*OF_A_TURN}}


def unacceptable(messages: Sequence[Message]) -> str:
    """Why a finished conversation cannot be one, as a sentence; "" if it can.

    A system text may stand first and may be empty, which says that there is to be none. After it the user and the
    assistant take turns, beginning with the user and ending with an answer.
    """
    if len(messages) > MOST_TURNS:
        return f"It has {len(messages):,} turns, and {MOST_TURNS:,} are the most. Split it."
    for number, message in enumerate(messages, start=1):
        if message.role == "system" and number > 1:
            return f"Turn {number} is a system text, and only the first turn may be one."
        if message.role != "system" and not message.content.strip():
            return f"Turn {number} is empty."
    turns = [(number, each.role) for number, each in enumerate(messages, start=1) if each.role != "system"]
    if not turns:
        return "There are no turns in it."
    if turns[0][1] != "user":
        return "It begins with an answer; there is no question before it."
    for (one, role), (two, next_role) in pairwise(turns):
        if role == next_role:
            return f"Turns {one} and {two} are both the {role}'s."
    return "" if turns[-1][1] == "assistant" else "The last turn is not an answer."


def from_messages(row: RawRow) -> tuple[Message, ...]:
    return turns_of(row["messages"], "messages")


def from_sharegpt(row: RawRow) -> tuple[Message, ...]:
    return (*system_of(row), *turns_of(row["conversations"], "conversations"))


def from_alpaca(row: RawRow) -> tuple[Message, ...]:
    """The question is the instruction, and below it the input where there is one."""
    instruction, extra = text_of(row, "instruction"), text_of(row, "input")
    question = "\n".join(each for each in (instruction, extra) if each)
    return (
        *system_of(row),
        *history_of(row.get("history")),
        Message("user", question),
        Message("assistant", text_of(row, "output")),
    )


def from_prompt(row: RawRow) -> tuple[Message, ...]:
    return tuple(
        message
        for name, role in (("prompt", "user"), ("completion", "assistant"))
        for message in said(row[name], name, ROLES[role])
    )


def from_label_studio(row: RawRow) -> tuple[Message, ...]:
    return turns_of(annotated.from_label_studio(row), "turns")


def from_argilla(row: RawRow) -> tuple[Message, ...]:
    return turns_of(annotated.from_argilla(row), "turns")


READERS = {
    "messages": from_messages,
    "sharegpt": from_sharegpt,
    "alpaca": from_alpaca,
    "prompt": from_prompt,
    "labelstudio": from_label_studio,
    "argilla": from_argilla,
}


def said(value: object, name: str, role: Role) -> tuple[Message, ...]:
    """One half of a prompt/completion row: a plain text of that role, or a list of messages."""
    return (Message(role, text_of({name: value}, name)),) if isinstance(value, str) else turns_of(value, name)


def system_of(row: RawRow) -> tuple[Message, ...]:
    text = text_of(row, "system")
    return (Message("system", text),) if text else ()


def history_of(value: object) -> tuple[Message, ...]:
    """Alpaca's `history`: earlier rounds, each a pair of a question and its answer."""
    rounds = listed(value, "history") if value else []
    if not all(isinstance(each, list | tuple) and len(each) == 2 for each in rounds):
        raise BadInput("Its `history` is not a list of pairs of a question and an answer.")
    return tuple(
        Message(role, text_of({"history": text}, "history"))
        for each in rounds
        for role, text in zip((ROLES["user"], ROLES["assistant"]), each, strict=True)
    )


def text_of(row: RawRow, name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise BadInput(f"Its `{name}` is not text.")
    return clean(value or "", f"Its `{name}`")


def turns_of(value: object, name: str) -> tuple[Message, ...]:
    return tuple(turn(number, each) for number, each in enumerate(listed(value, name), start=1))


def listed(value: object, name: str) -> list[Any]:
    """A list, or the text of one in JSON, as tables hold them."""
    if isinstance(value, str):
        try:
            value = parse(value)
        except ValueError as error:
            raise BadInput(f"Its `{name}` is not a list in JSON ({error}).") from error
    if not isinstance(value, list):
        raise BadInput(f"Its `{name}` is not a list.")
    return value


def turn(number: int, entry: object) -> Message:
    """One turn, by OpenAI's field names or ShareGPT's. Raises BadInput for all that is not a plain text of a known role."""
    if not isinstance(entry, Mapping):
        raise BadInput(f"Turn {number} is not an object with a role and a content.")
    said_by = first_of(entry, "role", "from")
    if said_by in TOOLS or any(entry.get(each) for each in CALLS):
        raise BadInput(f"Turn {number} uses a tool, and only plain conversations can be learned.")
    role = ROLES.get(said_by) if isinstance(said_by, str) else None
    if role is None:
        raise BadInput(f"Turn {number} has an unknown role; it must be system, user or assistant.")
    content, name = first_of(entry, "content", "value"), entry.get("name")
    if not isinstance(content, str):
        raise BadInput(f"Turn {number} has no text.")
    if name is not None:
        clean(name, f"The name in turn {number}", 200)
    return Message(role, clean(content, f"Turn {number}"), weight(number, entry.get("weight")), name)


def first_of(entry: Mapping[str, object], *names: str) -> object:
    return next((entry[each] for each in names if entry.get(each) is not None), None)


def weight(number: int, value: object) -> float | None:
    """A turn's weight as it came: OpenAI knows 0 and 1, other tools numbers between and above. NaN is none."""
    if value is None:
        return None
    # A bool is an int to Python, and true is no weight.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_WEIGHT:
        raise BadInput(f"The weight of turn {number} is not a number between 0 and {MOST_WEIGHT}.")
    return value


def drafted(number: int, value: object) -> str | None:
    """The arm that wrote a turn, as the studio's own page says it. Files cannot say so: `turn` does not look for it."""
    if value is not None and not (isinstance(value, str) and ARM.fullmatch(value)):
        raise BadInput(f"Turn {number} is said to be drafted by a model that there is not. Reload the page.")
    return value


def as_entry(message: Message) -> dict[str, object]:
    """A message by OpenAI's names; `weight` and `name` only where they are set. Whether it is a draft is not told."""
    kept = {"weight": message.weight, "name": message.name}
    return {
        "role": message.role,
        "content": message.content,
        **{field: value for field, value in kept.items() if value is not None},
    }


def as_row(conversation: Conversation) -> dict[str, object]:
    return {"messages": [as_entry(each) for each in conversation.messages]}


def as_line(conversation: Conversation) -> bytes:
    """The conversation as one line of JSONL in UTF-8, its line end with it; every text stands there as it came."""
    return json.dumps(as_row(conversation), ensure_ascii=False).encode() + b"\n"


def as_kept(message: Message) -> dict[str, object]:
    """A message as the studio keeps it and its own page takes it: with the mark of a draft."""
    return as_entry(message) | ({"drafted": message.drafted} if message.drafted else {})


def dump(messages: Sequence[Message]) -> str:
    """Messages as the JSON in which they are kept; `load` reads it."""
    return json.dumps([as_kept(each) for each in messages], ensure_ascii=False)


def load(text: str) -> tuple[Message, ...]:
    return tuple(Message(**each) for each in json.loads(text))


def content_hash(messages: Sequence[Message]) -> str:
    """The same for the same messages, whoever or whatever wrote them wherever."""
    return sha256(json.dumps([as_entry(each) for each in messages], ensure_ascii=False).encode()).hexdigest()
