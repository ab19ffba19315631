"""A model drafts the description of a style, in the Prompt tab, with scripted answers."""

import dataclasses

import pytest
from made import going, write, write_many
from made import talk as example

from studio.core.errors import BadInput, Busy, DoesNotFit, ModelNotReady
from studio.ui import prompt_style, talk
from studio.work import planning, style_writing

PROPOSED, PROPOSAL, TAKE, DROP, STOP, TOLD = range(6)


def steps(studio, person, project):
    return list(prompt_style.on_write(studio, person, lambda: False, project))


def test_the_model_reads_a_few_learned_answers_and_its_text_is_a_proposal(studio, ada, project, engine):
    write_many(studio, ada, project, 60)
    engine.script, engine.pause = ["Be brief. Number your answers."], talk.PAUSE * 1.2
    first, *growing, last = steps(studio, ada, project)

    assert first[PROPOSED]["visible"]
    assert first[STOP]["visible"]
    assert not first[TAKE]["interactive"]
    assert growing[-1][PROPOSAL]["value"] == "Be brief. Number your"
    assert last[PROPOSAL] == {
        **last[PROPOSAL],
        "value": "Be brief. Number your answers.",
        "interactive": True,
    }
    assert last[TAKE]["interactive"]
    assert not last[STOP]["visible"]
    assert "135 million weights" in last[TOLD]
    (asked,) = engine.asked[-1]
    text = asked.messages[-1].content
    assert text.count("Question: ") == style_writing.SHOWN
    apart = [each.messages[1].content for each in planning.sides(studio, project).held_out]
    assert apart
    assert not any(each in text for each in apart)


def test_taking_it_leaves_what_a_person_wrote_and_dropping_it_leaves_nothing(studio):
    assert prompt_style.on_take("You are Harbour.", "Be brief.")[0] == "You are Harbour.\n\nBe brief."
    assert prompt_style.on_take("", " Be brief.\n")[0] == "Be brief."
    assert prompt_style.dropped()[PROPOSAL] == ""


@pytest.mark.parametrize(
    ("said", "remark"),
    [
        ("Answer 1.", ""),
        ("On boat 3 it is and at six from the harbour it sails, wait by the pier.", "word for word"),
        ("Be kind and say so. " * 8, "began to repeat itself"),
    ],
)
def test_what_is_wrong_with_it_is_said(studio, ada, project, engine, said, remark):
    answer = "On boat 3 it is and at six from the harbour it sails, wait by the pier."
    write(studio, ada, project, *(example(f"Where is {n}?", answer) for n in range(20)))
    engine.script = [said]

    assert remark in list(style_writing.write(studio, project, 1, lambda: False))[-1].remark


def test_too_few_answers_and_a_model_that_only_continues_texts_are_refused(studio, ada, project, monkeypatch):
    write_many(studio, ada, project, 3)
    with pytest.raises(BadInput, match="fewer than 5 answers"):
        steps(studio, ada, project)
    base = dataclasses.replace(studio.engine.base("starter"), template="plain")
    monkeypatch.setattr(studio.engine, "base", lambda id: base)
    with pytest.raises(ModelNotReady, match="only continues texts"):
        steps(studio, ada, project)


def test_answers_too_long_for_the_model_are_left_out_and_where_none_fits_it_is_said(
    studio, ada, project, engine
):
    write_many(studio, ada, project, 20)
    engine.longest = style_writing.WRITTEN.max_tokens + 100
    steps(studio, ada, project)
    assert 0 < engine.asked[-1][0].messages[-1].content.count("Question: ") < style_writing.SHOWN
    engine.longest = style_writing.WRITTEN.max_tokens + 10
    with pytest.raises(BadInput, match="Not one of your answers fits"):
        steps(studio, ada, project)


def test_while_a_run_is_training_it_is_said_that_all_takes_longer_or_has_no_room(
    studio, ada, project, engine
):
    write_many(studio, ada, project, 20)
    engine.failure = DoesNotFit("The model needs 9 GB. Close other programs.")
    with pytest.raises(DoesNotFit, match="Close other programs"):
        steps(studio, ada, project)
    with going(studio, project, name="<b>Harbour</b>"):
        assert "&lt;b&gt;Harbour&lt;/b&gt;” is training" in talk.pane(
            [talk.turn("Hi?")], talk.waiting(studio)
        )
        with pytest.raises(
            Busy, match=r"“<b>Harbour</b>” is training .* Wait until the run is over, or stop it"
        ):
            steps(studio, ada, project)
