"""Kept prompts and pinned examples in the Prompt tab, by their handlers."""

import json
from pathlib import Path

import gradio as gr
import pytest
from made import talk as conversation
from made import write, write_many

from studio.core.errors import BadInput, NotFound
from studio.ui import prompt, prompt_kept, prompt_pins, prompt_style
from studio.work import marking, planning, prompts, writing

HOSTILE = "<img src=x onerror=alert(1)>"


def keep(studio, person, project, name="calm", system="Be calm.", k=2, pins=None, about=""):
    return prompt_kept.on_keep(studio, person, project, name, about, system, k, pins)


def use(studio, person, project, kept, system="Be calm.", k=2, pins=None):
    return prompt_kept.on_use(studio, person, project, kept, 1 if kept else None, system, k, pins)


def outputs():
    with gr.Blocks():
        return prompt_kept.lay_out_deeds()


def test_words_are_kept_and_chosen_again_with_their_examples(studio, ada, project):
    pin = write_many(studio, ada, project, 12)[3]
    pins = prompt_pins.value(studio, project, [pin.id])
    kept, version, name, about, said, listed, other, _ = keep(studio, ada, project, " calm ", k=3, pins=pins)

    assert (name, about, version["value"]) == ("calm", "", 1)
    assert "version 1" in said
    assert "Ada" in listed
    assert "3 nearest, 1 pinned" in listed
    assert other["visible"] is False

    _, system, k, again, name, *_ = prompt_kept.on_choose(studio, ada, project, kept["value"])
    assert (system, k, prompt_pins.ids(again), name) == ("Be calm.", 3, (pin.id,), "calm")


def test_an_older_version_is_taken_and_compared_side_by_side(studio, ada, project):
    keep(studio, ada, project, system="Be calm and kind.")
    kept, version, *_ = keep(studio, ada, project, system=f"Be calm and {HOSTILE}.", k=4)
    id = kept["value"]
    told = prompt_kept.on_other(studio, ada, project, id, version["value"], 1)

    assert prompt_kept.on_version(studio, ada, project, id, 1)[:2] == ("Be calm and kind.", 2)
    assert told.index("Version 1") < told.index("<del>kind</del>") < told.index("Version 2")
    assert "<img" not in told
    assert "2 nearest" in told
    assert "4 nearest" in told
    assert "itself" in prompt_kept.on_other(studio, ada, project, id, 1, 1)
    for version in (None, 9, "x", float("nan"), float("inf")):
        with pytest.raises(NotFound):
            prompt_kept.on_version(studio, ada, project, id, version)


def test_the_project_uses_a_kept_version_or_the_words_alone(studio, ada, project):
    id = keep(studio, ada, project)[0]["value"]
    said, choices, listed = use(studio, ada, project, id)
    assert "uses “calm”, version 1" in said
    assert "used in this project" in listed
    assert "calm, in use" in str(choices["choices"])
    assert prompts.default(studio, project).id == id

    said, choices, _ = use(studio, ada, project, id, system="  Other words.")
    assert "keep the words under a name first" in said
    assert "in use" not in str(choices["choices"])
    assert writing.by_id(studio, project).system == "  Other words."

    use(studio, ada, project, "", system="")
    assert writing.by_id(studio, project).system == ""


def test_a_project_opens_with_the_prompt_that_it_uses(studio, ada, project):
    pin = write_many(studio, ada, project, 12)[3]
    id = keep(studio, ada, project, k=3, pins=prompt_pins.value(studio, project, [pin.id]))[0]["value"]
    use(studio, ada, project, id, k=3, pins={"pinned": [{"id": pin.id}]})
    _, system, *_, k, pins, kept, version, name, listed, _, _, _ = prompt.on_open(studio, ada, project, {})

    assert (system, k, prompt_pins.ids(pins), kept["value"], version["value"], name) == ("Be calm.", 3, (pin.id,), id, 1, "calm")  # fmt: skip
    assert "used in this project" in listed


def test_the_prompt_is_looked_at_without_an_answer(studio, ada, project, engine):
    write_many(studio, ada, project, 12)
    pins = prompt_pins.value(studio, project, [planning.sides(studio, project).learned[3].id])
    told = prompt.on_look(studio, ada, project, HOSTILE, 1, pins, "Question 7?", [], 256, False, 0)

    assert engine.asked == []
    assert "pinned" in told
    assert "alike" in told
    assert "The exact prompt, 6 tokens" in told  # the scripted engine's: one a turn
    assert "<img" not in told
    with pytest.raises(BadInput, match="no question yet"):
        prompt.on_look(studio, ada, project, "", 1, pins, " ", [], 256, False, 0)


