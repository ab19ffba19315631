"""Sizes are counted once, and anew for whatever the tokens or what is learned of them depend on."""

from dataclasses import replace

import pytest

from studio.core.encode import encode
from studio.core.records import Message
from studio.engine import sizes
from studio.engine.models import ChatTemplate, load_tokenizer
from studio.engine.sizes import Sizes

TALK = (Message("user", "Where is it?"), Message("assistant", "In Paris."), Message("user", "Sure?"), Message("assistant", "Yes."))  # fmt: skip


@pytest.fixture
def template(rehearsal_path):
    return ChatTemplate(load_tokenizer(rehearsal_path))


@pytest.fixture
def counted(monkeypatch):
    """The conversations that were encoded, in their order."""
    seen = []
    monkeypatch.setattr(
        sizes, "encode", lambda messages, under: seen.append(messages) or encode(messages, under)
    )
    return seen


def test_a_conversation_is_counted_once_and_right(template, counted):
    found = Sizes(template)
    encoded = encode(TALK, template)

    for _ in range(3):
        assert found.of(TALK) == sizes.Size(len(encoded.ids), encoded.learned)
    assert found.of(tuple(replace(each, name="Ada", drafted="base") for each in TALK)) == found.of(TALK)
    assert counted == [TALK]


@pytest.mark.parametrize(
    "other",
    [
        (*TALK[:3], replace(TALK[3], weight=0.0)),
        (*TALK[:3], replace(TALK[3], content="Yes. ")),
        (Message("system", "Where is it?"), *TALK),
        (Message("user", "Where is it?I"), Message("assistant", "n Paris."), *TALK[2:]),
    ],
)
def test_what_is_another_conversation_to_the_model_is_counted_anew(template, counted, other):
    found = Sizes(template)
    found.of(TALK)

    assert found.of(other).learned == encode(other, template).learned
    assert counted == [TALK, other]


def test_the_oldest_are_forgotten_first(template, counted, monkeypatch):
    monkeypatch.setattr(sizes, "MOST", 2)
    found = Sizes(template)
    for messages in (TALK, TALK[:2], TALK[2:], TALK[:2], TALK):
        found.of(messages)

    assert counted == [TALK, TALK[:2], TALK[2:], TALK]
    assert len(found.known) == 2
