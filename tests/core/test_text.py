import pytest

from studio.core.errors import BadInput
from studio.core.text import clean, control_tokens, one_line, searchable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "two\nlines\r\n\tand a tab\r",
        "U+2028 \u2028 and U+FEFF \ufeff",
        "e\u0301 \U0001f600 \u200d \x7f \x85",
        "  x  ",
    ],
)
def test_text_is_kept_as_it_came(text):
    assert clean(text, "The note") == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ab\ud83d", "The note holds half of a character (U+D83D) at character 3."),
        ("one\ntwo\x00", "The note holds an invisible control character (U+0000) at line 2, character 4."),
        ("\x1b[0m", "The note holds an invisible control character (U+001B) at character 1."),
        ("x\x0c", "The note holds an invisible control character (U+000C) at character 2."),
        ("x" * 11, "The note is 11 characters long and the limit is 10."),
        (None, "The note is not text."),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place_and_the_next_step(text, said):
    with pytest.raises(BadInput) as refused:
        clean(text, "The note", 10)

    assert str(refused.value).startswith(said)
    assert len(str(refused.value)) > len(said)


def test_a_text_of_just_the_limit_passes():
    assert clean("x" * 10, "The note", 10)


@pytest.mark.parametrize(
    "token",
    ["<|im_end|>", "<|endoftext|>", "<|start_header_id|>", "<｜begin▁of▁sentence｜>", "<s>", "</s>", "[INST]", "[/INST]",
     "<<SYS>>", "<start_of_turn>", "<end_of_turn>", "<eos>"],
)  # fmt: skip
def test_control_tokens_are_found_within_a_text(token):
    assert control_tokens(f"Before{token}after {token}") == [token, token]


@pytest.mark.parametrize("text", ["a < b | c > d", "<b>bold</b>", "[1] and [INSTALL]", "x <| y |> z", "<|>"])
def test_ordinary_text_holds_no_control_token(text):
    assert control_tokens(text) == []


def test_a_search_does_not_see_case_width_or_composition():
    assert searchable("STRASSE Ärger ＡＢ") == searchable("straße A\u0308rger ab")


def test_one_line_is_cut_and_has_no_line_ends():
    assert one_line("  a\n\nb\tc " + "d" * 50, 8) == "a b c dd"
