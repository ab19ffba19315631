"""Compare opened from a row of "Run on held-out", with scripted answers."""

import time
from types import SimpleNamespace

import pytest
from made import talk, write
from test_compare import opened as opened_tab

from studio.core.records import Message
from studio.ui import compare_talk, prompt_held_out
from studio.work import evaluating, models, prompts, writing

SHOWN = 9  # of the Prompt tab's components, before what is handed on
HOSTILE = "<script>window.bad=1</script>"


@pytest.fixture
def asked(studio, ada, project):
    """An evaluation of words that show two examples; every conversation has a turn before the question."""
    before = (Message("user", "Hello?"), Message("assistant", "Hello.", 0))
    write(
        studio,
        ada,
        project,
        *((*before, *talk(f"Where is {n}? {HOSTILE}", f"Here {n}.")) for n in range(120)),
    )

    def run(*names, system="Be kind.", shots=2):
        prompt_held_out.on_run(studio, ada, project, "number", [*names], 2, system, shots, None)
        while (found := evaluating.newest(studio, project)).state == "going":
            time.sleep(0.02)
        return found

    return run


def pressed(studio, person, project, found, place=1):
    seen = {"id": found.id}
    number = min(found.spec["numbers"].values())
    event = SimpleNamespace(press="compare", id=f"{number}:{place}")
    *_, handed, tabs = prompt_held_out.on_press(studio, person, project, "number", seen, event)
    assert tabs["selected"] == "compare"
    return handed


def opened(studio, person, project, handed):
    return opened_tab(studio, person, project, handed=handed)


def test_a_row_opens_with_the_question_its_kept_answers_and_the_words(studio, ada, project, asked, engine):
    found = asked("prompt")
    asked_so_far = len(engine.asked)
    shown = opened(studio, ada, project, pressed(studio, ada, project, found))
    (left, right), number = shown.talks, min(found.spec["numbers"].values())

    assert [each["value"] for each in (*shown.arms[:2], shown.prompts[1])] == ["base", "base", ""]
    assert [each["value"] for each in shown.systems[:2]] == ["", "Be kind."]
    for side in (left, right):
        assert [(each["question"], each["answer"]) for each in side[:1]] == [("Hello?", "Hello.")]
        assert side[1]["question"].startswith("Where is ")
        assert side[1]["answer"] == side[1]["question"]  # as the scripted engine answers
    assert f"conversation {number:04}" in shown.asked
    assert "Examples stood before the question" in shown.asked
    assert "&lt;script&gt;" in shown.panes[1]
    assert HOSTILE not in shown.panes[1] + shown.asked
    assert shown.handed is None
    assert len(engine.asked) == asked_so_far


def test_words_that_are_kept_are_chosen_also_in_an_older_version(studio, ada, project, asked):
    prompts.keep(studio, ada, project, "calm", "Be kind.", 2)
    prompts.keep(studio, ada, project, "calm", "Be calm.", 2)
    shown = opened(studio, ada, project, pressed(studio, ada, project, asked("prompt")))

    assert shown.prompts[1]["value"] == "calm@1"
    assert ("calm, version 1", "calm@1") in shown.prompts[1]["choices"]
    assert shown.systems[1] == {**shown.systems[1], "value": "Be kind.", "interactive": False}
    assert "not kept under a name" not in shown.asked


def test_the_last_question_comes_back_to_be_asked_again(studio, ada, project, asked):
    shown = opened(studio, ada, project, pressed(studio, ada, project, asked("prompt")))
    *_, talks, message = compare_talk.on_last(studio, ada, shown.talks, "something typed")

    assert [[each["question"] for each in side] for side in talks[:2]] == [["Hello?"], ["Hello?"]]
    assert message == shown.talks[0][-1]["question"]
    assert compare_talk.on_last(studio, ada, [[], []], "something typed")[-1] == "something typed"


def test_another_base_since_then_is_said(studio, ada, project, asked):
    handed = pressed(studio, ada, project, asked("prompt"))
    models.choose(studio, ada, project, "other")

    assert "The base was starter then" in opened(studio, ada, project, handed).asked


@pytest.mark.parametrize(
    "changed",
    [
        {"evaluation": "99"},
        {"evaluation": "../1"},
        {"number": 10**6},
        {"arm": 7},
        {"arm": "x"},
        {"number": None},
    ],
)
def test_what_is_not_there_is_said_and_the_tab_opens_all_the_same(studio, ada, project, asked, changed):
    handed = {**pressed(studio, ada, project, asked("prompt")), **changed}
    shown = opened(studio, ada, project, handed)

    assert 'class="note bad"' in shown.asked
    assert shown.handed is None
    assert not any(shown.talks)


def test_an_evaluation_of_another_project_is_not_shown(studio, ada, project, asked):
    handed = pressed(studio, ada, project, asked("prompt"))
    other = writing.project(studio, "Other").id

    assert "belongs to another project" in opened(studio, ada, other, handed).asked
