"""Three and four models in Compare: each in its own conversation, one more beside the others, and one taken away."""

import gradio as gr
import pytest
from made import finished
from test_compare import ask, last, of_all, opened, parts_of

from studio.core.errors import BadInput, DoesNotFit
from studio.ui import compare, compare_columns, compare_fix, compare_talk, talk
from studio.ui.compare_arms import SIDES
from studio.work import prompts as kept
from studio.work import writing

FOUR = ("base", "run:1", "base", "run:2")


@pytest.fixture(autouse=True)
def runs(studio, project):
    return [finished(studio, project) for _ in range(2)]


def turn(question, answer):
    return talk.turn(question) | {"answer": answer}


def retry(studio, person, project, talks, arms=FOUR, vary=False, seed=0):
    chosen = of_all(arms, (), ())
    return compare_talk.on_retry(
        studio, person, lambda: False, project, len(arms), talks, 256, vary, seed, *chosen
    )


def removed(studio, person, project, place, talks, arms=FOUR, prompts=(), systems=()):
    chosen = of_all(arms, prompts, systems)
    found = compare_columns.on_remove(studio, person, project, place, len(arms), talks, *chosen)
    by_kind = [found[begin : begin + len(SIDES)] for begin in range(2, len(found) - 1, len(SIDES))]
    return found[0], *by_kind, found[-1]


# asking


def test_four_models_answer_in_one_batch_each_with_its_own_history(studio, ada, project, engine, runs):
    talks = [[turn("A?", f"side {side}")] for side in range(3)]  # the fourth joined since
    engine.script = ["one", "two", "three", "four"]
    panes, told, _ = parts_of(last(ask(studio, ada, project, "B?", talks, FOUR, ("",) * 4)))

    assert [[each.content for each in row.messages] for row in engine.asked[0]] == [
        ["A?", "side 0", "B?"],
        ["A?", "side 1", "B?"],
        ["A?", "side 2", "B?"],
        ["B?"],
    ]
    assert [row.adapter for row in engine.asked[0]] == [None, runs[0] / "adapter", None, runs[1] / "adapter"]
    assert len({row.sampling for row in engine.asked[0]}) == 1
    assert [each[-1]["answer"] for each in told] == ["one", "two", "three", "four"]
    assert [">one<" in panes[0], ">four<" in panes[3], ">one<" in panes[3]] == [True, True, False]


def test_only_the_sides_that_are_shown_are_asked(studio, ada, project, engine):
    late = [[turn("A?", "x")]] * 4  # a last frame of what was asked when there were four
    panes, told, _ = parts_of(last(ask(studio, ada, project, "B?", late)))

    assert len(engine.asked[0]) == len(told) == 2
    assert panes[2:] == (gr.skip(), gr.skip())


@pytest.mark.parametrize("many", [0, 1, 5, 99, None, "3", [], 3.5, True])
def test_a_number_of_sides_that_there_is_not_means_two(studio, ada, project, engine, many):
    last(
        compare_talk.on_ask(
            studio, ada, lambda: False, project, "Go", many, [], 256, False, 0, *of_all(FOUR, (), ())
        )
    )

    assert len(engine.asked[0]) == 2


def test_stopped_all_keep_what_was_written(studio, ada, project, engine):
    engine.script, engine.pause = ["a b c d"] * 4, talk.PAUSE * 1.2
    asking = ask(studio, ada, project, "Go", arms=FOUR)
    next(asking)
    _, told, _ = parts_of(next(asking))
    asking.close()

    assert engine.closed == 1
    assert all(">a</p>" in pane for pane in compare_talk.on_stop(studio, ada, told)[:4])


# once more


def test_the_last_question_is_answered_again_in_the_place_of_the_last_answers(studio, ada, project, engine):
    talks = [[turn("A?", "a"), turn("B?", "b")], [turn("A?", "a"), turn("B?", "b")], [turn("B?", "b")], []]
    engine.script = ["anew"] * 4
    steps = list(retry(studio, ada, project, talks))
    told = parts_of(steps[-1])[1]

    assert [[each["answer"] for each in side] for side in told] == [
        ["a", "anew"],
        ["a", "anew"],
        ["anew"],
        ["anew"],
    ]
    assert (engine.asked[0][0].sampling.temperature, steps[0][-1]) == (0, 0)


def test_where_answers_vary_it_takes_the_next_seed_and_shows_it(studio, ada, project, engine):
    steps = list(retry(studio, ada, project, [[turn("A?", "a")]], vary=True, seed=7))

    assert engine.asked[0][0].sampling.seed == 8
    first, *others = (step[-1] for step in steps)
    assert (first, others) == (8, [gr.skip()] * len(others))


def test_what_could_not_be_answered_again_keeps_its_answers_and_its_seed(studio, ada, project, engine):
    engine.failure = DoesNotFit("There is no room for two models. Stop the training first.")
    asking = retry(studio, ada, project, [[turn("A?", "a")]], ("base", "base"), vary=True, seed=7)
    next(asking)
    _, told, seed = parts_of(next(asking))

    assert (told, seed) == ([[turn("A?", "a")], []], 7)
    with pytest.raises(DoesNotFit):
        next(asking)


