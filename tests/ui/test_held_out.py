"""Run on held-out in the Prompt tab: what its handlers answer, with scripted answers."""

import time

import pytest
from made import talk, write

from studio.core.errors import BadInput
from studio.ui import prompt_held_out as held_out
from studio.ui import prompt_kept
from studio.work import evaluating, prompt_results, prompts

RUN, STOP, GO_ON, LIVE, RESULT, ORDER, ANSWERS, SEEN, PLACE = range(9)
HOSTILE = "<script>window.bad=1</script>"


@pytest.fixture
def examples(studio, ada, project):
    rows = [
        talk(f"Question {n}? {HOSTILE}", f"Answer {n} it is, as ever. {HOSTILE}") for n in range(120)
    ]  # of which hardly ever fewer than three are held out
    return write(studio, ada, project, *rows)


def run(studio, person, project, chosen=("prompt",), limit=3, system="Be kind.", shots=0):
    return held_out.on_run(studio, person, project, "number", list(chosen), limit, system, shots, None)


def over(studio, project):
    while evaluating.newest(studio, project).state == "going":
        time.sleep(0.02)


def test_the_result_shows_the_sentence_each_arm_and_every_answer_escaped(studio, ada, project, examples):
    run(studio, ada, project)
    over(studio, project)
    shown = held_out.on_show(studio, ada, project, "number")

    assert shown[LIVE] == ""
    assert "the prompt" in shown[RESULT]
    assert "your own answers" in shown[RESULT]
    assert shown[ANSWERS].count("<li>") == 3
    assert "&lt;script&gt;" in shown[ANSWERS]
    assert "<script>" not in shown[RESULT] + shown[ANSWERS]
    assert shown[SEEN]["state"] == "done"


def test_a_tick_brings_what_another_window_began_and_is_quiet_afterwards(studio, ada, project, examples):
    before = held_out.on_show(studio, ada, project, "number")[SEEN]
    assert before == {"id": ""}
    run(studio, ada, project)
    over(studio, project)
    news = held_out.on_tick(studio, ada, project, "number", 0, before)

    assert "verdict" in news[RESULT]
    assert not isinstance(held_out.on_tick(studio, ada, project, "number", 0, news[SEEN]), tuple)


def test_the_answers_come_in_pages(studio, ada, project, examples, monkeypatch):
    monkeypatch.setattr(held_out, "PAGE", 2)
    run(studio, ada, project)
    over(studio, project)
    first, last = (held_out.on_show(studio, ada, project, "number", place) for place in (0, 99))

    assert (first[ANSWERS].count("<li>"), last[ANSWERS].count("<li>"), last[PLACE]) == (2, 1, 1)
    assert "Page 2 of 2" in last[ANSWERS]


def test_what_went_wrong_is_shown_with_what_is_kept(studio, ada, project, examples, engine):
    engine.failure = BadInput("The model was <b>gone</b>.")
    run(studio, ada, project)
    over(studio, project)
    shown = held_out.on_show(studio, ada, project, "number")

    assert "The model was &lt;b&gt;gone&lt;/b&gt;." in shown[LIVE]
    assert shown[GO_ON]["visible"] is True
    engine.failure = None
    held_out.on_go_on(studio, ada, project, "number", 0, shown[SEEN])
    over(studio, project)
    assert held_out.on_show(studio, ada, project, "number")[LIVE] == ""


def test_the_choices_are_those_of_now_and_what_was_chosen_stays(studio, ada, project, examples):
    arms, limit, *_ = held_out.on_open(studio, ada, project, ["prompt", "run:9"], 3, "number")

    assert arms["value"] == ["prompt"]
    assert limit["value"] == 3
    assert limit["label"].startswith("Questions, of ")


def test_a_kept_version_shows_what_was_measured_under_its_words(studio, ada, project, examples):
    first = prompts.keep(studio, ada, project, "calm", "Be kind.")
    second = prompts.keep(studio, ada, project, "calm", "Be brief.")
    listed = prompt_kept.on_results(studio, ada, project, first.id)
    assert listed.count("not asked yet") == 2

    run(studio, ada, project, limit=3)  # the words of the first version, typed
    over(studio, project)
    listed = prompt_kept.on_results(studio, ada, project, first.id)
    assert listed.count("not asked yet") == 1
    assert "3 questions" in listed

    run(studio, ada, project, ("prompt:calm",), limit=2)
    over(studio, project)
    found = prompt_results.of(studio, [second, first])
    assert {version: [len(each.asked) for each in results] for version, results in found.items()} == {
        2: [2],
        1: [3],
    }
    beside = prompt_kept.on_other(studio, ada, project, first.id, 1, 2)
    assert "cannot be compared" in beside

    run(studio, ada, project, limit=2)
    over(studio, project)
    beside = prompt_kept.on_other(studio, ada, project, first.id, 1, 2)
    assert "cannot be compared" not in beside
    assert beside.count("2 questions") == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"chosen": "prompt"}, "lost track"),
        ({"chosen": ["run:../1"]}, "There is no run"),
        ({"limit": None}, "cannot be asked"),
        ({"limit": 10**6}, "cannot be asked"),
        ({"shots": 99}, "From 0 to 32"),
        ({"system": "x" * 200_000}, "characters"),
        ({"system": " "}, "it is the base"),
    ],
)
def test_what_a_page_sends_is_checked(studio, ada, project, examples, changed, said):
    given = {"chosen": ["prompt"], "limit": 3, "system": "Be kind.", "shots": 0, **changed}
    with pytest.raises(BadInput, match=said):
        held_out.on_run(
            studio,
            ada,
            project,
            "number",
            given["chosen"],
            given["limit"],
            given["system"],
            given["shots"],
            given.get("pins"),
        )
