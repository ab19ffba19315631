"""A style said as instructions: each trait by answers that have it, and nothing said of those that do not."""

import pytest

from studio.core.style_description import FEWEST, describe

PLAIN = [f"You can find the answer to question {n} in the manual of the device." for n in range(30)]
ASKED = ["Where is my parcel?"]


OTHERS = ["oak", "elm", "ash", "fir", "yew", "box", "bay", "fig", "nut", "pea"]


def said(*answers):
    """The style of each answer ten times over, each time with another word for a star."""
    texts = [each.replace("*", word) for word in OTHERS for each in answers]
    return describe(texts, ASKED * len(texts), PLAIN)


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        (["It sails at six. Be there.", "No boat goes today. I am sorry. Come back."], "Answer in two to three sentences, 6 to 9 words. Keep sentences short"),
        (["Yes."], "Answer in one sentence, about 1 word."),
        (["- one\n- two", "1. one\n2. two"], "Give the answer as a list."),
        (["One thing. \n\nAnother thing."], "Part it into two paragraphs."),
        (["Gern. Wir senden es Ihnen."], "Address the reader as “Sie”."),
        (["Gern, ich sende es dir."], "Address the reader as “du”."),
        (["Gern, ich sende es dir."], "Speak as “ich”, not as “wir”."),
        (["We have your order."], "Speak as “we”, not as “I”."),
        (["It's here, and it doesn't hum."], "Use contractions"),
        (["It is here and does not hum."], "Write words out"),
        (["Dear friend, * is here.", "Dear friend, *, no."], "Begin with “Dear friend”."),
        (["Ahoy, *.", "Ahoy, * yes.", "Well, * three.", "Well, * four.", "* no.", "* perhaps."], "Often begin with “Ahoy” or “Well”."),
        (["It is *. Yours, Harbour", "No *. Yours, Harbour."], "End with “Yours, Harbour”."),
        (["It is here. Is that well?", "Which one?"], "End with a question."),
        (["It is here!"], "Use exclamation marks."),
        (["It is here."], "Use no exclamation marks and no emoji."),
        (["It is here 🙂"], "Use emoji now and then."),
        (["Well… it is here."], "trail off"),
        (["it is here."], "Write everything in small letters."),
        (["The quay is open.", "At the quay, tide permitting.", "Tide and quay wait for none; the harbour, too.", "Harbour closed."], "Words of this voice: "),
    ],
)  # fmt: skip
def test_a_habit_is_said_as_an_instruction(answers, wanted):
    assert wanted in said(*answers)


def test_what_is_no_habit_is_not_said():
    words = [f"{one}{other}" for one in OTHERS for other in OTHERS]
    texts = [
        f"{words[n].title()} {words[n + 20]}{'!?.'[n % 3]} {words[n + 40]} {words[n + 60]}."
        for n in range(40)
    ]
    told = describe(texts, ASKED * 40, PLAIN)

    for word in ("Begin", "End with", "Often", "Address", "Speak", "exclamation", "as a list", "voice"):
        assert word not in told


def test_the_subject_is_no_vocabulary():
    told = said(
        "The parcel waits, matey.", "Your parcel, matey, is late.", "Ahoy matey, by sail.", "Sail, ahoy!"
    )

    assert "matey" in told
    assert "parcel" not in told.split("voice:")[1]


def test_plain_answers_have_no_vocabulary_of_their_own():
    assert "voice" not in describe(PLAIN, ASKED * 30, PLAIN)


def test_too_few_answers_say_nothing():
    assert describe(["Yes."] * (FEWEST - 1) + [" ", "…"], ASKED, PLAIN) == ""
    assert describe(["Yes."] * FEWEST, ASKED, PLAIN)


@pytest.mark.parametrize(
    "odd", ["<script>x</script>", "שלום עולם", "你好。再见。", "🙂", "a" * 100_000, "\r\n\t.", "x " * 20_000]
)
def test_odd_answers_are_no_trouble(odd):
    assert isinstance(said(odd, "Yes."), str)
