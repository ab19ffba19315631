"""Answers prepared for judging, with the rehearsal model: kept as they come, stopped and gone on with, one list at a time."""

import threading
import time
from types import SimpleNamespace

import pytest

from studio.core.errors import Busy, DoesNotFit
from studio.core.judging import Judging
from studio.core.records import Change, Message, Person
from studio.work import evaluating, judging, models, preparing, prompts, writing
from studio.work.studio import opened
from studio.work.unattended import Unattended

ADA, BEN = Person("Ada"), Person("Ben")
QUESTIONS = tuple(f"Where is parcel {number}?" for number in range(4))
WANTED = Judging(("base", "prompt:brief"), QUESTIONS)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def studio(home):
    studio = opened(home)
    yield studio
    wait(studio, stop=True)
    studio.jobs.close()
    studio.database.close()


@pytest.fixture
def project(studio):
    project = writing.project(studio, "harbour").id
    models.choose(studio, ADA, project, "rehearsal")
    models.ensure(studio, project, lambda done, total: None)
    prompts.keep(studio, ADA, project, "brief", "Be brief.")
    talk = (Message("user", "Hello?"), Message("assistant", "Ahoy."))
    for number in range(2):
        writing.save(studio, ADA, Change(f"r{number}", project, "", 0, talk))
    return project


def wait(studio, stop=False):
    found, until = studio.unattended.preparation, time.monotonic() + 60
    if found and stop:
        found.stopped = True
    while found and not found.over:
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def real(studio, project, judge=ADA):
    return [each for each in judging.all_of(studio, project) if not each.calibrates and each.judge == judge.name]  # fmt: skip


def judge_all(studio, project, engine_must_rest=True):
    if engine_must_rest:
        studio.engine.answer_all = None  # whoever asks it now fails
    while found := judging.next_round(studio, ADA, project, WANTED):
        judging.vote(studio, ADA, project, found.id, "tie")


def test_every_question_is_answered_unattended_and_judged_without_the_model(studio, project):
    preparing.start(studio, ADA, project, WANTED)
    found = wait(studio)

    assert (found.trouble, found.done) == ("", found.total)
    assert len({each.question for each in real(studio, project)}) == len(QUESTIONS)
    judge_all(studio, project)
    assert all(each.choice == "tie" for each in judging.all_of(studio, project))
    assert preparing.latest(studio, ADA, project) is found
    judging.begin(studio, ADA, project, Judging(WANTED.arms, ("And now?",)))
    assert preparing.latest(studio, ADA, project) is None


def test_it_is_stopped_and_gone_on_with_after_a_restart(studio, project, home, monkeypatch):
    monkeypatch.setattr(judging, "AT_ONCE", 2)  # one question after the other
    preparing.start(studio, ADA, project, WANTED)
    while not real(studio, project):
        time.sleep(0.001)
    preparing.stop(studio, ADA, project)
    wait(studio)
    ready = {each.id for each in real(studio, project)}
    assert 0 < len(ready) < len(QUESTIONS)

    again = opened(home)
    try:
        found = preparing.latest(again, ADA, project)
        assert (found.wanted, found.stopped, found.over, found.trouble) == (WANTED, True, True, "")
        assert len(ready) <= found.done < found.total
        preparing.start(again, ADA, project, WANTED)
        wait(again)
        assert ready < {each.id for each in real(again, project)}
        assert len(real(again, project)) == len(QUESTIONS)
    finally:
        again.jobs.close()
        again.database.close()


def test_what_a_killed_studio_was_preparing_is_told_when_it_is_back(studio, project, home):
    studio.unattended.turn.acquire()  # so nothing is ready yet: as if it was killed now
    try:
        preparing.start(studio, ADA, project, WANTED)
        again = opened(home)
        try:
            found = preparing.latest(again, ADA, project)
            assert (found.wanted, found.over, found.trouble) == (WANTED, True, preparing.CUT_OFF)
            assert (found.done, preparing.latest(again, BEN, project)) == (0, None)

            # Judged one by one, all are ready, too.
            judge_all(again, project, engine_must_rest=False)
            assert preparing.latest(again, ADA, project).trouble == ""
            # Who judges something else since is told nothing of it.
            judging.begin(again, ADA, project, Judging(WANTED.arms, ("And now?",)))
            assert preparing.latest(again, ADA, project) is None
        finally:
            again.jobs.close()
            again.database.close()
    finally:
        studio.unattended.turn.release()


def test_one_at_a_time_and_the_same_again_goes_on(studio, project):
    studio.unattended.turn.acquire()
    try:
        first = preparing.start(studio, ADA, project, WANTED)
        assert preparing.start(studio, ADA, project, WANTED) is first
        with pytest.raises(Busy, match="prepared for Ada just now: 0 of"):
            preparing.start(studio, BEN, project, WANTED)
        assert preparing.latest(studio, BEN, project) is None
    finally:
        studio.unattended.turn.release()
    wait(studio)


def test_a_judge_who_asks_meanwhile_is_answered_first_and_meets_each_question_once(studio, project):
    preparing.start(studio, ADA, project, WANTED)
    judge_all(studio, project, engine_must_rest=False)
    wait(studio)

    made = [each.question for each in real(studio, project)]
    assert sorted(made) == sorted(set(made))
    assert len(made) == len(QUESTIONS)


def test_what_goes_wrong_is_said_and_what_is_ready_stays(studio, project):
    def full(*given):
        raise DoesNotFit("There is no room.")

    studio.engine.answer_all = full
    preparing.start(studio, ADA, project, WANTED)

    assert wait(studio).trouble == "There is no room."
    assert judging.all_of(studio, project) == []


def test_two_lists_take_turns_and_never_make_room_for_each_other_token_by_token():
    studio = SimpleNamespace(
        engine=SimpleNamespace(wanted=lambda: False, answering_now=lambda: False), unattended=Unattended()
    )
    inside, most = [], []

    def listed(left, ended):
        inside.append(None)
        most.append(len(inside))
        for place in range(len(left)):
            time.sleep(0.01)
            yield place
        inside.pop()

    lists = [
        threading.Thread(target=evaluating.in_turns, args=(studio, [1, 2, 3], listed, lambda: False))
        for _ in range(3)
    ]
    for each in lists:
        each.start()
    for each in lists:
        each.join(10)

    assert most == [1, 1, 1]
