"""What changed, told so that both versions can be read from it."""

from hypothesis import given
from hypothesis import strategies as st

from studio.core.difference import Part, turns, words
from studio.core.records import Message

TEXTS = st.text(alphabet=st.sampled_from("ab é\n\t.,“🙂"), max_size=40)


def said(parts, *kinds):
    return "".join(each.text for each in parts if each.kind in kinds)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_from_the_parts(before, after):
    parts = words(before, after)

    assert said(parts, "same", "gone") == before
    assert said(parts, "same", "new") == after


def test_a_changed_word_is_told_and_the_rest_stays():
    assert words("It sails at six.", "It sails at noon.") == [
        Part("same", "It sails at "),
        Part("gone", "six"),
        Part("new", "noon"),
        Part("same", "."),
    ]


def test_turns_are_compared_with_their_like():
    before = [Message("user", "Where?"), Message("assistant", "Here.")]
    after = [Message("user", "Where?"), Message("assistant", "Over here."), Message("user", "Thanks.")]

    assert [(each.role, each.kind) for each in turns(before, after)] == [
        ("user", "same"),
        ("assistant", "changed"),
        ("user", "new"),
    ]
    assert [each.kind for each in turns(after, before)] == ["same", "changed", "gone"]


def test_an_answer_that_is_no_longer_learned_is_a_change():
    (turn,) = turns([Message("assistant", "Here.")], [Message("assistant", "Here.", weight=0)])

    assert (turn.kind, turn.relearned, turn.parts) == ("changed", True, (Part("same", "Here."),))


def test_a_long_text_is_compared_by_lines_and_a_very_long_one_as_a_whole():
    lines = [f"this is line {n} of many\n" for n in range(1500)]
    parts = words("".join(lines), "".join([*lines[:700], "another\n", *lines[701:]]))
    assert [each.kind for each in parts] == ["same", "gone", "new", "same"]
    assert parts[1].text == lines[700]

    many = "a\n" * 400_000
    assert [each.kind for each in words(many, many + "x")] == ["gone", "new"]
