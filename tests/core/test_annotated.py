"""Exports in the shapes that the documentation of Label Studio and Argilla shows."""

import pytest

from studio.core.formats import detect, judge
from studio.core.records import Message

ASKED, SAID = Message("user", "Where is it?"), Message("assistant", "On the boat.")


def written(text, name="answer", **more):
    return {"type": "textarea", "from_name": name, "to_name": "dialog", "value": {"text": text}, **more}


def typed(role, content):
    value = {"chatmessage": {"role": role, "content": content, "createdAt": 1757612212681}}
    return {"type": "chatmessage", "from_name": "chat", "to_name": "chat", "value": value}


def task(data, *results, **more):
    return {
        "id": 1,
        "data": data,
        "annotations": [{"id": 7, "result": list(results), **more}],
        "predictions": [],
    }


DIALOGUE = [{"author": "Customer", "text": "Where is it?"}, {"author": "Agent", "text": "Dunno."}]


@pytest.mark.parametrize(
    "row",
    [
        task({"text": "Where is it?"}, written(["On the boat."])),
        task({"text": "Where is it?"}, written("On the boat."), {"type": "choices", "from_name": "c", "value": {"choices": ["good"]}}),
        task({"id": "x7", "question": "Where is it?"}, written(["On the boat."], "reply"), written(["Why not"], "remark")),
        task({"dialogue": DIALOGUE}, written(["On the boat."])),
        task({"dialogue": DIALOGUE[:1]}, written(["On the boat."])),
        task({"chat": []}, typed("user", "Where is it?"), typed("assistant", "On the boat.")),
        task({"chat": [{"role": "user", "content": "Where is it?"}]}, typed("assistant", "On the boat.")),
        {**task({"text": "Where is it?"}), "annotations": [
            {"result": [written(["new"])], "was_cancelled": True, "updated_at": "2026-03-01"},
            {"result": [written(["On the boat."])], "updated_at": "2026-02-01"},
            {"result": [written(["old"])], "updated_at": "2026-01-01"},
        ]},
    ],
)  # fmt: skip
def test_a_task_of_label_studio_is_a_conversation(row):
    assert detect([row]) == "labelstudio"
    assert judge(1, row, "labelstudio").messages == (ASKED, SAID)


@pytest.mark.parametrize(
    ("fields", "responses", "suggestions"),
    [
        ({"prompt": "Where is it?"}, {"answer": [{"value": "On the boat.", "user_id": "u"}]}, {}),
        ({"chat": [{"role": "user", "content": "Where is it?"}]}, {"response": [{"value": "On the boat.", "user_id": "u"}], "label": [{"value": "good", "user_id": "u"}]}, {}),
        ({"prompt": "Where is it?", "response": "On the boat."}, {"rating": [{"value": 5, "user_id": "u"}]}, {}),
        ({"prompt": "Where is it?", "response": "Dunno."}, {"response": [{"value": "On the boat.", "user_id": "u"}]}, {}),
        ({"prompt": "Where is it?"}, {}, {"answer": {"value": "On the boat.", "score": 0.9, "agent": "a model"}}),
        ({"chat": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "On the boat."}]}, {}, {"label": {"value": "good", "score": None, "agent": None}}),
    ],
)  # fmt: skip
def test_a_record_of_argilla_is_a_conversation(fields, responses, suggestions):
    row = {
        "id": "1",
        "fields": fields,
        "metadata": {},
        "suggestions": suggestions,
        "responses": responses,
        "vectors": {},
    }

    assert detect([row]) == "argilla"
    assert judge(1, row, "argilla").messages == (ASKED, SAID)
