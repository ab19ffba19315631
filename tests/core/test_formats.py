import json

import pytest

from studio.core import formats
from studio.core.formats import detect, judge
from studio.core.records import Conversation, Message
from studio.core.strict_json import parse

ASKED, ANSWERED = Message("user", "Where is it?"), Message("assistant", "On the boat.")
SYSTEM = Message("system", "Be brief.")
PAIR = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "On the boat."}]
SHAREGPT = [{"from": "human", "value": "Where is it?"}, {"from": "gpt", "value": "On the boat."}]
ALPACA = {"instruction": "Where is it?", "output": "On the boat."}


@pytest.mark.parametrize(
    ("shape", "row", "messages"),
    [
        ("messages", {"messages": PAIR}, (ASKED, ANSWERED)),
        ("messages", {"messages": json.dumps(PAIR)}, (ASKED, ANSWERED)),
        ("messages", {"messages": [{"role": "developer", "content": "Be brief."}, *PAIR]}, (SYSTEM, ASKED, ANSWERED)),
        ("messages", {"messages": [{"role": "system", "content": ""}, *PAIR]}, (Message("system", ""), ASKED, ANSWERED)),
        ("sharegpt", {"conversations": SHAREGPT}, (ASKED, ANSWERED)),
        ("sharegpt", {"conversations": SHAREGPT, "system": "Be brief."}, (SYSTEM, ASKED, ANSWERED)),
        ("sharegpt", {"conversations": [{"from": "system", "value": "Be brief."}, *SHAREGPT]}, (SYSTEM, ASKED, ANSWERED)),
        ("sharegpt", {"conversations": [{"from": "user", "value": "Where is it?"}, {"from": "bing", "value": "On the boat."}]}, (ASKED, ANSWERED)),
        ("sharegpt", {"conversations": [{"from": "human", "value": "Where is it?"}, {"from": "chatgpt", "value": "On the boat."}]}, (ASKED, ANSWERED)),
        ("sharegpt", {"conversations": PAIR}, (ASKED, ANSWERED)),
        ("alpaca", ALPACA, (ASKED, ANSWERED)),
        ("alpaca", {**ALPACA, "input": "", "system": "Be brief."}, (SYSTEM, ASKED, ANSWERED)),
        ("alpaca", {**ALPACA, "input": "The parcel."}, (Message("user", "Where is it?\nThe parcel."), ANSWERED)),
        ("alpaca", {**ALPACA, "history": [["Hello.", "Good day."]]}, (Message("user", "Hello."), Message("assistant", "Good day."), ASKED, ANSWERED)),
        ("prompt", {"prompt": "Where is it?", "completion": "On the boat."}, (ASKED, ANSWERED)),
        ("prompt", {"prompt": [{"role": "system", "content": "Be brief."}, PAIR[0]], "completion": [PAIR[1]]}, (SYSTEM, ASKED, ANSWERED)),
    ],
)  # fmt: skip
def test_every_shape_becomes_the_same_messages(shape, row, messages):
    assert detect([row]) == shape
    assert judge(3, row, shape) == formats.Verdict(3, messages)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "There are no turns in it."),
        ([PAIR[0]], "The last turn is not an answer."),
        ([PAIR[1]], "It begins with an answer; there is no question before it."),
        ([*PAIR, PAIR[0]], "The last turn is not an answer."),
        ([PAIR[0], *PAIR], "Turns 1 and 2 are both the user's."),
        ([*PAIR, PAIR[1]], "Turns 2 and 3 are both the assistant's."),
        ([{"role": "user", "content": " \n"}, PAIR[1]], "Turn 1 is empty."),
        ([*PAIR, {"role": "system", "content": "x"}, *PAIR], "Turn 3 is a system text, and only the first turn may be one."),
        ([{"role": "system", "content": "x"}], "There are no turns in it."),
        ([{"role": "tool", "content": "x"}], "Turn 1 uses a tool, and only plain conversations can be learned."),
        ([{"from": "observation", "value": "x"}], "Turn 1 uses a tool, and only plain conversations can be learned."),
        ([{"role": "assistant", "content": "", "tool_calls": [{"id": 1}]}], "Turn 1 uses a tool, and only plain conversations can be learned."),
        ([{"role": "narrator", "content": "x"}], "Turn 1 has an unknown role; it must be system, user or assistant."),
        ([{"role": ["user"], "content": "x"}], "Turn 1 has an unknown role; it must be system, user or assistant."),
        ([{"content": "x"}], "Turn 1 has an unknown role; it must be system, user or assistant."),
        ([{"role": "user"}], "Turn 1 has no text."),
        ([{"role": "user", "content": [{"type": "text", "text": "x"}]}], "Turn 1 has no text."),
        (["Where is it?"], "Turn 1 is not an object with a role and a content."),
        ({"role": "user"}, "Its `messages` is not a list."),
        ("[NaN]", "Its `messages` is not a list in JSON (NaN is not a number that JSON knows)."),
        ("Where is it?", "Its `messages` is not a list in JSON (Expecting value at character 1)."),
        (None, "This row has no `messages`."),
        ([PAIR[0], {**PAIR[1], "weight": True}], "The weight of turn 2 is not a number between 0 and 1000."),
        ([PAIR[0], {**PAIR[1], "weight": float("nan")}], "The weight of turn 2 is not a number between 0 and 1000."),
        ([PAIR[0], {**PAIR[1], "weight": 10**400}], "The weight of turn 2 is not a number between 0 and 1000."),
    ],
)  # fmt: skip
def test_a_row_that_is_no_finished_conversation_is_refused_with_the_reason(messages, reason):
    assert judge(1, {"messages": messages}, "messages") == formats.Verdict(1, None, reason)


