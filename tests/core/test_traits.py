"""Traits told of answers that were made to have them."""

import pytest

from studio.core.address import addressed, language
from studio.core.traits import differences

SHORT = [f"Yes. You find the {thing} on the lid, and it is free." for thing in ("key", "number", "label")] * 8
LONG = [
    f"I'm sorry! I hope that I can help with the {thing}; I will try.\n\n- **First**, look at it closely.\n- Then, I hope, call us."
    for thing in ("key", "number", "label")
] * 8


def told(experts, arm):
    return {each.trait: each for each in differences(experts, arm)}


def test_each_trait_is_said_so_that_a_person_can_read_it_arm_first():
    found = told(SHORT, LONG)

    assert found["length"].says == "Answers are 2.0 times as long: 24 words against 12."
    assert found["lists"].says == "Lists in 100 % of answers against 0 %."
    assert found["bold"].says == "Bold words in 100 % of answers against 0 %."
    assert found["exclamation marks"].says == "Exclamation marks in 100 % of answers against 0 %."
    assert found["begins with “Yes”"].says == "“Yes” begins 0 % of answers against 100 %."
    assert found["begins with “I'm”"].arm == 1
    assert found["ends with “is free”"].experts == 1
    assert found["ends with “call us”"].arm == 1
    assert found["“I”"].arm > 10 > 0 == found["“I”"].experts
    assert found["“you”"].arm == 0 < found["“you”"].experts
    assert all(each.clear for each in found.values() if each.trait not in ("commas", "colons and semicolons"))


def test_a_shorter_answer_is_said_to_be_shorter():
    assert told(LONG, SHORT)["length"].says == "Answers are 50 % shorter: 12 words against 24."


def test_going_round_in_circles_is_told_apart_from_saying_a_thing_twice():
    loops = [
        f"The {word} is there. " + "You cannot see it, but it is there. " * 9 for word in ("key", "lid")
    ] * 12
    found = told(SHORT, loops)["circles"]

    assert found.says == "Going round in circles in 100 % of answers against 0 %."
    assert "circles" not in told(SHORT, [f"{text} {text}" for text in SHORT])


def test_two_halves_of_the_same_answers_are_not_clearly_apart():
    mixed = [text for pair in zip(SHORT, LONG, strict=True) for text in pair]

    assert not [each.says for each in differences(mixed[::3], mixed[1::3]) if each.clear]


def test_a_few_answers_are_never_clearly_apart():
    assert not [each for each in differences(SHORT[:2], LONG[:2]) if each.clear]


def test_the_surest_difference_comes_first_and_the_common_words_last():
    longer = [f"{text} You may write to us when you like, for it is no trouble." for text in SHORT]
    mostly = [*longer[:20], *(f"I think: {text}" for text in SHORT[20:])]

    found = [each.trait for each in differences(SHORT, mostly)]

    assert found.index("length") < found.index("begins with “I”")
    assert found[-1] == "common words"
    assert "lists" not in found


def test_the_common_words_are_the_experts_own_and_named_where_they_differ_most():
    things = ["lamp", "lamp", "key", "key", "box", "box"] * 4
    experts = [f"The {thing} is there, and the rest is here." for thing in things]
    arm = [f"There was a {thing} once, but it was mine." for thing in things]

    found = told(experts, arm)["common words"]

    assert found.clear
    assert found.experts < 0.1 < found.arm
    assert "“the” 0.0 in 100 words against 22" in found.says
    assert "lamp" not in found.says


@pytest.mark.parametrize(
    ("experts", "arm", "trait"),
    [
        (["好的。请写信给我们。"] * 9, ["非常抱歉！我会帮助您，请您等待，谢谢您。"] * 9, "exclamation marks"),
        (["ठीक है। आप लिखें।"] * 9, ["क्या मैं आपकी मदद करूँ? हाँ?"] * 9, "questions"),
        (["نعم. اكتب لنا."] * 9, ["هل تريد، يا سيدي، أن أساعدك؟"] * 9, "questions"),
    ],
)
def test_it_works_in_any_script(experts, arm, trait):
    found = told(experts, arm)

    assert found[trait].clear
    assert found["length"].arm > found["length"].experts


def test_an_answer_that_was_cut_off_has_no_closing():
    assert "ends with “and then”" not in told(SHORT, ["You look at it, and then"] * 24)


def test_nothing_is_said_of_no_answers():
    assert differences([], SHORT) == differences(SHORT, ["", " "]) == []


@pytest.mark.parametrize(
    ("text", "name", "forms"),
    [
        ("Is it the one that you're after? I'm sure we have it, and our box is here.", "English", {"I": 1, "we": 2, "you": 1}),
        ("Bitte schreiben Sie uns, was das ist. Ich sehe, dass sie die Lampe nicht hat.", "German", {"I": 1, "we": 1, "you": 0, "polite you": 1}),
        ("J'ai vu que vous avez la lampe et que c'est une des nôtres.", "French", {"I": 1, "we": 0, "you": 0, "polite you": 1}),
        ("Я вижу, что вы не в городе, и это с вами на день.", "Russian", {"I": 1, "we": 0, "you": 0, "polite you": 1}),
    ],
)  # fmt: skip
def test_whom_an_answer_speaks_of_is_told_in_its_language(text, name, forms):
    from studio.core import cutting

    assert language(cutting.words(text)) == name
    assert addressed(cutting.WORD.findall(text), name) == forms


def test_an_unknown_language_is_said_to_be_none():
    assert language(["lampa", "on", "pöydällä", "ja", "avain", "kannessa"]) == ""
