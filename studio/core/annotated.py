"""What annotation tools write: tasks of Label Studio and records of Argilla, turned into turns.

Label Studio's JSON export holds the task's `data` and its `annotations`, each with a list of results; a result's `value`
is a text field's `text` or a chat's `chatmessage`. Argilla's `Record.to_dict` holds `fields`, and `responses` and
`suggestions` by the names of the questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.core.columns import ANSWERS, QUESTIONS, plain
from studio.core.errors import BadInput

Entry = dict[str, object]  # a turn with its `role` and `content`, as the messages shape has it

ASKING = {"user", "human", "customer", "client", "caller", "visitor", "patient", "student", "guest"}
ANSWERING = {"assistant", "gpt", "chatgpt", "agent", "bot", "chatbot", "ai", "model", "support", "operator"}
ROLES = {"user", "assistant", "system", "developer", "tool"}
# What the two name the speaker and the text of a turn by default.
SPEAKER = ("role", "author", "from", "speaker")
SAID = ("content", "text", "value")


def from_label_studio(row: Mapping[str, object]) -> list[Entry]:
    """The dialogue or question of a task with the text that an annotator wrote for it.

    A written text follows a question, and takes the place of the answer that a dialogue ends with; what was typed into a
    chat follows what the chat began with. Raises BadInput.
    """
    data = row["data"]
    if not isinstance(data, Mapping):
        raise BadInput("Its `data` is not an object with fields.")
    results = newest_results(row["annotations"])
    chat = [message for each in results if (message := value_of(each, "chatmessage")) is not None]
    written = answer_of(
        {str(each.get("from_name")): texts for each in results if (texts := value_of(each, "text"))}
    )
    turns = dialogue_of(data, empty_is_one=bool(chat)) + [as_turn(each) for each in chat]
    return with_answer(turns, written)


def from_argilla(row: Mapping[str, object]) -> list[Entry]:
    """The chat or question of a record with the answer that somebody gave, or else the one that was suggested. Raises BadInput."""
    fields = row["fields"]
    if not isinstance(fields, Mapping):
        raise BadInput("Its `fields` are not an object.")
    turns = dialogue_of(fields, empty_is_one=False)
    given = answered(row.get("responses")) or answered(row.get("suggestions"))
    answer = answer_of({name: text for name, text in given.items() if plain(name) in ANSWERS})
    if answer is None and turns[-1]["role"] == "user":
        answer = first_named(fields, ANSWERS)
    return with_answer(turns, answer)


def newest_results(annotations: object) -> list[Mapping[str, Any]]:
    """The results of the newest annotation that was not cancelled."""
    made = (
        [each for each in annotations if isinstance(each, Mapping)] if isinstance(annotations, list) else []
    )
    kept = [each for each in made if not each.get("was_cancelled") and isinstance(each.get("result"), list)]
    if not kept:
        raise BadInput("Nobody has annotated this task.")
    newest = max(kept, key=lambda each: str(each.get("updated_at") or each.get("created_at") or ""))
    return [each for each in newest["result"] if isinstance(each, Mapping)]


def value_of(result: Mapping[str, Any], name: str) -> Any:
    value = result.get("value")
    return value.get(name) if isinstance(value, Mapping) and result.get("type") in ("textarea", "chatmessage") else None  # fmt: skip


def answered(given: object) -> dict[str, object]:
    """Argilla's responses (a list for each question) or suggestions (one for each) as texts by question."""
    found: dict[str, object] = {}
    for name, values in given.items() if isinstance(given, Mapping) else ():
        newest = values[-1] if isinstance(values, list) and values else values
        value = newest.get("value") if isinstance(newest, Mapping) else None
        if isinstance(value, str):
            found[str(name)] = value
    return found


def answer_of(written: Mapping[str, object]) -> str | None:
    """The one text that was written, of those in fields named as answers where there are several."""
    named = {name: text for name, text in written.items() if plain(name) in ANSWERS} or written
    if len(named) > 1:
        raise BadInput(
            f"It has several texts ({', '.join(sorted(named))}); only one of them can be the answer."
        )
    for text in named.values():
        if isinstance(text, list) and len(text) > 1:
            raise BadInput("It has several answers, and one conversation can have one.")
        said = text[0] if isinstance(text, list) and text else text
        return said if isinstance(said, str) else None
    return None


def dialogue_of(data: Mapping[str, object], empty_is_one: bool) -> list[Entry]:
    """The turns among a task's fields: its one list of objects, or else its one question."""
    lists = [
        each for each in data.values() if isinstance(each, list) and all(isinstance(turn, Mapping) for turn in each)
    ]  # fmt: skip
    if len(lists) > 1:
        raise BadInput("It has several lists of turns; only one of them can be the conversation.")
    if lists and (lists[0] or empty_is_one):
        return [as_turn(each) for each in lists[0]]
    texts = [each for each in data.values() if isinstance(each, str)]
    question = first_named(data, QUESTIONS) or (texts[0] if len(texts) == 1 else None)
    if question is None:
        raise BadInput("It has neither a list of turns nor one text that is the question.")
    return [{"role": "user", "content": question}]


def first_named(data: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    found = {plain(str(name)): text for name, text in data.items() if isinstance(text, str)}
    return next((found[each] for each in names if each in found), None)


def as_turn(entry: object) -> Entry:
    given = entry if isinstance(entry, Mapping) else {}
    speaker = next((given[each] for each in SPEAKER if given.get(each) is not None), None)
    said = next((given[each] for each in SAID if given.get(each) is not None), None)
    known = speaker.strip().casefold() if isinstance(speaker, str) else ""
    if known in ROLES:
        return {"role": known, "content": said}
    if known not in ASKING | ANSWERING:
        raise BadInput(f"It is not known whether “{speaker or ''}” asks or answers. Name the speakers user and assistant.")  # fmt: skip
    return {"role": "user" if known in ASKING else "assistant", "content": said}


def with_answer(turns: list[Entry], answer: str | None) -> list[Entry]:
    if answer is None:
        return turns
    before = turns[:-1] if turns and turns[-1]["role"] == "assistant" else turns
    return [*before, {"role": "assistant", "content": answer}]
