"""What the page is given to judge: what this judge chose last, and a run that was trained since in its place."""

import pytest
from made import finished

from studio.core.judging import Judging
from studio.ui import compare_blind
from studio.work import judging, prompts

TYPED = ("Where is it?", "And when?")


@pytest.fixture(autouse=True)
def brief(studio, ada, project):
    prompts.keep(studio, ada, project, "brief", "Be brief.")


def last(studio, person, project):
    return compare_blind.on_judge(studio, person, project)["last"]


def test_a_judge_finds_their_last_choice_again_and_nobody_elses(studio, ada, ben, project):
    assert last(studio, ada, project) is None
    judging.begin(studio, ada, project, Judging(("prompt:brief", "base"), TYPED))

    assert last(studio, ada, project) == {"one": "prompt:brief", "two": "base", "questions": "\n".join(TYPED)}
    assert last(studio, ben, project) is None


def test_a_run_that_was_trained_since_is_judged_on_the_same_questions(studio, ada, project):
    finished(studio, project)
    judging.begin(studio, ada, project, Judging(("base", "prompt:brief"), TYPED))
    assert last(studio, ada, project)["two"] == "prompt:brief"
    new = finished(studio, project)

    assert last(studio, ada, project) == {
        "one": "base",
        "two": f"run:{new.name}",
        "questions": "\n".join(TYPED),
    }
