"""Which column of a table is what: told from the columns' names or from what is in them, and the conversations so read.

A table has a question and an answer in each row, or one turn in each row with the conversation that it belongs to.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from studio.core.text import MOST_TURNS

RawRow = Mapping[str, object]
OURS = "studio_conversation"  # the column by which a table says that the studio wrote it

# What people call these columns in English, German, French and Spanish, as `plain` writes it; the likelier first.
QUESTIONS = (
    "question", "prompt", "user", "query", "instruction", "input", "request", "customer", "frage", "anfrage", "eingabe",
    "kunde", "kundenfrage", "demande", "requete", "client", "pregunta", "consulta", "solicitud", "entrada", "cliente",
)  # fmt: skip
ANSWERS = (
    "answer", "response", "responses", "completion", "reply", "assistant", "output", "chosen", "agent", "antwort",
    "ausgabe", "reponse", "sortie", "respuesta", "contestacion", "salida",
)  # fmt: skip
NAMES: dict[str, tuple[str, ...]] = {
    "conversation": ("studio conversation", "conversation", "conversation id", "dialog", "dialog id", "dialogue id", "thread", "thread id", "session", "session id", "chat id", "ticket", "ticket id", "gesprach", "unterhaltung", "conversacion", "hilo"),
    "role": ("role", "speaker", "author", "sender", "from", "rolle", "sprecher", "auteur", "rol", "autor"),
    "content": ("content", "text", "message", "body", "value", "inhalt", "nachricht", "texte", "contenu", "contenido", "texto", "mensaje"),
    "question": QUESTIONS,
    "answer": ANSWERS,
    "system": ("system", "system text", "system prompt", "systemtext", "persona", "systeme", "sistema"),
    "tags": ("tags", "tag", "labels", "label", "category", "topic", "schlagworte", "schlagwort", "kategorie", "thema", "etiquettes", "etiquette", "categorie", "sujet", "etiquetas", "etiqueta", "categoria", "tema"),
    "note": ("note", "notes", "comment", "comments", "remark", "notiz", "notizen", "bemerkung", "kommentar", "remarque", "commentaire", "nota", "notas", "comentario", "observaciones"),
    "weight": ("weight",),
    "name": ("name",),
}  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """The names of the columns that are used; "" for none."""

    question: str = ""
    answer: str = ""
    system: str = ""
    tags: str = ""
    note: str = ""
    conversation: str = ""
    role: str = ""
    content: str = ""
    weight: str = ""
    name: str = ""

    @property
    def by_turn(self) -> bool:
        return bool(self.conversation and self.role and self.content)

    @property
    def complete(self) -> bool:
        return bool(self.question and self.answer) or self.by_turn

    @property
    def used(self) -> set[str]:
        return {each for each in vars(self).values() if each}


def plain(name: str) -> str:
    """A column's name without case, accents and signs: "Réponse_1" is "reponse 1"."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return " ".join(re.sub(r"[\W_]+", " ", "".join(each for each in apart if not unicodedata.combining(each))).split())  # fmt: skip


def guess(names: Sequence[str]) -> Columns:
    """What the columns are by their names: first those that are called so, then those in whose name it is a word."""
    found: dict[str, str] = {}
    known = {name: plain(name) for name in names}
    for fits in (is_called, has_word):
        for what, words in NAMES.items():
            free = [name for name in names if name not in found.values()]
            hits = (name for word in words for name in free if fits(known[name], word))
            if what not in found and (hit := next(hits, None)):
                found[what] = hit
    return one_kind(Columns(**found))


def is_called(name: str, word: str) -> bool:
    return name == word


def has_word(name: str, word: str) -> bool:
    return len(word) > 2 and word in name.split()


def one_kind(columns: Columns) -> Columns:
    """A table by turn, or else by question and answer; `weight` and `name` are a turn's."""
    if columns.by_turn and not (columns.question and columns.answer):
        return replace(columns, question="", answer="", system="")
    return replace(columns, conversation="", role="", content="", weight="", name="")


