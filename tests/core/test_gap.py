"""Each rule of the sentence after held-out questions, and that none is said where an interval speaks against it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.estimate import Estimate
from studio.core.gap import Known, Measured, needed, surprise, verdict

SURE = Estimate(0.98, 0.95, 1.0)
GUESSING = Estimate(0.52, 0.41, 0.63)
CANNOT = "A classifier cannot tell them apart."


def prompt(value, low, high, **more):
    return Measured("the prompt “kind”", "prompt", Estimate(value, low, high), tokens=310.4, **more)


def run(value, low, high, **more):
    return Measured("run 7", "run", Estimate(value, low, high), **more)


def known(*arms, questions=40, left=1000, auc=SURE, **more):
    return Known(arms, questions, left, auc, **more)


COST = "It costs 310 tokens of prompt before every answer, against none after training."
TABLE = [
    (
        known(prompt(0.96, 0.85, 1.06)),
        "prompt is enough",
        "The prompt “kind” is enough: it closes 96 % of the gap [85 to 100 %]. You need not train.",
    ),
    (
        known(prompt(0.31, 0.20, 0.42)),
        "training is worth it",
        "The prompt “kind” closes 31 % of the gap [20 to 42 %]. Training is worth trying.",
    ),
    (
        known(prompt(0.7, 0.5, 0.9)),
        "not yet known",
        "The prompt “kind” closes 70 % of the gap [50 to 90 %]. Whether that is enough is not yet known. "
        "About 120 more held-out questions would settle it.",
    ),
    (
        known(prompt(0.7, 0.5, 0.9), left=30),
        "not yet known",
        "The prompt “kind” closes 70 % of the gap [50 to 90 %]. Whether that is enough is not yet known. "
        "About 120 more held-out questions would settle it; there are 30. Some 750 more conversations would bring them.",
    ),
    (
        known(prompt(0.79, 0.6, 0.95)),
        "near enough",
        "The prompt “kind” closes 79 % of the gap [60 to 95 %]: about enough. Read its answers and judge for yourself.",
    ),
    (
        known(prompt(0.31, 0.20, 0.42), run(0.6, 0.5, 0.7)),
        "training did more",
        "Training did more than the prompt “kind”: run 7 closes 60 % of the gap [50 to 70 %].",
    ),
    (
        known(run(0.6, 0.5, 0.7)),
        "training did more",
        "Training did more than the base: run 7 closes 60 % of the gap [50 to 70 %].",
    ),
    (
        known(prompt(0.5, 0.4, 0.6), run(0.1, -0.05, 0.2)),
        "training did less",
        "Training did less than the prompt “kind”: run 7 closes 10 % of the gap [0 to 20 %].",
    ),
    (
        known(prompt(0.4, 0.3, 0.5), run(0.5, 0.4, 0.6)),
        "not told apart",
        "Run 7 closes 50 % of the gap [40 to 60 %]. Whether it is nearer to you than the prompt “kind” is not yet known. "
        "About 120 more held-out questions would settle it.",
    ),
    (
        known(prompt(0.4, 0.3, 0.5), run(0.4, 0.3, 0.5)),
        "not told apart",
        "Run 7 closes 40 % of the gap [30 to 50 %]. Whether it is nearer to you than the prompt “kind” is not yet known. "
        "They are so near to each other that more questions would hardly tell: take what costs less.",
    ),
    (known(), "no prompt", "Only the base was asked so far. Ask a prompt, too: words are tried before weights."),
    (
        known(prompt(0.9, 0.85, 0.95), questions=7),
        "too few questions",
        "7 held-out conversations are too few to say anything. About 3 more held-out questions would settle it.",
    ),
    (
        known(prompt(0, 0, 0), apart=False, left=0),
        "too few questions",
        "On these 40 held-out conversations your answers are not surely told from the base's. About 40 more held-out "
        "questions would settle it; there are none. Some 334 more conversations would bring them.",
    ),
    (
        known(auc=None, why_not="The style score needs 20 conversations; there are 12. Write 8 more."),
        "too little known",
        "It is not known yet whether training would help. The style score needs 20 conversations; there are 12. Write 8 more.",
    ),
    (
        known(auc=Estimate(0.6, 0.45, 0.75), why_not=CANNOT),
        "too little known",
        f"It is not known yet whether training would help. {CANNOT} Write more conversations; then ask again.",
    ),
    (
        known(auc=GUESSING, why_not=CANNOT),
        "nothing to train",
        "Nothing needs training: the base already answers as you do.",
    ),
    (
        known(prompt(0.1, 0.0, 0.2), surprise=Estimate(0.6, 0.5, 0.7)),
        "nothing to train",
        "Nothing needs training: the base would as soon write your answers as its own.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "rule", "sentence"), TABLE, ids=[f"{at} {row[1]}" for at, row in enumerate(TABLE)]
)
def test_the_sentence_of_each_rule(given, rule, sentence):
    said = verdict(given)

    assert (said.rule, said.sentence) == (rule, sentence)


def test_every_rule_is_in_the_table():
    from typing import get_args

    from studio.core.gap import Rule

    assert {rule for _, rule, _ in TABLE} == set(get_args(Rule))


def test_what_a_prompt_costs_is_said_wherever_a_prompt_is_judged():
    assert [COST in verdict(given).evidence for given, *_ in TABLE[:5]] == [True] * 5
    beside = verdict(known(prompt(0.31, 0.20, 0.42), run(0.6, 0.5, 0.7))).evidence
    assert beside == ("The prompt “kind” closes 31 % of the gap [20 to 42 %].", COST)


def test_the_best_prompt_speaks_for_all():
    worse = replace(prompt(0.1, 0.0, 0.2), name="the prompt “curt”")

    assert verdict(known(worse, prompt(0.96, 0.85, 1.0))).rule == "prompt is enough"


def test_copies_are_said():
    said = verdict(known(prompt(0.31, 0.20, 0.42, copied=0.35)))

    assert said.evidence[-1] == (
        "35 % of the answers of the prompt “kind” repeat learned answers word for word. They count as none of yours."
    )


def test_evidence_stands_beside_the_word_that_nothing_needs_training():
    plain = verdict(known(surprise=Estimate(0.6, 0.5, 0.7)))
    alike = verdict(known(auc=GUESSING, why_not=CANNOT))

    assert plain.evidence == (
        "They surprise it 60 % as much as its own answers do [50 to 70 %].",
        "A classifier still tells them apart, in 98 % of pairs. What differs can be said in a prompt.",
    )
    assert "it picks yours in 52 %" in alike.evidence[0]


def test_a_low_surprise_that_is_not_sure_says_nothing():
    assert (
        verdict(known(prompt(0.1, 0, 0.2), surprise=Estimate(0.6, 0.3, 0.9))).rule == "training is worth it"
    )
    assert verdict(known(questions=9, surprise=Estimate(0.6, 0.5, 0.7))).rule == "too few questions"


@given(st.floats(-0.2, 1.2), st.floats(0, 0.6), st.floats(0, 0.6), st.integers(0, 200))
def test_nothing_is_said_against_an_interval(value, below, above, questions):
    given = known(prompt(value, value - below, value + above), questions=questions)

    rule = verdict(given).rule

    assert (rule == "prompt is enough") == (questions >= 10 and value - below >= 0.8)
    assert (rule == "training is worth it") == (questions >= 10 and value + above < 0.8)


@given(st.floats(0, 1), st.floats(0.01, 0.5), st.integers(10, 200))
def test_so_many_more_questions_make_the_interval_pass_the_mark(value, half, questions):
    more = needed(questions, Estimate(value, value - half, value + half), 0.8)

    if more is not None and half > abs(value - 0.8):
        assert half * (questions / (questions + more)) ** 0.5 <= abs(value - 0.8) + 1e-9
        fewer = max(more - 2, 0)
        assert half * (questions / (questions + fewer)) ** 0.5 >= abs(value - 0.8) - 1e-9


def test_surprise_is_the_loss_on_the_experts_answers_beside_the_bases_own():
    found = surprise([3.8, 4.0, 3.6] * 5, [2.7, 2.9, 2.5] * 5)

    assert found.value == pytest.approx(3.8 / 2.7)
    assert 1.3 < found.low < found.value < found.high < 1.5
