"""A prompt in files of other programs, read back by their own rules."""

import json

import pytest

from studio.core.errors import BadInput
from studio.core.prompt_files import as_messages, as_modelfile
from studio.core.records import Message

SHOTS = [(Message("user", "Where?"), Message("assistant", 'At "sea".\nSoon.', weight=0))]
SYSTEMS = [
    "Be calm.",
    ' "Be" calm \n\n FROM here ',
    '"',
    '""',
    "# none\nSYSTEM x",
    "a\r\nb\tשלום 🙂 ",
    'say """so""" twice',
]


def read(modelfile):
    """Ollama's own reading of a Modelfile (parser/parser.go): a value ends with the line at which its quotes are closed."""
    found, value = [], ""
    for line in modelfile.splitlines(keepends=True):
        if not value and (line.startswith("#") or not line.strip()):
            continue
        value += line
        head, _, text = value.strip().partition(" ")
        if head == "MESSAGE":
            role, _, text = text.partition(" ")
            head = role
        if text.startswith('"""'):
            if not (text.endswith('"""') and len(text) >= 6):
                continue
            text = text[3:-3]
        found.append((head, text))
        value = ""
    assert not value
    return found


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_modelfile_is_read_back_as_it_was(system):
    told = as_modelfile(system, SHOTS, "starter")

    assert read(told) == [("FROM", "smollm2:135m"), ("SYSTEM", system), ("user", "Where?"), ("assistant", 'At "sea".\nSoon.')]  # fmt: skip


@pytest.mark.parametrize("system", ['a """\nb', '"""\n', 'a"""  \r\nFROM other'])
def test_what_no_modelfile_can_hold_is_refused(system):
    with pytest.raises(BadInput, match="as messages"):
        as_modelfile(system, (), "starter")


def test_a_base_that_ollama_does_not_know_is_left_to_the_person():
    assert as_modelfile("Be calm.", (), "/my/own/model").startswith("# Write here what Ollama calls the base")


@pytest.mark.parametrize("system", SYSTEMS)
def test_messages_are_plain_json_without_what_is_the_studios(system):
    told = json.loads(as_messages(system, SHOTS))["messages"]

    assert told[0] == {"role": "system", "content": system}
    assert told[1:] == [
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": 'At "sea".\nSoon.'},
    ]
