import pytest

from studio.core import cutting


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't go, l’eau is well-known.", ["don't", "go", "l’eau", "is", "well", "known"]),
        ("Straße, Cafe\u0301!", ["strasse", "café"]),
        ("我喜欢这个。", ["我喜", "欢这", "个"]),
        ("ที่นี่ดี", ["ที", "่น", "ี่", "ดี"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("А ты? 3.5 кг", ["а", "ты", "3", "5", "кг"]),
        ("— … !", []),
    ],
)
def test_words_are_told_in_any_script(text, expected):
    assert cutting.words(text) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It costs 3.5 euros. Really? Yes!", 3),
        ("“Come here.” He came.", 2),
        ("你好。我很好！你呢？", 3),
        ("क्या हाल है? ठीक है।", 2),
        ("First:\n1. Open it.\n2. Close it.", 3),
        ("- one\n- two", 2),
        ("without an end", 1),
        ("...", 0),
        ("", 0),
    ],
)
def test_sentences_and_rows_of_lists_are_counted(text, count):
    assert len(cutting.sentences(text)) == count


def test_pieces_have_as_many_words_each_and_stand_so_in_the_text():
    text = "one  two, three\nfour five six (seven)"

    assert cutting.pieces(text, 3, 9) == ["one  two, three", "four five six"]
    assert cutting.pieces(text, 99, 9) == [text]
    assert cutting.pieces(" \n", 3, 9) == []


def test_pieces_of_a_long_text_are_spread_over_it():
    text = " ".join(str(number) for number in range(100))

    assert cutting.pieces(text, 10, 2) == [" ".join(map(str, range(10))), " ".join(map(str, range(50, 60)))]


def test_a_text_without_spaces_is_cut_too():
    assert cutting.length("我喜欢这个东西。") == 4
    assert cutting.pieces("我喜欢这个东西。", 2, 9) == ["我喜欢这", "个东西。"]
