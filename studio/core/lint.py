"""What is wrong with an example: one small function a rule, each saying where, what, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from studio.core.records import Conversation, Finding, Message
from studio.core.text import control_tokens

PLACEHOLDER = re.compile(
    r"\[[^\W\d_][^\W\d_ /_-]*(?:[ /_-][^\W\d_]+){0,4}\](?!\()"  # [NAME], [order number]; see is_gap
    r"|\{\{.*?\}\}|\bTODO\b|\bXXX\b|\bLorem ipsum\b"
)
# In capitals any words in brackets are a gap. In small letters "[sic]" or "[the defendant]" may be meant, these are not.
ASKED = re.compile(
    r"\[(?:(?:your|my|the|first|last|full|order|phone|customer|patient|client|company|product|due|birth)[ _-])*"
    r"(?:name|date|time|number|address|amount|price|email|phone|city|place|company|product|order|reason|title)\]",
    re.IGNORECASE,
)
GAPS = (
    "[",
    "{{",
    "TODO",
    "XXX",
    "Lorem",
)  # without any of these there is none; to look for them is much quicker


def findings(conversations: Sequence[Conversation]) -> list[Finding]:
    """Everything the rules find in a set, conversation by conversation."""
    return [
        *(found for each in conversations for rule in ALONE for found in rule(each)),
        *duplicates(conversations),
    ]


def rules_broken(messages: Sequence[Message]) -> list[str]:
    """The names of the rules that find something in these messages by themselves, without the rest of the set."""
    alone = Conversation("", "", 0, 1, tuple(messages), "draft", (), "", "", "")
    return sorted({found.rule for rule in ALONE for found in rule(alone)})


def structure(conversation: Conversation) -> Iterator[Finding]:
    """A conversation that cannot be learned: nothing is there to answer, or no answer is there."""
    if why := malformed(conversation.messages):
        yield finding("structure", "error", conversation, None, why)


def draft(conversation: Conversation) -> Iterator[Finding]:
    """A model's own words that nobody has read: learned, they would teach it nothing but its mistakes."""
    for position in drafts(conversation.messages):
        yield finding("draft", "warning", conversation, position, unread(position))


def drafts(messages: Sequence[Message]) -> list[int]:
    """The places, from 0, of the turns that a model drafted and nobody has accepted or edited."""
    return [position for position, each in enumerate(messages) if each.drafted]


def unread(position: int) -> str:
    return f"Turn {position + 1} is a model's draft. Read it, then accept or edit it."


def unlearnable(messages: Sequence[Message]) -> str:
    """Why a conversation is not learned from, as a sentence with the mend; "" if it is."""
    return malformed(messages) or next(map(unread, drafts(messages)), "")


def malformed(messages: Sequence[Message]) -> str:
    """Why a conversation cannot be learned from as it is built, as a sentence with the mend; "" if it can."""
    turns = [each for each in messages if each.role != "system"]
    if not turns or turns[0].role != "user":
        return "It does not begin with a user's turn. Put the question first."
    if turns[-1].role != "assistant":
        return "Its last turn is not an answer. Write the answer, or delete the last turn."
    if any(not each.content.strip() for each in turns):
        return "A turn is empty. Write it or delete it."
    if any(one.role == two.role for one, two in pairwise(turns)):
        return "Two turns of the same side follow one another. Join them or put the other side between them."
    if any(each.role == "system" for each in messages[1:]):
        return "A system text stands in the middle. Move it to the beginning."
    if not any(each.learned for each in turns):
        return "Every answer is marked as not learned. Let at least one be learned."
    return ""


def placeholder(conversation: Conversation) -> Iterator[Finding]:
    """Template gaps that were never filled in, such as "[NAME]" or "TODO".

    A model repeats them word for word: it cannot know that they were meant to be replaced.
    """
    for position, message in enumerate(conversation.messages):
        if not any(each in message.content for each in GAPS):
            continue
        for match in filter(is_gap, PLACEHOLDER.finditer(message.content)):
            text = f"“{match.group()}” looks like a gap that was never filled. Write what should stand here."
            yield finding("placeholder", "warning", conversation, position, text)


def is_gap(match: re.Match[str]) -> bool:
    """Whether a match of PLACEHOLDER is one: words in brackets are only where they are capitals or ask for something."""
    found = match.group()
    return found[0] != "[" or (found.isupper() and len(found) > 4) or ASKED.fullmatch(found) is not None


def control_token(conversation: Conversation) -> Iterator[Finding]:
    """Chat-template markup in somebody's text; usually left over from another tool."""
    for position, message in enumerate(conversation.messages):
        for token in control_tokens(message.content):
            text = f"“{token}” is a control token of a chat template, left over in the text. Delete it."
            yield finding("control token", "warning", conversation, position, text)


def duplicates(conversations: Sequence[Conversation]) -> Iterator[Finding]:
    """The same conversation twice: it weighs double, and may stand on both sides of the held-out split."""
    first: dict[tuple[tuple[str, str], ...], int] = {}
    for each in sorted(conversations, key=lambda conversation: conversation.number):
        key = tuple((message.role, message.content.strip()) for message in each.messages)
        if key in first:
            text = f"It says the same as conversation {first[key]:04d}. Delete one of the two."
            yield finding("duplicate", "warning", each, None, text)
        first.setdefault(key, each.number)


def finding(rule: str, severity: str, conversation: Conversation, message: int | None, text: str) -> Finding:
    return Finding(rule, "error" if severity == "error" else "warning", conversation.id, conversation.number, message, text)  # fmt: skip


# The rules that look at one conversation at a time. Lists are filtered by what they find: who changes them, or adds one,
# raises the number of the index's form (store/search.py), so that older databases are looked at again.
ALONE = (structure, draft, placeholder, control_token)
NAMES = ("structure", "draft", "placeholder", "control token")
