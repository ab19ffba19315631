import pytest

from studio.core.copied import Copied, Learned

PARCEL = "Then you have plenty of time. The label is on its way to you now."
LAMP = "Switch the lamp off at the wall for now, and do not open the switch."
LEARNED = Learned.of(["Short.", PARCEL, "", LAMP])


def test_a_whole_learned_answer_is_copied_whatever_its_signs_and_capitals():
    found = LEARNED.copied("THEN YOU HAVE plenty of time; the label is on its way to you now!")

    assert found == Copied(1.0, 15, "THEN YOU HAVE plenty of time; the label is on its way to you now", 1)
    assert found.mostly


def test_the_copied_part_is_measured_and_the_longest_run_is_shown_as_it_stands():
    found = LEARNED.copied(f"Dear Ada, I see. {LAMP[:-8]} door. The label is on its way to you now, Ada.")

    assert found.text == "Switch the lamp off at the wall for now, and do not open the"
    assert (found.longest, found.source) == (14, 3)
    assert found.share == pytest.approx((14 + 9) / 29)


def test_seven_words_in_a_row_are_a_common_phrase():
    assert LEARNED.copied("Today the label is on its way to us.") == Copied(0.0, 0, "", None)
    assert LEARNED.copied("Today the label is on its way to you.").longest == 8


def test_a_short_answer_is_a_copy_where_it_is_the_whole_of_a_learned_one():
    learned = Learned.of(["Yes, I do.", "Send it to us today.", PARCEL])

    assert learned.copied("send it to us today!") == Copied(1.0, 5, "send it to us today!", 1)
    assert not learned.copied("Send it to us tomorrow.").longest
    assert not learned.copied("Send it to us today.", own="Send it to us, today.").longest
    assert not learned.copied("Yes, I do.").longest  # anybody might say so


def test_what_the_expert_says_to_this_very_question_is_no_copy():
    assert not LEARNED.copied(PARCEL, own=f"Yes. {PARCEL}").longest
    # Only the run that stands in it too.
    assert LEARNED.copied(f"{PARCEL} {LAMP}", own=PARCEL).text == LAMP[:-1]


def test_no_run_goes_over_from_one_learned_answer_into_the_next():
    apart = Learned.of(["one two three four", "five six seven eight"])

    assert not apart.copied("one two three four five six seven eight").longest


def test_the_same_words_in_another_order_are_no_copy():
    assert not LEARNED.copied(" ".join(reversed(PARCEL.split()))).longest


@pytest.mark.parametrize(
    ("learned", "answer", "longest"),
    [
        ("请您放心，标签已经在路上了，一小时之内就会送到您手中。", "好。请您放心，标签已经在路上了，一小时之内就会送到。", 10),
        ("请您放心，标签已经在路上了。", "标签已经在路上了，请您放心。", 0),
        ("Cafe\u0301 und Tee gibt es heute von acht bis zehn", "Café und Tee gibt es heute von acht bis neun", 9),
        ("نحن نرسل لك الرقم اليوم قبل الساعة الخامسة مساء", "نحن نرسل لك الرقم اليوم قبل الساعة الخامسة مساء", 9),
    ],
)  # fmt: skip
def test_copies_are_found_in_any_script(learned, answer, longest):
    assert Learned.of([learned]).copied(answer).longest == longest


def test_where_nothing_was_learned_nothing_is_copied():
    assert Learned.of([]).copied(PARCEL) == LEARNED.copied("") == Copied(0.0, 0, "", None)
