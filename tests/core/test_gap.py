"""Each rule of the sentence after held-out questions, and that none is said where an interval speaks against it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.estimate import Estimate
from studio.core.gap import Known, Measured, best, rounded, surprise, verdict

SURE = Estimate(0.98, 0.95, 1.0)
GUESSING = Estimate(0.52, 0.41, 0.63)
HARDLY = Estimate(0.75, 0.66, 0.84)
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
        "About 120 more held-out questions may settle it.",
    ),
    (
        known(prompt(0.7, 0.5, 0.9), left=30),
        "not yet known",
        "The prompt “kind” closes 70 % of the gap [50 to 90 %]. Whether that is enough is not yet known. "
        "About 120 more held-out questions may settle it; there are 30. Some 750 more conversations would bring them. "
        "Until then: read the answers and judge for yourself.",
    ),
    (  # as yoda.json once did: far too wide to be about anything, however near the figure is to the mark
        known(prompt(0.78, 0.44, 1.03), questions=22),
        "not yet known",
        "The prompt “kind” closes 78 % of the gap [44 to 100 %]. Whether that is enough is not yet known. "
        "About 380 more held-out questions may settle it.",
    ),
    (
        known(prompt(0.79, 0.71, 0.88)),
        "near enough",
        "The prompt “kind” closes 79 % of the gap [71 to 88 %]: about enough. Read the answers and judge for yourself.",
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
        "About 120 more held-out questions may settle it.",
    ),
    (
        known(prompt(0.4, 0.3, 0.5), run(0.4, 0.3, 0.5)),
        "not told apart",
        "Run 7 closes 40 % of the gap [30 to 50 %]. Whether it is nearer to you than the prompt “kind” is not yet known. "
        "About 120 more held-out questions may settle it.",
    ),
    (
        known(prompt(0.4, 0.36, 0.44), run(0.41, 0.37, 0.45)),
        "equally near",
        "Run 7 closes 41 % of the gap [37 to 45 %]. It is as near to you as the prompt “kind”: take what costs less.",
    ),
    (known(), "no prompt", "Only the base was asked so far. Ask a prompt, too: words are tried before weights."),
    (
        known(prompt(0.9, 0.85, 0.95), questions=7),
        "too few questions",
        "7 held-out conversations are too few to say anything. It takes 3 more.",
    ),
    (
        known(prompt(0, 0, 0), apart=False, left=0),
        "too few questions",
        "On these 40 held-out conversations your answers are not surely told from the base's. As many again may tell; there "
        "are none. Some 340 more conversations would bring them.",
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
        known(auc=Estimate(0.6, 0.45, 0.75), why_not=CANNOT, full=True),
        "too little known",
        f"It is not known yet whether training would help. {CANNOT} Read the answers and judge for yourself.",
    ),
    (
        known(auc=GUESSING, why_not=CANNOT),
        "nothing to train",
        "Nothing needs training: the base already answers as you do.",
    ),
    (
        known(prompt(0.1, 0.0, 0.2), auc=HARDLY, surprise=Estimate(0.6, 0.5, 0.7)),
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
    assert [COST in verdict(given).evidence for given, *_ in TABLE[:6]] == [True] * 6
    beside = verdict(known(prompt(0.31, 0.20, 0.42), run(0.6, 0.5, 0.7))).evidence
    assert beside == ("The prompt “kind” closes 31 % of the gap [20 to 42 %].", COST)


def test_what_a_run_takes_before_a_question_is_said_too():
    under = replace(run(0.6, 0.5, 0.7), name="run 7 under the prompt “kind”", tokens=310.4)
    said = verdict(known(prompt(0.31, 0.20, 0.42), under))

    assert "against 310 before those of run 7 under the prompt “kind”." in said.evidence[1]


def test_the_best_prompt_speaks_for_all():
    worse = replace(prompt(0.1, 0.0, 0.2), name="the prompt “curt”")

    assert verdict(known(worse, prompt(0.96, 0.85, 1.0))).rule == "prompt is enough"


def test_of_several_prompts_each_claim_asks_the_one_that_speaks_against_it():
    sure, unsure = prompt(0.88, 0.82, 0.94), replace(prompt(0.9, 0.6, 1.1), name="the prompt “curt”")
    assert verdict(known(unsure, sure)).sentence.startswith("The prompt “kind” is enough")

    low, wide = prompt(0.5, 0.4, 0.6), replace(prompt(0.45, 0.1, 0.85), name="the prompt “curt”")
    assert verdict(known(low, wide)).rule == "not yet known"
    assert verdict(known(low, wide)).sentence.startswith("The prompt “curt” closes 45 %")


def test_what_counts_as_none_of_the_experts_is_said():
    said = verdict(known(prompt(0.31, 0.20, 0.42, void=(("repeat the question", 0.35), ("never end", 0.05)))))

    assert said.evidence == (
        COST,
        "35 % of the answers of the prompt “kind” repeat the question. They count as none of yours.",
    )


def test_evidence_stands_beside_the_word_that_nothing_needs_training():
    plain = verdict(known(auc=HARDLY, surprise=Estimate(0.6, 0.5, 0.7)))
    alike = verdict(known(auc=GUESSING, why_not=CANNOT))

    assert plain.evidence == (
        "They surprise it 60 % as much as its own answers do [50 to 70 %].",
        "A classifier still tells them apart, in 75 % of pairs. What differs can be said in a prompt.",
    )
    assert "it picks yours in 52 %" in alike.evidence[0]


def test_a_low_surprise_that_is_not_sure_or_a_manner_that_is_seen_says_nothing():
    low = Estimate(0.6, 0.5, 0.7)

    assert verdict(known(prompt(0.1, 0, 0.2), surprise=low)).rule == "training is worth it"
    unsure = known(prompt(0.1, 0, 0.2), auc=HARDLY, surprise=Estimate(0.6, 0.3, 0.9))
    assert verdict(unsure).rule == "training is worth it"
    assert verdict(known(questions=9, auc=HARDLY, surprise=low)).rule == "too few questions"


# --- whatever the figures are


def ends(off):
    """A figure in thousandths and what lies below and above it in the interval, a little `off`, so that none meets a mark."""
    half = st.integers(0, 800).map(lambda each: (each + 0.11) / 1000)
    return st.tuples(st.integers(-500, 1500).map(lambda each: (each + off) / 1000), half, half)


OF_PROMPT, OF_RUN = ends(0.37), ends(0.71)


def arms(make, given):
    return [make(value, value - below, value + above) for value, below, above in given]


@given(st.lists(OF_PROMPT, max_size=3), st.lists(OF_RUN, max_size=3), st.integers(0, 200))
def test_nothing_is_claimed_against_an_interval(prompts, runs, questions):
    words, tuned = arms(prompt, prompts), arms(run, runs)
    said = verdict(known(*words, *tuned, questions=questions))
    lows, highs = [each.closed.low for each in words], [each.closed.high for each in words]

    if questions < 10:
        assert said.rule == "too few questions"
        return
    assert (said.rule == "prompt is enough") == (max(lows, default=0) >= 0.8)
    if said.rule == "training is worth it":
        assert max(highs) < 0.8
    if said.rule == "near enough":
        assert 0.7 <= max(lows) < 0.8 <= max(highs)
    if said.rule == "training did more":
        assert max(each.closed.low for each in tuned) > (best(words).closed.high if words else 0)
    if said.rule == "training did less":
        assert min(each.closed.high for each in tuned) < (max(lows) if words else 0)
    if said.rule == "equally near":
        one, two = best(tuned).closed, best(words).closed if words else Estimate(0, 0, 0)
        assert max(one.high - two.low, two.high - one.low) < 0.1


@given(st.lists(OF_PROMPT, max_size=3), st.lists(OF_RUN, max_size=3), st.integers(0, 200))
def test_where_it_is_not_known_a_number_of_questions_is_said(prompts, runs, questions):
    said = verdict(known(*arms(prompt, prompts), *arms(run, runs), questions=questions))

    unknown = said.rule in ("not yet known", "not told apart", "too few questions")
    assert (said.more is not None and said.more > 0) == unknown
    assert any(each.isdigit() for each in said.sentence.split()) or not unknown


@given(OF_PROMPT, st.none() | OF_RUN, st.integers(10, 200))
def test_so_many_more_questions_settle_it_where_the_figures_stay(words, tuned, questions):
    def after(more):
        narrower = (questions / (questions + more)) ** 0.5 * (1 - 1e-9)
        there = [
            (value, below * narrower, above * narrower) for value, below, above in (words, tuned or words)
        ]
        runs = arms(run, there[1:]) if tuned else []
        return verdict(known(*arms(prompt, there[:1]), *runs, questions=questions))

    said, unknown = after(0), ("not yet known", "not told apart")
    if said.rule in unknown:
        assert after(said.more).rule not in unknown
        # Beside a run the prompt may turn out to be enough even sooner.
        assert tuned or said.more < 3 or after(said.more - 2).rule in unknown


def test_what_the_same_figure_says_as_its_interval_grows():
    """Read by a person, row by row: each is what a careful reader would say."""
    told = {half: verdict(known(prompt(0.78, 0.78 - half, 0.78 + half))).rule for half in (0.01, 0.05, 0.1, 0.3)}  # fmt: skip

    assert told == {0.01: "training is worth it", 0.05: "near enough", 0.1: "not yet known", 0.3: "not yet known"}  # fmt: skip


def test_a_number_has_two_digits():
    assert [rounded(each) for each in (1, 9, 10, 99, 101, 188, 4017)] == [1, 9, 10, 99, 110, 190, 4100]


def test_surprise_is_the_loss_on_the_experts_answers_beside_the_bases_own():
    found = surprise([3.8, 4.0, 3.6] * 5, [2.7, 2.9, 2.5] * 5)

    assert found.value == pytest.approx(3.8 / 2.7)
    assert 1.3 < found.low < found.value < found.high < 1.5
