"""The score card of a run, with the rehearsal model: what is counted, what is asked once, and what is named as missing."""

import json
import time

import pytest

from studio import cli
from studio.core.errors import Busy, NotFound
from studio.core.judging import Round, Shown
from studio.core.records import Change, Message, Person
from studio.store import rounds, runs
from studio.store.files import write_lines
from studio.work import evaluating, judging, models, planning, score_card, training, writing
from studio.work.evaluation_plan import Words
from studio.work.studio import opened

ADA, BEN = Person("Ada"), Person("Ben")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A studio with a run of the rehearsal model, and an evaluation of it on three held-out questions."""
    studio = opened(tmp_path_factory.mktemp("score_card") / "home")
    project = writing.project(studio, "harbour")
    models.choose(studio, ADA, project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    number = 0
    while len(planning.sides(studio, project.id).held_out) < 3:
        talk = (Message("user", f"Where is parcel {number}?"), Message("assistant", f"On boat {number} it is."))  # fmt: skip
        writing.save(studio, ADA, Change(f"r{number}", project.id, "", 0, talk))
        number += 1
    training.start(studio, ADA, project.id, "strong", updates=8, general=0.0)
    until(lambda: runs.load(studio.home, "1").card)
    yield studio, project.id
    studio.jobs.close()
    studio.database.close()


def until(there, seconds=120):
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def asking(studio, monkeypatch):
    """The lists that the engine is asked from here on."""
    asked, answer_all = [], studio.engine.answer_all

    def counted(base, asks, at_once, stopping):
        asked.append(asks)
        return answer_all(base, asks, at_once, stopping)

    monkeypatch.setattr(studio.engine, "answer_all", counted)
    return asked


def voted(studio, project, question, choice, arms=("base", "run:1"), base="rehearsal"):
    sides = [Shown(arm, "Answer.", arm) for arm in arms]
    new = Round(question, project, "Ada", base, question, (Message("user", "Where?"),), *sides, question)
    with studio.database.writing() as db:
        rounds.add(db, new)
        rounds.decide(db, question, choice, (), question)


def test_a_run_that_nobody_has_measured_says_what_is_missing(trained):
    card = score_card.score_card(trained[0], BEN, trained[1], "1")

    assert card.evidence.votes.questions == 0
    assert (card.evidence.quiz, card.evidence.general, card.arms, card.growth) == (None, None, (), ())
    assert card.held_out[0] > 0
    assert card.verdict.effects == "not yet known"
    assert any("Measure" in each for each in card.verdict.next)


def test_a_measurement_that_is_refused_leaves_nothing(trained, monkeypatch):
    studio, project = trained

    def busy(*given):
        raise Busy("Another list is being answered.")

    monkeypatch.setattr(studio.engine, "losses", busy)
    with pytest.raises(Busy):
        score_card.measure(studio, project, "1")
    assert score_card.score_card(studio, BEN, project, "1").evidence.quiz is None
    assert not (studio.home.run("1") / score_card.KEPT).exists()


def test_base_and_run_are_asked_once_and_again_only_for_another_adapter(trained, monkeypatch):
    studio, project = trained
    asked = asking(studio, monkeypatch)
    questions = score_card.questions()

    score_card.measure(studio, project, "1")
    score_card.measure(studio, project, "1")
    # Each side in a list of its own, so that the base says the same beside every run.
    assert [{each.adapter for each in asks} for asks in asked] == [{None}, {studio.home.run("1") / "adapter"}]
    for asks in asked:
        assert [each.messages[-1].content for each in asks] == [each.text for each in questions]
        assert {each.sampling.temperature for each in asks} == {0.0}
    known = score_card.score_card(studio, BEN, project, "1").evidence
    assert known.quiz.asked == len(questions)
    assert known.general.low <= known.general.value <= known.general.high

    card = studio.home.run("1") / "card.json"
    kept = card.read_text()
    write_lines(card, [json.dumps({**json.loads(kept), "adapter_sha256": "other"}).encode()])
    try:
        assert score_card.score_card(studio, BEN, project, "1").evidence.quiz is None
    finally:
        card.write_text(kept)


def test_the_newest_evaluation_of_the_run_is_counted_and_no_other(trained):
    studio, project = trained
    for names, limit in ((["run:1"], 2), (["run:1"], 3), (["base"], 1)):
        evaluating.begin(studio, ADA, project, names, Words(), limit)
        until(lambda: evaluating.newest(studio, project).state == "done")
    card = score_card.score_card(studio, BEN, project, "1")

    assert card.evidence.answers == 3
    assert [each["arm"] for each in card.arms] == ["base", "run:1"]
    assert card.copied is not None
    assert {each.says for each in card.evidence.deeds} == {"go round in circles", "repeat learned answers for the most part", "refuse"}  # fmt: skip
    # Of three answers nothing is concluded, whatever they are.
    assert card.verdict.style in ("no", "not yet known")


def test_votes_between_base_and_run_are_counted_and_those_on_another_base_or_arm_are_not(trained):
    studio, project = trained
    voted(studio, project, "1", "right")
    voted(studio, project, "2", "left")
    voted(studio, project, "3", "right", base="another")
    voted(studio, project, "4", "right", arms=("base", "run:1+prompt:calm@1"))
    card = score_card.score_card(studio, BEN, project, "1")

    assert (card.evidence.votes.a_wins, card.evidence.votes.b_wins) == (1, 1)
    assert [each.clear for each in card.growth] == [1, 2]


def test_a_vote_that_its_judge_can_take_back_is_not_told_to_them(trained):
    studio, project = trained
    judging.reveal(studio, ADA, project, last=True)
    before = wins(studio, project, ADA)
    voted(studio, project, "5", "right")

    assert wins(studio, project, BEN) == before + 1
    assert wins(studio, project, ADA) == before
    judging.reveal(studio, ADA, project, last=True)
    assert wins(studio, project, ADA) == before + 1


def wins(studio, project, judge):
    return score_card.score_card(studio, judge, project, "1").evidence.votes.b_wins


def test_another_projects_run_is_not_shown(trained):
    studio, _ = trained
    other = writing.project(studio, "other").id
    for id in ("1", "99", "../1"):
        with pytest.raises(NotFound):
            score_card.score_card(studio, BEN, other, id)


def test_the_command_line_says_the_same(trained, capsys):
    studio, project = trained
    score_card.measure(studio, project, "1")
    cli.app(["verdict", "1", "--home", str(studio.home.root), "--project", "harbour", "--json"], standalone_mode=False)  # fmt: skip

    told, found = (
        json.loads(capsys.readouterr().out),
        score_card.score_card(studio, BEN, project, "1").verdict,
    )
    assert (told["style"], told["effects"], told["next"]) == (found.style, found.effects, list(found.next))
