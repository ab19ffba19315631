"""The verdict on a run: each claim rests on the end of an interval that speaks against it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from studio.core.estimate import Estimate
from studio.core.evidence import Deed, Evidence, Quiz, lasting
from studio.core.gap import FEW
from studio.core.judging import Tally
from studio.core.side_effects import EVALUATE, GRADES, MEASURE, effects
from studio.core.verdict import style, verdict

NOBODY = Tally("base", "run:7")
LIKED, DISLIKED = Tally("base", "run:7", 2, 18), Tally("base", "run:7", 18, 2)
WELL = Evidence(
    "run 7", NOBODY, 12, Estimate(0.8, 0.6, 0.95), held_out=Estimate(-0.3, -0.35, -0.24), general=Estimate(0.0, -0.02, 0.02),
    quiz=Quiz(24, 15, 15, 1, 1), deeds=(Deed("refuse", 0, 0, "Mend it."),), length=Estimate(1.1, 0.8, 1.4), base_length=4.0,
)  # fmt: skip
GAP = {name: Estimate(*ends) for name, ends in {
    "most": (0.8, 0.55, 0.95), "some": (0.42, 0.14, 0.76), "unsure": (0.3, -0.1, 0.7), "nothing": (0.0, -0.02, 0.05),
}.items()}  # fmt: skip
FELL = {"much": Estimate(-0.3, -0.35, -0.24), "hardly": Estimate(-0.03, -0.04, -0.02), "unsure": Estimate(-0.06, -0.12, 0.01)}  # fmt: skip


@pytest.mark.parametrize(
    ("votes", "closed", "fell", "said"),
    [
        (NOBODY, "most", "much", "yes"),
        (LIKED, "some", "much", "yes"),
        (LIKED, None, "much", "yes"),
        (DISLIKED, "most", "much", "partly"),
        (LIKED, "nothing", "hardly", "partly"),
        (NOBODY, "some", "much", "partly"),
        (NOBODY, "nothing", "much", "no"),
        (NOBODY, "unsure", "hardly", "not yet known"),
        (NOBODY, None, "hardly", "no"),
        (NOBODY, "unsure", "unsure", "not yet known"),
        (NOBODY, None, "much", "not yet known"),
        (NOBODY, None, None, "not yet known"),
        (Tally("base", "run:7", 3, 6), None, "much", "not yet known"),
    ],
)
def test_the_style_by_the_table_of_rules(votes, closed, fell, said):
    known = replace(WELL, votes=votes, closed=GAP.get(closed), held_out=FELL.get(fell))
    assert verdict(known).style == said


@pytest.mark.parametrize(
    ("worse", "grade"),
    [
        ({}, "none"),
        ({"general": Estimate(0.19, 0.12, 0.3)}, "serious"),
        ({"general": Estimate(0.19, 0.04, 0.3)}, "some"),
        ({"general": Estimate(0.03, -0.1, 0.2)}, "not yet known"),
        ({"general": None}, "not yet known"),
        ({"quiz": None}, "not yet known"),
        ({"quiz": Quiz(24, 15, 8, 7, 0)}, "serious"),
        ({"quiz": Quiz(24, 23, 18, 6, 1)}, "none"),  # 6 lost of 7 can be chance
        ({"quiz": Quiz(30, 28, 22, 6, 0)}, "some"),
        ({"quiz": Quiz(24, 3, 0, 3, 0)}, "none"),  # the base knew too little to lose anything
        ({"deeds": (Deed("refuse", 8, 1, "Mend it."),)}, "serious"),
        ({"deeds": (Deed("refuse", 2, 0, "Mend it."),)}, "some"),
        ({"deeds": (Deed("refuse", 2, 3, "Mend it."),)}, "none"),
        ({"deeds": (Deed("refuse", 2, 1, "Mend it."),)}, "none"),  # one more can be chance
        ({"length": Estimate(3.0, 2.2, 4.0), "base_length": 1.2}, "some"),
        ({"length": Estimate(3.0, 2.2, 4.0)}, "none"),  # the base's were even longer
        ({"answers": FEW - 1}, "not yet known"),
        ({"votes": DISLIKED}, "serious"),
    ],
)
def test_side_effects_by_the_table_of_rules(worse, grade):
    told = verdict(replace(WELL, **worse))
    assert told.effects == grade
    assert grade == "none" or told.next


def test_what_is_missing_is_named_with_the_way_to_get_it():
    told = verdict(Evidence("run 7", NOBODY))

    assert (told.style, told.effects) == ("not yet known", "not yet known")
    assert {EVALUATE, MEASURE} <= set(told.next)
    assert any("more questions blind" in each for each in told.next)


def test_forgetting_is_mended_by_general_examples_where_there_were_none_else_gently():
    forgot = replace(WELL, general=Estimate(0.19, 0.12, 0.3))

    assert any("Mix in general examples" in each for each in verdict(replace(forgot, mixed=0.0)).next)
    assert any("more gently" in each for each in verdict(forgot).next)
    assert not any("Export" in each for each in verdict(forgot).next)
    assert any("Export" in each for each in verdict(WELL).next)


@pytest.mark.parametrize(
    ("rate", "weak", "harmed"),
    [
        (5e-5, "with the strength “gentle”, or", "with a lower learning rate"),
        (1e-4, "with the strength “standard”, or", "with a lower learning rate"),
        (2e-4, "with the strength “strong”, or", "with the strength “gentle”, or"),
        (4e-4, "strongly: with more passes.", "with the strength “standard”, or"),
        (4e-3, "strongly: with more passes.", "with the strength “strong”, or"),
    ],
)
def test_the_next_strength_is_named_and_none_where_none_goes_further(rate, weak, harmed):
    hardly = replace(WELL, rate=rate, closed=GAP["nothing"])
    assert any(weak in each for each in verdict(hardly).next)
    assert any(harmed in each for each in verdict(replace(WELL, rate=rate, votes=DISLIKED)).next)


# --- whatever was measured

ends = some.floats(-1.0, 2.0).map(lambda each: round(each, 3))
estimates = some.tuples(ends, ends, ends).map(sorted).map(lambda each: Estimate(each[1], each[0], each[2]))
tallies = some.tuples(*[some.integers(0, 30)] * 4).map(lambda each: Tally("base", "run:7", *each))
quizzes = some.tuples(*[some.integers(0, 8)] * 4).map(lambda n: Quiz(sum(n), n[0] + n[1], n[0] + n[2], n[1], n[2]))  # fmt: skip
deeds = some.tuples(some.integers(0, 10), some.integers(0, 10)).map(lambda n: (Deed("refuse", *n, "Mend it."),))  # fmt: skip
evidence = some.builds(
    Evidence, some.just("run 7"), tallies, some.integers(10, 40), some.none() | estimates, some.just(""), some.none() | estimates,
    some.none() | estimates, some.none() | quizzes, deeds, some.none() | estimates.map(lambda e: Estimate(*(abs(x) for x in (e.value, e.low, e.high)))),
)  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(evidence)
def test_every_verdict_has_its_evidence_and_every_doubt_a_next_step(known):
    told = verdict(known)

    assert told.for_style
    assert told.for_effects
    if told.style != "yes" or told.effects in ("some", "serious"):
        assert told.next
    assert len(set(told.next)) == len(told.next)


@given(evidence)
def test_no_claim_on_the_style_without_an_interval_that_bears_it(known):
    said, votes, closed = style(known), lasting(known.votes), known.closed
    if said == "yes":
        assert votes.low > 0.5 or (closed and closed.low >= 0.5 and votes.high >= 0.5)
    if said == "no":
        assert votes.low <= 0.5
        assert closed.high < 0.25 if closed else known.held_out.low > -0.05


WEAKER = {
    "yes": {"yes", "partly", "not yet known"},
    "partly": {"partly", "not yet known"},
    "no": {"no", "not yet known"},
    "not yet known": {"not yet known"},
}


@given(evidence, some.floats(0.0, 1.0))
def test_wider_intervals_never_say_more(known, wider):
    def widened(each):
        return each and Estimate(each.value, each.low - wider, each.high + wider)

    doubted = replace(known, **{name: widened(getattr(known, name)) for name in ("closed", "held_out", "general", "length")})  # fmt: skip
    assert style(doubted) in WEAKER[style(known)]
    if worst(known) in ("none", "not yet known"):
        assert worst(doubted) in ("none", "not yet known")


@given(evidence)
def test_more_harm_never_makes_the_side_effects_smaller(known):
    for harm in ({"general": Estimate(0.5, 0.4, 0.6)}, {"quiz": Quiz(24, 15, 5, 10, 0)}, {"votes": DISLIKED}):
        assert worst(replace(known, **harm)) == "serious"


@given(evidence)
def test_none_is_said_only_of_what_was_measured_whole(known):
    if worst(known) == "none":
        assert None not in (known.general, known.quiz)
        assert known.general.high < 0.05


def worst(known):
    found = {each.grade for each in effects(known)}
    return next(grade for grade in GRADES if grade in found)