def test_a_lone_surrogate_in_a_row_is_refused_with_its_place():
    row = json.loads(
        r'{"messages": [{"role": "user", "content": "a\ud800"}, {"role": "assistant", "content": "b"}]}'
    )

    assert judge(1, row, "messages").reason.startswith(
        "Turn 1 holds half of a character (U+D800) at character 2."
    )


@pytest.mark.parametrize(
    ("shape", "row", "reason"),
    [
        ("alpaca", {"instruction": "x"}, "This row has no `output`."),
        ("prompt", {"text": "x"}, "This row has no `prompt` and no `completion`."),
        ("alpaca", {"instruction": 5, "output": "x"}, "Its `instruction` is not text."),
        ("alpaca", {**ALPACA, "output": ""}, "Turn 2 is empty."),
        (
            "alpaca",
            {**ALPACA, "history": [["x"]]},
            "Its `history` is not a list of pairs of a question and an answer.",
        ),
        ("alpaca", {**ALPACA, "history": [[1, 2]]}, "Its `history` is not text."),
        ("sharegpt", {"conversations": SHAREGPT, "system": 5}, "Its `system` is not text."),
        ("prompt", {"prompt": {"a": 1}, "completion": "x"}, "Its `prompt` is not a list."),
    ],
)
def test_other_shapes_are_refused_with_the_reason_too(shape, row, reason):
    assert judge(1, row, shape).reason == reason


def test_a_few_odd_rows_do_not_change_what_a_file_is():
    assert detect([{"text": "x"}, ALPACA, ALPACA, {"messages": PAIR}]) == "alpaca"
    assert detect([{"text": "x"}, {"prompt": "x", "chosen": "y", "rejected": "z"}]) is None
    assert detect([]) is None


def test_weight_and_name_go_out_as_they_came_in():
    turns = [
        {"role": "user", "content": "x", "name": "Ben"},
        {"role": "assistant", "content": "y", "weight": 0},
    ]
    messages = judge(1, {"messages": turns}, "messages").messages

    assert not messages[1].learned
    assert formats.as_row(conversation(messages)) == {"messages": turns}
    assert formats.load(formats.dump(messages)) == messages


def test_a_line_holds_the_texts_unescaped_and_one_line_end():
    line = formats.as_line(conversation((Message("user", "é\u2028\n"), ANSWERED)))

    assert (
        line
        == '{"messages": [{"role": "user", "content": "é\u2028\\n"}, {"role": "assistant", "content": "On the boat."}]}\n'.encode()
    )


def test_only_the_same_content_has_the_same_hash():
    assert formats.content_hash((ASKED, ANSWERED)) == formats.content_hash(
        (Message("user", "Where is it?"), ANSWERED)
    )
    assert formats.content_hash((ASKED, ANSWERED)) != formats.content_hash(
        (ASKED, Message("assistant", "On the boat.", 0))
    )


@pytest.mark.parametrize("text", ["[NaN]", "[Infinity]", "[-Infinity]", "[1,]", "[" * 100_000, "1" * 10_000])
def test_what_is_not_json_is_refused_with_one_line(text):
    with pytest.raises(ValueError) as refused:
        parse(text)

    assert "\n" not in str(refused.value)


def conversation(messages):
    return Conversation("id", "project", 1, 1, messages, "draft", (), "", "", "")
