"""Looking at the set before it is trained on: its health, and one conversation as the model sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.core import lint
from studio.core.encode import with_system
from studio.core.errors import StudioError
from studio.core.records import Conversation, Finding, Message, Token
from studio.core.split import held_out
from studio.work import models, writing
from studio.work.studio import Studio


@dataclass(frozen=True)
class Health:
    """The set at a glance. Token counts are None until the base model is on this machine, and where it cannot count: then
    `trouble` says why."""

    conversations: int
    messages: int
    tokens: int | None
    learned_tokens: int | None
    held_out: int
    findings: tuple[Finding, ...]
    trouble: str = ""


def findings(studio: Studio, project_id: str) -> list[Finding]:
    return lint.findings(writing.all_conversations(studio, project_id))


def health(studio: Studio, project_id: str) -> Health:
    """Count the set and run every rule over it."""
    conversations = writing.all_conversations(studio, project_id)
    counted, trouble = None, ""
    try:
        counted = sizes(studio, project_id, conversations)
    except StudioError as error:  # the findings can be told all the same
        trouble = str(error)
    return Health(
        len(conversations),
        sum(len(each.messages) for each in conversations),
        sum(each[0] for each in counted) if counted is not None else None,
        sum(each[1] for each in counted) if counted is not None else None,
        len(held_out([each.id for each in conversations])),
        tuple(lint.findings(conversations)),
        trouble,
    )


def sizes(studio: Studio, project_id: str, conversations: list[Conversation]) -> list[tuple[int, int]] | None:
    """(tokens, learned tokens) of each conversation; None while the base is not on this machine."""
    project = writing.by_id(studio, project_id)
    if models.base(studio, project_id).path is None:
        return None
    whole = [each for each in conversations if not lint.unlearnable(each.messages)]
    asked = [with_system(each.messages, project.system) for each in whole]
    counted = dict(zip((each.id for each in whole), studio.engine.sizes(project.base, asked), strict=True))
    return [
        (counted[each.id].tokens, counted[each.id].learned) if each.id in counted else (0, 0)
        for each in conversations
    ]


@dataclass(frozen=True)
class Length:
    """Tokens of each turn by itself, of the whole as the model sees it, and how many it takes. `whole` is None while the
    conversation is not one that can be learned."""

    turns: tuple[int, ...]
    whole: int | None
    limit: int


def length(studio: Studio, project_id: str, messages: Sequence[Message]) -> Length | None:
    """How long a conversation is, also one that is still being written; None while the base is not on this machine."""
    project = writing.by_id(studio, project_id)
    if models.base(studio, project_id).path is None:
        return None
    turns = studio.engine.counts(project.base, [each.content for each in messages])
    whole = None
    if not lint.unlearnable(messages):
        whole = studio.engine.sizes(project.base, [with_system(messages, project.system)])[0].tokens
    return Length(tuple(turns), whole, studio.engine.limit(project.base))


def xray(studio: Studio, project_id: str, conversation: str) -> list[Token]:
    """A conversation's tokens after the chat template. Raises ModelNotReady, TemplateNotSplittable, NotFound."""
    project = writing.by_id(studio, project_id)
    messages = writing.read(studio, conversation, project_id).messages
    limit = studio.engine.limit(project.base)
    return studio.engine.xray(project.base, with_system(messages, project.system), limit)
