"""What votes come to."""

import random

import pytest

from studio.core.judging import Round, Shown, Tally, agreement, calibration, sentence, tallies, wins
from studio.core.records import Message

ASKED = (Message("user", "Where is my parcel?"),)


def voted(question, left, right, choice, judge="Ada"):
    sides = (Shown(arm, f"{arm} says", arm) for arm in (left, right))
    return Round(f"{question}{judge}{left}", "p", judge, "starter", question, ASKED, *sides, "", choice)


def test_votes_are_counted_by_arm_whatever_their_side():
    rounds = [
        voted("1", "base", "run:7", "right"),
        voted("2", "run:7", "base", "left"),
        voted("3", "run:7", "base", "right"),
        voted("4", "base", "run:7", "tie"),
        voted("5", "base", "run:7", "bad"),
        voted("6", "base", "run:7", None),
    ]

    assert tallies(rounds) == [Tally("base", "run:7", 1, 2, 1, 1)]


def test_a_question_counts_once_however_many_judged_it():
    rounds = [voted("1", "base", "run:7", "right", judge) for judge in ("Ada", "Ben", "Cleo")]
    rounds += [voted("2", "base", "run:7", *each) for each in (("left", "Ada"), ("right", "Ben"))]

    assert tallies(rounds) == [Tally("base", "run:7", 0, 1, 1, 0)]


def test_rounds_of_one_arm_count_for_calibration_only():
    rounds = [voted(str(n), "base", "base", "left" if n < 3 else "tie") for n in range(8)]
    seen = calibration([*rounds, voted("9", "base", "run:7", "right")])

    assert tallies(rounds) == []
    assert (seen.rounds, seen.noise.value, seen.left.value) == (8, 3 / 8, 3 / 4)


def test_judges_who_see_the_same_agree():
    rounds = [
        voted(str(n), "base", "run:7", choice, judge)
        for n, choice in enumerate(("left", "right", "right", "tie"))
        for judge in ("Ada", "Ben")
    ]

    assert agreement(rounds) == 1.0
    assert agreement([each for each in rounds if each.judge == "Ada"]) is None


def test_the_table_of_wins_begins_with_the_base_and_halves_ties():
    arms, table = wins([Tally("base", "run:7", 1, 3, 2), Tally("prompt:calm@1", "run:7", 0, 4)])

    assert arms == ["base", "prompt:calm@1", "run:7"]
    assert table.tolist() == [[0, 0, 2], [0, 0, 0], [4, 4, 0]]


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (Tally("a", "b"), "Nobody has judged"),
        (Tally("a", "b", 0, 0, 2, 1), "No clear vote yet between A and B: 2 tied, 1 both bad."),
        (Tally("a", "b", 3, 17), "better."),
        (
            Tally("a", "b", 17, 3),
            "A preferred in 17 of 20 clear votes (85 %, 95 % interval 62 to 97 %): better.",
        ),
        (Tally("a", "b", 6, 17), "Not yet known which is better: about"),
        (Tally("a", "b", 1, 10), "about 1 more clear vote would probably settle it."),
        (Tally("a", "b", 500, 500), "about equally good."),
        (Tally("a", "b", 30, 30), "more than 400 more clear votes would be needed"),
        (Tally("a", "b", 1, 2, 0, 4), "On 4 of 7 questions both were bad."),
    ],
)
def test_the_words_follow_the_rules(tally, said):
    assert said in sentence(tally, "A", "B")


def test_no_winner_is_called_without_votes_that_bear_it():
    chance = random.Random(1)
    for _ in range(40):
        tally = Tally("a", "b", chance.randint(0, 12), chance.randint(0, 12))
        if sentence(tally, "A", "B").endswith("better."):
            assert not tally.share.low <= 0.5 <= tally.share.high
