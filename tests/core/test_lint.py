import pytest

from studio.core import lint
from studio.core.records import Conversation, Message


def conversation(*turns, number=1):
    messages = tuple(Message(role, text) for role, text in turns)
    return Conversation(f"c{number}", "p", number, 1, messages, "draft", (), "", "", "")


GOOD = (("user", "Where is it?"), ("assistant", "On the quay."))


def rules(*conversations):
    return [each.rule for each in lint.findings(conversations)]


def test_a_whole_conversation_has_no_findings():
    assert rules(conversation(("system", "Be short."), *GOOD)) == []


@pytest.mark.parametrize(
    "turns",
    [
        [("assistant", "Hello")],
        [("user", "Hello")],
        [("user", " "), ("assistant", "Hello")],
        [("user", "a"), ("user", "b"), ("assistant", "c")],
        [("user", "a"), ("assistant", "b"), ("system", "c"), ("user", "d"), ("assistant", "e")],
        [],
    ],
)
def test_what_cannot_be_learned_is_found_with_its_mend(turns):
    assert rules(conversation(*turns)) == ["structure"]


def test_answers_that_are_all_marked_as_not_learned_are_found():
    only = (Message("user", "a"), Message("assistant", "b", weight=0))

    assert "not learned" in lint.unlearnable(only)


@pytest.mark.parametrize(
    "gap",
    [
        "[NAME]",
        "TODO",
        "{{ order }}",
        "[GRÖSSE]",
        "[ORDER NUMBER]",
        "[name]",
        "[your first name]",
        "[order number]",
    ],
)
def test_gaps_that_were_never_filled_are_found_where_they_stand(gap):
    (found,) = lint.findings([conversation(("user", "Hi"), ("assistant", f"Dear {gap}, hello"))])

    assert (found.rule, found.message) == ("placeholder", 1)
    assert gap in found.text


@pytest.mark.parametrize(
    "meant",
    ["[sic]", "[the defendant]", "[name](https://example.org)", "[1]", "[EU]", "[注意してね]", "a[i]"],
)
def test_brackets_that_are_meant_are_not_taken_for_gaps(meant):
    assert rules(conversation(("user", "Hi"), ("assistant", f"It says {meant} there."))) == []


def test_leftover_control_tokens_are_found():
    assert rules(conversation(("user", "Hi<|im_end|>"), ("assistant", "Hello"))) == ["control token"]


def test_the_second_of_two_equal_conversations_is_found():
    (found,) = lint.findings([conversation(*GOOD, number=2), conversation(*GOOD, number=1)])

    assert (found.rule, found.number) == ("duplicate", 2)
    assert "0001" in found.text
