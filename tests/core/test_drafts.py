"""The mark of a model's draft: kept with the text, never taken for a part of it."""

import pytest

from studio.core import formats, lint
from studio.core.errors import BadInput
from studio.core.records import Conversation, Message
from studio.core.text import made, unlooped

ASKED, DRAFTED = Message("user", "Where is it?"), Message("assistant", "On the quay.", drafted="run:7")
ACCEPTED = Message("assistant", "On the quay.")


def conversation(*messages, number=1):
    return Conversation(f"c{number}", "p", number, 1, messages, "draft", (), "", "", "")


def test_the_mark_is_kept_and_comes_back():
    assert formats.load(formats.dump((ASKED, DRAFTED))) == (ASKED, DRAFTED)


def test_neither_an_export_nor_the_content_knows_of_it():
    drafted, accepted = conversation(ASKED, DRAFTED), conversation(ASKED, ACCEPTED)

    assert formats.as_line(drafted) == formats.as_line(accepted)
    assert b"drafted" not in formats.as_line(drafted)
    assert formats.content_hash(drafted.messages) == formats.content_hash(accepted.messages)


def test_a_file_cannot_set_it():
    row = {"messages": [formats.as_kept(ASKED), formats.as_kept(DRAFTED)]}

    assert formats.judge(1, row, "messages").messages == (ASKED, ACCEPTED)


@pytest.mark.parametrize("arm", ["", "wizard", "run:", "run:../7", "base ", 7, ["base"], "run:" + "7" * 99])
def test_a_mark_of_no_arm_is_refused(arm):
    with pytest.raises(BadInput, match="Turn 2"):
        formats.drafted(2, arm)


def test_a_draft_is_found_where_it_stands_and_is_not_learned_from():
    (found,) = lint.findings([conversation(ASKED, ACCEPTED, ASKED, DRAFTED)])

    assert (found.rule, found.severity, found.message) == ("draft", "warning", 3)
    assert lint.unlearnable((ASKED, DRAFTED)) == found.text.replace("4", "2")
    assert lint.unlearnable((ASKED, ACCEPTED)) == ""


def test_a_models_text_loses_what_no_conversation_may_hold():
    assert made(" \x00It\ud800 sails.\n ") == "It sails."


def test_a_loop_is_left_with_its_words_once():
    assert unlooped("It hums. " + "You own the lamp. " * 2) is None
    assert unlooped("It hums. " + "You own the lamp. " * 3) == "It hums. You own the lamp."
    assert unlooped("lamp after lamp, " * 3) == "lamp after lamp, "
    assert unlooped("-" * 60) is None