def test_pins_are_found_by_number_and_words_and_held_out_ones_say_so(studio, ada, project):
    write_many(studio, ada, project, 40)
    apart, taken = planning.sides(studio, project).held_out[0], planning.sides(studio, project).learned[0]

    def found(search):
        return prompt_pins.on_find_pins(studio, ada, {"project": project, "search": search})["found"]

    assert found(" ") == []
    assert "held out" in next(each["why"] for each in found(str(apart.number)) if each["id"] == apart.id)
    assert next(each["why"] for each in found(str(taken.number)) if each["id"] == taken.id) == ""
    assert 0 < len(found("Question")) <= prompt_pins.FOUND


def test_pinned_ones_that_cannot_be_shown_stay_with_the_reason(studio, ada, project):
    one, two = write(studio, ada, project, conversation(), conversation("Another?"))
    writing.delete(studio, ada, project, one.id)
    rows = prompt_pins.value(studio, project, [one.id, two.id, "nobody"])["pinned"]

    assert [bool(each["why"]) for each in rows] == [True, rows[1]["why"] != "", True]
    assert rows[0]["why"] == "it lies in the bin"
    assert (rows[2]["number"], rows[2]["question"]) == (0, "")


@pytest.mark.parametrize("given", ["x", {"pinned": "x"}, {"pinned": [1]}, {"pinned": [{"id": 3}]}, {"pinned": [{"id": "a"}] * 9}, []])  # fmt: skip
def test_pins_that_are_none_are_refused(given):
    with pytest.raises(BadInput, match=r"\.$"):
        prompt_pins.ids(given)


def test_a_prompt_is_taken_home_with_its_pins(studio, ada, project):
    write_many(studio, ada, project, 12)
    learned, apart = planning.sides(studio, project).learned[0], planning.sides(studio, project).held_out[0]
    pins = prompt_pins.value(studio, project, [learned.id, apart.id])
    said, file = prompt_kept.on_messages(studio, ada, project, "calm / voice", "Be calm.", 2, pins)
    told = json.loads(Path(file).read_text("utf-8"))["messages"]

    assert Path(file).name == "calm---voice.json"
    assert [each["role"] for each in told] == ["system", "user", "assistant"]
    assert f"Conversation {apart.number:04} is pinned and left out" in said
    _, file = prompt_kept.on_modelfile(studio, ada, project, "", "Be calm.", 2, None)
    assert Path(file).read_text() == 'FROM smollm2:135m\nSYSTEM """Be calm."""\n'
    with pytest.raises(BadInput, match="system text is empty"):
        prompt_kept.on_messages(studio, ada, project, "", " ", 0, None)


def test_a_style_is_drafted_below_what_stands_there_and_only_once(studio, ada, project):
    with pytest.raises(BadInput, match="fewer than 5 answers"):
        prompt_style.on_describe(studio, ada, project, "")
    write(studio, ada, project, *(conversation(f"Question {n}?", "Ahoy! By the boat.") for n in range(12)))
    drafted, said = prompt_style.on_describe(studio, ada, project, "")
    both, _ = prompt_style.on_describe(studio, ada, project, "You are Harbour.\n")

    assert "Begin with “Ahoy! By the boat”." in drafted
    assert f"{len(planning.sides(studio, project).learned)} answers" in said
    assert both == f"You are Harbour.\n\n{drafted}"
    assert prompt_style.on_describe(studio, ada, project, both)[0] == both


def test_a_style_is_of_the_approved_answers_and_never_of_held_out_ones(studio, ada, project):
    made = write(studio, ada, project, *(conversation(f"Question {n}?", f"Ahoy {n}!") for n in range(40)))
    apart = {each.id for each in planning.sides(studio, project).held_out}
    marking.set_status(studio, ada, project, [each.id for each in made[:20]], "approved")
    _, said = prompt_style.on_describe(studio, ada, project, "")

    assert apart
    assert f"{len({each.id for each in made[:20]} - apart)} answers" in said


def test_each_handler_fills_every_output_that_is_wired_to_it(studio, ada, project):
    id = keep(studio, ada, project)[0]["value"]

    assert len(prompt_kept.on_choose(studio, ada, project, "")) == len(prompt_kept.on_choose(studio, ada, project, id)) == 9  # fmt: skip
    assert len(prompt_kept.on_version(studio, ada, project, id, 1)) == 8
    assert outputs().file.visible == "hidden"