def guess_from(names: Sequence[str], rows: Sequence[RawRow]) -> Columns:
    """What the columns are by their names, or else by what is in them: questions ask, and answers are long."""
    by_name = guess(names)
    if by_name.complete:
        return by_name
    texts = {name: [text for row in rows if isinstance(text := row.get(name), str) and text.strip()] for name in names}  # fmt: skip
    taken = {by_name.system, by_name.tags, by_name.note, by_name.answer}
    free = [name for name in names if texts[name] and name not in taken]
    asked = by_name.question or best(free, lambda name: asking(texts[name]), 0.3)
    rest = [name for name in free if name != asked]
    said = by_name.answer or best(rest, lambda name: sum(map(len, texts[name])) / len(texts[name]), 10)
    return replace(by_name, question=asked, answer=said)


def best(names: Sequence[str], weigh: Callable[[str], float], least: float) -> str:
    found = max(names, key=weigh, default="")
    return found if found and weigh(found) >= least else ""


def asking(texts: Sequence[str]) -> float:
    """The share of `texts` that ask something."""
    return sum(any(sign in each for sign in "?？؟") for each in texts) / len(texts)


def as_messages(row: RawRow, columns: Columns) -> dict[str, object]:
    """A row with a question and an answer as a row in the shape of messages."""
    turns = [("user", row.get(columns.question)), ("assistant", row.get(columns.answer))]
    if columns.system and row.get(columns.system):
        turns.insert(0, ("system", row[columns.system]))
    made: dict[str, object] = {"messages": [{"role": role, "content": said} for role, said in turns]}
    return {**made, **labels(row, columns)}


def labels(row: RawRow, columns: Columns) -> dict[str, object]:
    return {
        what: row.get(column) for what, column in (("tags", columns.tags), ("note", columns.note)) if column
    }


@dataclass
class Gathered:
    """A conversation whose turns are being collected from rows that stand together, from row number `row` on."""

    row: int
    key: str
    reason: str = ""
    turns: list[dict[str, object]] = field(default_factory=list)
    labels: dict[str, object] = field(default_factory=dict)

    def add(self, row: RawRow, columns: Columns) -> None:
        self.labels = self.labels or labels(row, columns)
        if len(self.turns) == MOST_TURNS:
            self.reason = f"It has more than {MOST_TURNS:,} turns. Split it."
            return
        self.turns.append(turn_of(row, columns))

    @property
    def as_row(self) -> tuple[int, dict[str, object] | str]:
        return self.row, self.reason or {"messages": self.turns, **self.labels}


def gathered(rows: Iterable[tuple[int, dict[str, object] | str]], columns: Columns) -> Iterator[tuple[int, dict[str, object] | str]]:  # fmt: skip
    """The conversations of a table with a turn in each row, each with the number of its first row.

    The rows of a conversation stand together. One that goes on further down is refused there.
    """
    ended: set[int] = set()  # by hash: a table may have a million of them
    now: Gathered | None = None
    for number, row in rows:
        if isinstance(row, str):
            if now:
                now.reason = now.reason or f"Row {number}, which may be a turn of it, cannot be used."
            yield number, row
            continue
        key = str(row.get(columns.conversation) or "").strip()
        if not key:
            yield number, f"This row has no `{columns.conversation}`, so it is not known where it belongs."
            continue
        if now is None or now.key != key:
            if now:
                yield now.as_row
                ended.add(hash(now.key))
            again = f"The conversation “{key}” has rows further up already. Sort the table by `{columns.conversation}`."  # fmt: skip
            now = Gathered(number, key, again if hash(key) in ended else "")
        now.add(row, columns)
    if now:
        yield now.as_row


def turn_of(row: RawRow, columns: Columns) -> dict[str, object]:
    """A row of a table by turn. Cells are texts, so a weight may be one; an empty cell is none."""
    said_by, weight = row.get(columns.role), row.get(columns.weight)
    return {
        "role": said_by.strip().lower() if isinstance(said_by, str) else said_by,
        "content": row.get(columns.content),
        "weight": number_of(weight) if isinstance(weight, str) else weight,
        "name": row.get(columns.name) or None,
    }


def number_of(cell: str) -> object:
    try:
        number = float(cell) if cell.strip() else None
    except ValueError:
        return cell
    return int(number) if number is not None and number.is_integer() and "." not in cell else number


def tags_of(value: object) -> tuple[str, ...] | None:
    """Tags as a list, or as a cell: a list in JSON, or words with commas or semicolons between. None if they are none."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    found = re.split("[,;]", value) if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        return None
    return tuple(dict.fromkeys(tidy for each in found if (tidy := " ".join(each.split()))))
