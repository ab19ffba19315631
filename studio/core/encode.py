"""A conversation and a chat template become token ids and the labels that are learned, made together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from studio.core.errors import TemplateNotSplittable
from studio.core.records import Message, Token

IGNORED = -100  # the label of a token that is context only: torch's own default for "no loss here"


class Template(Protocol):
    """What encoding needs of a tokenizer. `tokenize` must not add tokens of its own; offsets are character spans."""

    @property
    def special_tokens(self) -> frozenset[str]: ...

    @property
    def end_ids(self) -> frozenset[int]:
        """The ids at which the model stops answering."""
        ...

    def render(self, messages: Sequence[Message], add_generation_prompt: bool) -> str: ...

    def tokenize(self, text: str) -> tuple[list[int], list[tuple[int, int]]]: ...


@dataclass(frozen=True)
class Encoded:
    """Token ids and, for each, the label learned at it: its own id, or IGNORED. Both of the same length."""

    ids: list[int]
    labels: list[int]

    @property
    def learned(self) -> int:
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True)
class Rendered:
    """The text as the model sees it, and the character spans of it that are learned."""

    text: str
    spans: tuple[tuple[int, int], ...]


def encode(messages: Sequence[Message], template: Template) -> Encoded:
    """Turn a conversation into token ids and labels.

    The ids are those of the whole rendered text, so they are what the model is given when it answers. Learned are the
    answers' tokens up to and with their end-of-turn token: a model that never saw it learned does not stop.
    Raises TemplateNotSplittable when an answer's place in the text, or its end, cannot be told.
    """
    rendered = render(messages, template)
    ids, offsets = template.tokenize(rendered.text)
    labels = [
        id if any(start <= low and high <= end for start, end in rendered.spans) and high > low else IGNORED
        for id, (low, high) in zip(ids, offsets, strict=True)
    ]
    check_ends(rendered, ids, offsets, template)
    return Encoded(ids, labels)


def prompt(messages: Sequence[Message], template: Template) -> list[int]:
    """The ids of a conversation that ends with a question, up to where the answer begins."""
    return template.tokenize(template.render(neutral(messages, template), True))[0]


def seen(messages: Sequence[Message], template: Template) -> list[Token]:
    """The tokens of `prompt` with their texts: all that the model reads before its answer.

    Of tokens that share one character, such as a picture sign, the first one has its text.
    """
    text, tokens, told = template.render(neutral(messages, template), True), [], 0
    for id, (low, high) in zip(*template.tokenize(text), strict=True):
        piece, told = text[max(low, told) : high], max(high, told)
        tokens.append(Token(id, piece, False, False, piece in template.special_tokens))
    return tokens


def render(messages: Sequence[Message], template: Template) -> Rendered:
    """Render a conversation turn by turn and note where each learned answer lies. Raises TemplateNotSplittable."""
    messages = neutral(messages, template)
    whole = template.render(messages, False)
    spans = []
    for index, message in enumerate(messages):
        if message.learned:
            start, end = answer_span(messages, index, whole, template)
            spans.append((start, end))
    return Rendered(whole, tuple(spans))


def answer_span(messages: Sequence[Message], index: int, whole: str, template: Template) -> tuple[int, int]:
    """From where the model would begin to answer to the end of the answer's turn, in characters."""
    before = template.render(messages[:index], True)
    after = template.render(messages[: index + 1], False)
    if not (whole.startswith(after) and after.startswith(before)):
        raise TemplateNotSplittable(
            "This model's chat template changes earlier turns when later ones are added, so the studio cannot tell "
            "which tokens belong to an answer. Choose another base model."
        )
    turn = after[len(before) :]
    if not turn.startswith(messages[index].content.strip()) and messages[index].content not in turn:
        raise TemplateNotSplittable(
            "This model's chat template alters the text of an answer, so the studio cannot train it faithfully. "
            "Choose another base model."
        )
    # Line breaks after the end-of-turn token belong to the next turn: the model has stopped by then.
    return len(before), len(before) + len(turn.rstrip())


def check_ends(
    rendered: Rendered, ids: Sequence[int], offsets: Sequence[tuple[int, int]], template: Template
) -> None:
    """Raise TemplateNotSplittable unless every learned answer ends with a token at which the model stops."""
    ends = {
        high for id, (low, high) in zip(ids, offsets, strict=True) if id in template.end_ids and high > low
    }
    if any(end not in ends for _, end in rendered.spans):
        raise TemplateNotSplittable(
            "This model's chat template does not mark where an answer ends, so a model trained with it would not stop. "
            "Choose another base model."
        )


def neutral(messages: Sequence[Message], template: Template) -> list[Message]:
    """Break control tokens that stand in somebody's text, so that they are read as text and not obeyed.

    A blank after the first character is enough: the tokenizer no longer finds the token. The Check tab flags such text.
    """
    return [
        Message(each.role, without(each.content, template.special_tokens), each.weight, each.name)
        for each in messages
    ]


def without(text: str, special_tokens: frozenset[str]) -> str:
    for token in special_tokens:
        if len(token) > 1 and token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


def xray(messages: Sequence[Message], template: Template, limit: int) -> list[Token]:
    """Every token of a conversation as the model sees it; those beyond `limit` tokens are cut."""
    rendered = render(messages, template)
    ids, offsets = template.tokenize(rendered.text)
    labels = encode(messages, template).labels
    return [
        Token(id, rendered.text[low:high], label != IGNORED, position >= limit)
        for position, (id, (low, high), label) in enumerate(zip(ids, offsets, labels, strict=True))
    ]


def with_system(messages: Sequence[Message], system: str) -> tuple[Message, ...]:
    """Put a project's system text before a conversation that has none of its own."""
    if not system.strip() or (messages and messages[0].role == "system"):
        return tuple(messages)
    return (Message("system", system), *messages)