def test_without_a_question_there_is_nothing_to_answer_again(studio, ada, project):
    with pytest.raises(BadInput, match="Nothing was asked yet"):
        list(retry(studio, ada, project, []))


def test_the_last_question_comes_back_into_the_box_from_all_sides(studio, ada):
    talks = [[turn("A?", "a"), turn("B?", "b")], [turn("B?", "b")], [], []]
    *_, told, box = compare_talk.on_last(studio, ada, talks, "something typed")

    assert (told, box) == ([[turn("A?", "a")], [], [], []], "B?")


def test_another_model_begins_all_anew_but_one_that_has_just_joined_disturbs_nobody(studio, ada):
    talks = [[turn("A?", "a")], [turn("A?", "a")], []]

    assert compare_talk.on_chosen(studio, ada, 1, talks)[-2] == [[]] * 4
    assert compare_talk.on_chosen(studio, ada, 2, talks)[-2] == [*talks, []]


# columns


def added(studio, person, project, *models):
    found = compare_columns.on_add(studio, person, project, len(models), *of_all(models))
    return found[:2], [found[begin : begin + len(SIDES)] for begin in range(2, len(found), len(SIDES))]


def test_one_more_side_shows_a_model_that_is_not_there_yet_and_begins_with_nothing(studio, ada, project):
    writing.set_system(studio, ada, project, "You are Harbour.")
    (many, add), (columns, models, prompts, systems, panes) = added(studio, ada, project, "base", "run:2")

    assert (many, add["visible"], columns[2]["visible"]) == (3, True, True)
    assert (models[2]["value"], prompts[2]["value"], systems[2]["value"]) == ("run:1", "", "You are Harbour.")
    assert "Nothing asked yet" in panes[2]
    for kind in (columns, models, prompts, systems, panes):
        assert [kind[side] for side in (0, 1, 3)] == [gr.skip()] * 3


def test_when_every_model_is_there_the_base_comes_once_more_and_there_are_four_at_most(studio, ada, project):
    (many, add), (_, models, *_) = added(studio, ada, project, "base", "run:2", "run:1")

    assert (many, add["visible"], models[3]["value"]) == (4, False, "base")
    assert compare_columns.on_add(studio, ada, project, 4, *FOUR) == gr.skip()


def test_a_side_is_taken_away_and_the_one_behind_it_moves_up_with_all_that_is_its_own(studio, ada, project):
    kept.keep(studio, ada, project, "calm", "Be calm.")
    talks = [[turn("A?", side)] for side in ("left", "right", "third", "fourth")]
    many, columns, models, prompts, systems, panes, told = removed(
        studio, ada, project, 2, talks, prompts=("", "", "", "calm@1"), systems=("", "", "Third.", "Be calm.")
    )

    assert (many, [each["visible"] for each in columns]) == (3, [True, True, True, False])
    assert (models[2]["value"], prompts[2]["value"]) == ("run:2", "calm@1")
    assert systems[2] == gr.update(value="Be calm.", interactive=False)
    assert [each[-1]["answer"] for each in told] == ["left", "right", "fourth"]
    assert "fourth" in panes[2]
    assert models[:2] == (gr.skip(), gr.skip())


def test_the_last_side_is_taken_away_and_keeps_nothing(studio, ada, project):
    talks = [[turn("A?", side)] for side in ("left", "right", "third")]
    many, columns, models, *_, told = removed(studio, ada, project, 2, talks, FOUR[:3])

    assert (many, columns[2]["visible"], set(map(str, models))) == (2, False, {str(gr.skip())})
    assert [each[-1]["answer"] for each in told] == ["left", "right"]
    assert compare_columns.on_remove(studio, ada, project, 2, 2, talks, *of_all(FOUR, (), ())) == gr.skip()


def test_each_handler_of_the_columns_fills_every_output_that_is_wired_to_it(studio, ada, project):
    with gr.Blocks():
        parts = compare.lay_out()

    assert len(compare_columns.on_add(studio, ada, project, 2, *FOUR)) == len(parts.columns) + len(SIDES)
    taken = compare_columns.on_remove(studio, ada, project, 2, 3, [], *of_all(FOUR, (), ()))
    assert len(taken) == len(parts.columns) + len(parts.panes)


def test_what_a_person_chose_of_four_stays_until_one_of_them_is_gone(studio, ada, project):
    first = opened(studio, ada, project)
    same = opened(studio, ada, project, FOUR, offered=first.offered)
    gone = opened(studio, ada, project, (*FOUR[:3], "run:9"), offered=first.offered)

    assert (same.many, [each["value"] for each in same.arms]) == (4, [*FOUR])
    assert same.talks == gr.skip()
    assert (gone.many, [each["visible"] for each in gone.columns]) == (2, [True, True, False, False])
    assert [each["value"] for each in gone.arms[:2]] == ["base", "run:2"]


def test_the_fourth_sides_answer_goes_to_write_as_its_own(studio, ada, project):
    talks = [[turn("A?", side)] for side in ("left", "right", "third", "fourth")]
    compare_fix.on_fix(studio, ada, project, 3, talks, *of_all(FOUR, ()))
    (sent,) = writing.all_conversations(studio, project)

    assert (sent.messages[-1].content, sent.messages[-1].drafted) == ("fourth", "run:2")
