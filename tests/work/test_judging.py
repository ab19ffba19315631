"""Blind judging, with the rehearsal model: rounds are met once, votes kept once, and sides tell nothing."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from itertools import cycle
from threading import Event

import harbour
import pandas as pd
import pytest
from scipy.stats import binomtest, fisher_exact

from studio.core.errors import BadInput, NotFound
from studio.core.judging import CALIBRATION, Judging, tallies
from studio.core.records import Answer, Person
from studio.work import judging, planning, standing
from studio.work.unattended import Unattended

ADA, BEN = Person("Ada"), Person("Ben")
PAIR = Judging(("base", "prompt:brief"))


@pytest.fixture
def project(studio):
    return harbour.project(studio, ADA, held_out=3)


def test_a_judge_meets_every_held_out_question_once_and_then_is_done(studio, project):
    met = []
    while found := judging.next_round(studio, ADA, project.id, PAIR):
        assert judging.next_round(studio, ADA, project.id, PAIR) == found  # a refresh shows the same
        judging.vote(studio, ADA, project.id, found.id, "left")
        met.append(found)

    held = {each.id for each in planning.sides(studio, project.id).held_out}
    assert {each.question for each in met} == held
    assert len([each for each in met if not each.calibrates]) == len(held)
    assert sum(each.questions for each in tallies(judging.all_of(studio, project.id))) == len(held)


def test_a_round_can_be_made_while_another_is_read(studio, project):
    first = judging.next_round(studio, ADA, project.id, PAIR)
    ahead = judging.next_round(studio, ADA, project.id, PAIR, ahead=1)

    assert ahead.id != first.id
    judging.vote(studio, ADA, project.id, first.id, "tie")
    assert judging.next_round(studio, ADA, project.id, PAIR) == ahead


class Instant:
    """An engine that answers at once, one arm at much greater length: what is looked at is where its answers are shown."""

    def answer_all(self, base, asks, rows_at_once, stopping):
        for place, ask in enumerate(asks):
            words = 3 if ask.messages[0].content == "Be brief." else 40
            yield place, Answer("word " * words, words, 0.1, True, str(words))


class Patient(Instant):
    """Answers when it is let, and tells how often it was asked."""

    def __init__(self):
        self.asked, self.may = 0, Event()

    def answer_all(self, *given):
        self.asked += 1
        assert self.may.wait(10)
        yield from super().answer_all(*given)


@pytest.mark.parametrize("guarded", [True, False])
def test_who_votes_before_the_next_round_is_there_waits_for_it(studio, project, monkeypatch, guarded):
    first = judging.next_round(studio, ADA, project.id, PAIR)
    slow = replace(studio, engine=Patient())
    known = judging.match(studio, project.id, PAIR)
    monkeypatch.setattr(judging, "match", lambda *_: known)
    if not guarded:
        monkeypatch.setattr(Unattended, "making", lambda *_: nullcontext())
    with ThreadPoolExecutor(2) as threads:
        ahead = threads.submit(judging.next_round, slow, ADA, project.id, PAIR, ahead=1)
        while not slow.engine.asked:
            time.sleep(0.01)
        judging.vote(studio, ADA, project.id, first.id, "left")
        awaited = threads.submit(judging.next_round, slow, ADA, project.id, PAIR)
        time.sleep(0.3)
        slow.engine.may.set()

    assert slow.engine.asked == (1 if guarded else 2)
    assert ahead.result() == awaited.result() or not guarded


def test_a_key_pressed_twice_votes_once_and_another_choice_needs_the_first_taken_back(studio, project):
    found = judging.next_round(studio, ADA, project.id, PAIR)
    once = judging.vote(studio, ADA, project.id, found.id, "left", ["voice"])

    assert judging.vote(studio, ADA, project.id, found.id, "left", ["voice"]) == once
    with pytest.raises(BadInput, match="Take that vote back first"):
        judging.vote(studio, ADA, project.id, found.id, "right")
    assert judging.undo(studio, ADA, project.id) == found
    assert judging.next_round(studio, ADA, project.id, PAIR) == found
    assert judging.vote(studio, ADA, project.id, found.id, "right").choice == "right"


def test_the_last_vote_is_taken_back_and_then_the_one_before(studio, project):
    rounds = []
    for choice in ("left", "bad"):
        rounds.append(judging.next_round(studio, ADA, project.id, PAIR))
        judging.vote(studio, ADA, project.id, rounds[-1].id, choice)

    assert [judging.undo(studio, ADA, project.id).id for _ in rounds] == [
        each.id for each in reversed(rounds)
    ]
    assert judging.undo(studio, ADA, project.id) is None


def test_who_has_been_told_which_arm_was_where_cannot_vote_again(studio, project):
    rounds = []
    for choice in ("left", "bad"):
        rounds.append(judging.next_round(studio, ADA, project.id, PAIR))
        judging.vote(studio, ADA, project.id, rounds[-1].id, choice)

    assert judging.reveal(studio, ADA, project.id).id == rounds[0].id
    assert judging.undo(studio, ADA, project.id).id == rounds[1].id
    assert judging.undo(studio, ADA, project.id) is None
    judging.vote(studio, ADA, project.id, rounds[1].id, "tie")
    assert judging.reveal(studio, ADA, project.id, last=True).id == rounds[1].id
    assert judging.undo(studio, ADA, project.id) is None


def test_two_judges_have_rounds_of_their_own(studio, project):
    hers, his = (judging.next_round(studio, each, project.id, PAIR) for each in (ADA, BEN))

    assert hers.id != his.id
    with pytest.raises(NotFound, match="none of yours"):
        judging.vote(studio, BEN, project.id, hers.id, "left")
    judging.vote(studio, ADA, project.id, hers.id, "left")
    assert judging.undo(studio, BEN, project.id) is None


def test_what_cannot_be_judged_is_said(studio, project):
    with pytest.raises(BadInput, match="the same"):
        judging.next_round(studio, ADA, project.id, Judging(("base", "base")))
    with pytest.raises(BadInput, match="is no arm"):
        judging.next_round(studio, ADA, project.id, Judging(("base", "best")))
    found = judging.next_round(studio, ADA, project.id, PAIR)
    with pytest.raises(BadInput, match="A vote is one of"):
        judging.vote(studio, ADA, project.id, found.id, "winner")


def test_typed_questions_are_judged_too(studio, project):
    asked = judging.listed("Where is it?\n\nWhen does it sail?\nWhere is it?")
    wanted = Judging(PAIR.arms, asked)
    seen = set()
    while found := judging.next_round(studio, ADA, project.id, wanted):
        seen.add(found.messages[-1].content)
        judging.vote(studio, ADA, project.id, found.id, "tie")

    assert asked == ("Where is it?", "When does it sail?")
    assert seen == set(asked)


def sitting(studio, project, questions):
    """All rounds of two judges on so many questions, as they meet them."""
    asked = tuple(f"Question {n}?" for n in range(questions))
    found = judging.match(studio, project.id, Judging(PAIR.arms, asked))
    quick = replace(studio, engine=Instant())
    return {judge: list(judging.made(quick, judge, project.id, found, 2 * questions)) for judge in (ADA, BEN)}


def chances(made):
    """How probable it is that chance alone put the base where it was, and as often, beside all that a judge may notice."""
    rounds = [each for mine in made.values() for each in mine if not each.calibrates]
    left = [each.left.arm == "base" for each in rounds]
    of_ada = {each.question: each.left.arm == "base" for each in made[ADA] if not each.calibrates}
    noticed = {
        "the side before": [False, *left[:-1]],
        "the place": [place % 2 for place, _ in enumerate(rounds)],
        "early or late": [place % len(of_ada) < len(of_ada) / 2 for place, _ in enumerate(rounds)],
        "the question": [int(each.messages[-1].content[9:-1]) % 2 for each in rounds],
        "what the page knows the round by": [int(each.id[0], 16) % 2 for each in rounds],
        "the other judge's side": [each.judge == "Ben" and of_ada[each.question] for each in rounds],
    }
    beside = {
        name: fisher_exact(pd.crosstab(pd.Series(values), pd.Series(left))).pvalue
        for name, values in noticed.items()
        if len(set(values)) == len(set(left)) == 2
    }
    return {"as often left as right": binomtest(sum(left), len(left)).pvalue, **beside}


NEVER = 1e-6  # a chance that would be met once in tens of thousands of runs of these tests


def test_over_two_thousand_rounds_the_side_is_even_and_independent_of_all_that_is_shown(studio, project):
    made = sitting(studio, project, 1000)
    rounds = [each for mine in made.values() for each in mine]

    assert len([each for each in rounds if not each.calibrates]) == 2000
    assert binomtest(sum(each.calibrates for each in rounds), len(rounds), 1 / CALIBRATION).pvalue > NEVER
    assert all(chance > NEVER for chance in chances(made).values()), chances(made)


@pytest.mark.parametrize("drawn", [[1], [0, 1]])
def test_sides_that_are_always_the_same_or_take_turns_are_seen(studio, project, monkeypatch, drawn):
    sides, fair = cycle(drawn), judging.secrets.randbelow
    monkeypatch.setattr(judging.secrets, "randbelow", lambda most: next(sides) if most == 2 else fair(most))
    assert min(chances(sitting(studio, project, 200)).values()) < NEVER


def test_what_the_votes_come_to_is_told_in_words_and_leaves_preference_pairs(studio, project):
    asked = tuple(f"Question {n}?" for n in range(6))
    chosen = iter(["prompt:brief@1", "prompt:brief@1", "base", "tie", "bad", "tie"])
    while found := judging.next_round(studio, ADA, project.id, Judging(PAIR.arms, asked)):
        wish = "tie" if found.calibrates else next(chosen)
        side = {found.left.arm: "left", found.right.arm: "right"}.get(wish, wish)
        judging.vote(studio, ADA, project.id, found.id, side)

    ((tally, said),) = standing.standing(studio, project.id).pairs
    assert (tally.a_wins, tally.b_wins, tally.ties, tally.both_bad) == (1, 2, 2, 1)
    assert said.startswith(
        "The prompt “brief” preferred in 2 of 3 clear votes (67 %, 95 % interval 9 to 99 %)."
    )
    assert "Not yet known which is better" in said

    left = standing.preferences(studio, project.id)
    assert (len(left.rows), left.ties, left.both_bad) == (3, 2, 1)
    for row in left.rows:
        assert [list(row)[:3], row["prompt"][-1]["role"]] == [["prompt", "chosen", "rejected"], "user"]
        assert row["chosen"][0]["role"] == row["rejected"][0]["role"] == "assistant"
    assert standing.preferences(studio, project.id, run="7").rows == ()


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_votes_are_written_as_files_that_say_who_chose_what(studio, project, tmp_path, kind):
    found = judging.next_round(studio, ADA, project.id, Judging(PAIR.arms, ("=1+1?",)))
    judging.vote(studio, ADA, project.id, found.id, "left", ["voice"])
    standing.save(studio, project.id, tmp_path / f"votes.{kind}")

    readers = {
        "jsonl": lambda path: pd.read_json(path, lines=True),
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
    }
    (row,) = readers[kind](tmp_path / f"votes.{kind}").to_dict("records")
    assert (row["judge"], row["choice"], row["left_arm"]) == ("Ada", "left", found.left.arm)
    assert row["question"] == ("'=1+1?" if kind == "csv" else "=1+1?")
    assert row["left_fingerprint"] == found.left.fingerprint
    with pytest.raises(BadInput, match="Choose one of these"):
        standing.save(studio, project.id, tmp_path / "votes.doc")


def test_votes_on_another_base_are_not_counted_together(studio, project):
    found = judging.next_round(studio, ADA, project.id, PAIR)
    judging.vote(studio, ADA, project.id, found.id, "left")
    with studio.database.writing() as db:
        db.exec_driver_sql("UPDATE rounds SET base = 'older', at = '2000-01-01'")
    found = judging.next_round(studio, ADA, project.id, PAIR)
    judging.vote(studio, ADA, project.id, found.id, "left")

    assert sum(each.questions for each, _ in standing.standing(studio, project.id).pairs) <= 1


def test_a_question_that_is_too_long_is_named_before_the_first_round(studio, project):
    long = Judging(PAIR.arms, ("Short?", "word " * 3900))
    with pytest.raises(BadInput, match=r"Question 2 has .* Shorten it, or leave it out"):
        judging.next_round(studio, ADA, project.id, long)
    assert judging.all_of(studio, project.id) == []
