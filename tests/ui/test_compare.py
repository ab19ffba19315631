"""The Compare tab: conversations with one message, and what the page may send back. More than two sides: test_compare_columns."""

import warnings
from types import SimpleNamespace

import gradio as gr
import pytest
from made import built, finished, freeze, write, write_many
from made import talk as conversation

from studio.core.errors import BadInput, DoesNotFit, NotFound
from studio.core.records import Message
from studio.ui import compare, compare_held_out, compare_prompt, compare_talk, drawing, talk
from studio.ui.compare_arms import SIDES
from studio.work import planning, writing
from studio.work import prompts as kept


def of_all(*given):
    """What the page sends of all sides, from what is said of the first ones."""
    return [each for values in given for each in (*values, *[""] * (len(SIDES) - len(values)))]


def opened(studio, person, project, arms=("base", "base"), prompts=("", ""), offered=None, handed=None):
    """What the tab shows when it is opened, by name; of the sides as lists."""
    many = len(arms)
    found = iter(
        compare.on_open(studio, person, project, many, offered or {}, handed, *of_all(arms, prompts))
    )
    ones = {"rest": next(found), "said": next(found), "many": next(found), "add": next(found)}
    sides = {
        name: [next(found) for _ in SIDES] for name in ("columns", "arms", "prompts", "systems", "panes")
    }
    rest = dict(zip(("talks", "offered", "place", "asked", "handed"), found, strict=True))
    return SimpleNamespace(**ones, **sides, **rest)


def ask(
    studio,
    person,
    project,
    message,
    talks=None,
    arms=("base", "base"),
    systems=("", ""),
    prompts=("", ""),
    longest=256,
    vary=False,
    seed=0,
):
    chosen = of_all(arms, prompts, systems)
    return compare_talk.on_ask(
        studio, person, lambda: False, project, message, len(arms), talks or [], longest, vary, seed, *chosen
    )


def parts_of(step):
    """(the panes, what the page keeps, what stands beside) of what a handler yields."""
    return step[: len(SIDES)], step[len(SIDES)], step[-1]


def last(steps):
    *_, step = steps
    return step


def test_the_tab_is_wired_without_a_warning(studio):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert built(compare, studio).label == "Compare"


def test_each_handler_fills_every_output_that_is_wired_to_it(studio, ada, project):
    with gr.Blocks():
        parts = compare.lay_out()

    assert len(last(ask(studio, ada, project, "Hello"))) == len(parts.panes) + 1
    for filled in (
        compare_talk.on_again(studio, ada),
        compare_talk.on_last(studio, ada, [], ""),
        compare_talk.on_chosen(studio, ada, 0, []),
    ):
        assert len(filled) == len(parts.panes) + 1
    assert len(compare_talk.on_stop(studio, ada, [])) == len(parts.panes)
    assert (
        len(compare.on_open(studio, ada, project, 2, {}, None, *of_all((), ())))
        == len(parts.columns) + len(parts.panes) + 6
    )
    assert len(compare_held_out.on_next(studio, ada, project, 0)) == 3


# the choice


def test_the_base_stands_left_and_the_newest_run_right(studio, ada, project):
    finished(studio, project)
    newest = finished(studio, project)
    shown = opened(studio, ada, project)

    assert [each["value"] for each in shown.arms[:2]] == ["base", f"run:{newest.name}"]
    assert [label for label, _ in shown.arms[1]["choices"]] == [
        "Base as it came",
        "Run 2 (standard, −35 %)",
        "Run 1 (standard, −35 %)",
    ]


def test_what_a_person_chose_stays_until_there_is_a_new_run(studio, ada, project):
    finished(studio, project)
    first = opened(studio, ada, project)
    again = opened(studio, ada, project, ("run:1", "base"), offered=first.offered)
    finished(studio, project)
    later = opened(studio, ada, project, ("run:1", "base"), offered=again.offered)

    assert [each["value"] for each in again.arms[:2]] == ["run:1", "base"]
    assert again.talks == gr.skip()
    assert [each["value"] for each in later.arms[:2]] == ["base", "run:2"]
    assert later.talks == [[]] * len(SIDES)


def test_runs_without_an_adapter_and_of_other_projects_are_not_offered(studio, ada, project):
    freeze(studio, project)
    finished(studio, "another")

    assert [value for _, value in opened(studio, ada, project).arms[0]["choices"]] == ["base"]


def test_without_a_run_the_tab_says_what_to_do_and_still_works(studio, ada, project):
    shown = opened(studio, ada, project)

    assert "No tuned model yet" in shown.said
    assert shown.rest["visible"] is True


def test_both_sides_begin_with_the_projects_system_text(studio, ada, project):
    writing.set_system(studio, ada, project, "You are Harbour.")
    shown = opened(studio, ada, project)
    later = opened(studio, ada, project, offered=shown.offered)

    assert {each["value"] for each in shown.systems} == {"You are Harbour."}
    assert later.systems[0] == gr.skip()


def test_without_the_base_nothing_can_be_asked_yet(studio, ada, project, engine):
    engine.path = None

    assert opened(studio, ada, project).rest["visible"] is False


# asking


def test_one_message_goes_to_both_with_their_own_histories_systems_and_adapters(studio, ada, project, engine):
    run = finished(studio, project)
    talks = [[talk.turn("A?") | {"answer": "left"}], [talk.turn("A?") | {"answer": "right"}]]
    engine.script = ["one two", "three"]
    steps = ask(studio, ada, project, "B?", talks, ("base", "run:1"), ("Be left.", "Be right."))
    (left, right, *_), kept, _ = parts_of(last(steps))
    asked = engine.asked[0]

    assert [each.messages for each in asked] == [
        (
            Message("system", f"Be {side}."),
            Message("user", "A?"),
            Message("assistant", side),
            Message("user", "B?"),
        )
        for side in ("left", "right")
    ]
    assert [each.adapter for each in asked] == [None, run / "adapter"]
    assert [each[-1]["answer"] for each in kept] == ["one two", "three"]
    assert "2 tokens in 0.2 s" in left
    assert "three" in right


def test_the_box_is_emptied_once_so_that_what_is_typed_meanwhile_stays(studio, ada, project, engine):
    engine.script, engine.pause = ["a b", "c d"], talk.PAUSE * 1.2
    first, *others = (step[-1] for step in ask(studio, ada, project, "Go"))

    assert first == ""
    assert others == [gr.skip()] * 2


def test_the_question_stands_there_before_the_first_word(studio, ada, project):
    (left, right, *_), kept, _ = parts_of(next(ask(studio, ada, project, "Hello?")))

    assert "Hello?" in left
    assert "Hello?" in right
    assert kept == [[talk.turn("Hello?")]] * 2


def test_both_answers_grow_together(studio, ada, project, engine):
    engine.script, engine.pause = ["a b c", "d e f"], talk.PAUSE * 1.2
    steps = [parts_of(step)[1] for step in ask(studio, ada, project, "Go")]

    assert [[each[-1]["answer"] for each in kept] for kept in steps] == [
        ["", ""],
        ["a", "d"],
        ["a b", "d e"],
        ["a b c", "d e f"],
    ]


def test_answers_are_shown_as_text_with_their_white_space(studio, ada, project, engine):
    engine.script = ["<script>alert(1)</script>\n  ${x} {{y}}", "fine"]
    left, *_ = last(ask(studio, ada, project, "<b>Hi</b>"))

    assert "<script>" not in left
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\n  ${x} {{y}}" in left
    assert "&lt;b&gt;Hi&lt;/b&gt;" in left


def test_answers_are_the_likeliest_unless_they_are_to_vary(studio, ada, project, engine):
    last(ask(studio, ada, project, "Go", seed=7))
    last(ask(studio, ada, project, "Go", vary=True, seed=7))
    likeliest, varied = (each[0].sampling for each in engine.asked)

    assert likeliest.temperature == 0
    assert (varied.temperature > 0, varied.seed) == (True, 7)


@pytest.mark.parametrize(("longest", "most"), [(64, 64), (10**9, drawing.LONGEST), (None, 256), (-5, 1)])
def test_an_answer_is_as_long_as_asked_within_limits(studio, ada, project, engine, longest, most):
    last(ask(studio, ada, project, "Go", longest=longest))

    assert {each.sampling.max_tokens for each in engine.asked[0]} == {most}


def test_a_closed_page_stops_the_model_and_the_half_answer_is_kept(studio, ada, project, engine):
    engine.script, engine.pause = ["a b c d", "a b c d"], talk.PAUSE * 1.2
    asking = ask(studio, ada, project, "Go")
    next(asking)
    _, kept, _ = parts_of(next(asking))
    asking.close()

    assert engine.closed == 1
    left, right, *_ = compare_talk.on_stop(studio, ada, kept)
    assert ">a</p>" in left
    assert ">a</p>" in right


def test_a_refusal_gives_the_question_back(studio, ada, project, engine):
    engine.failure = DoesNotFit("There is no room for two models. Stop the training first.")
    asking = ask(studio, ada, project, "Precious words")
    next(asking)
    (left, *_), kept, box = parts_of(next(asking))

    assert (kept, box) == ([[], []], "Precious words")
    assert "Precious" not in left
    with pytest.raises(DoesNotFit):
        next(asking)


@pytest.mark.parametrize("message", ["", "   \n", None])
def test_an_empty_message_is_refused_with_a_sentence(studio, ada, project, message):
    with pytest.raises(BadInput, match="There is no question yet"):
        list(ask(studio, ada, project, message))


@pytest.mark.parametrize(
    ("arm", "error"), [("run:99", NotFound), ("../etc", BadInput), ("run:../..", NotFound)]
)
def test_an_arm_that_is_none_is_refused(studio, ada, project, arm, error):
    with pytest.raises(error):
        list(ask(studio, ada, project, "Hello", arms=(arm, "base")))


@pytest.mark.parametrize("talks", [
    "text", [[], "x"], [[], [{"question": "a"}]], [[], [{"question": 1, "answer": "", "tokens": 0, "seconds": 0}]],
    [[], [talk.turn("x")] * (talk.MOST + 1)], [[], [talk.turn("x" * (talk.LENGTH + 1))]], {"a": 1},
])  # fmt: skip
def test_what_is_no_conversation_is_refused(studio, ada, project, talks):
    with pytest.raises(BadInput, match="Start again"):
        list(ask(studio, ada, project, "Hello", talks))


def test_a_turn_without_an_answer_is_no_history(studio, ada, project, engine):
    last(ask(studio, ada, project, "Second", [[talk.turn("First")], []]))

    assert [each.content for each in engine.asked[0][0].messages] == ["Second"]


# the held-out questions


def test_the_held_out_questions_come_in_turn_and_begin_again(studio, ada, project):
    write_many(studio, ada, project, 30)
    held_out = sorted(planning.sides(studio, project).held_out, key=lambda each: each.number)
    asked, place = [], 0
    for _ in range(len(held_out) + 1):
        question, said, place = compare_held_out.on_next(studio, ada, project, place)
        asked.append(question)

    assert asked == [each.messages[0].content for each in held_out] + [held_out[0].messages[0].content]
    assert f"1 of {len(held_out)}" in said


def test_the_persons_own_answer_stands_beside_the_held_out_question(studio, ada, project):
    write(
        studio,
        ada,
        project,
        conversation(answer="<i>On</i> its way."),
        conversation("Where?", "<i>On</i> its way."),
    )

    assert "&lt;i&gt;On&lt;/i&gt; its way." in compare_held_out.on_next(studio, ada, project, 0)[1]


def test_without_held_out_examples_that_is_said(studio, ada, project):
    assert "no held-out examples yet" in compare_held_out.on_next(studio, ada, project, 3)[1]


# under a kept prompt


def test_a_side_under_a_prompt_is_asked_with_its_words_and_examples_whatever_the_box_says(
    studio, ada, project, engine
):
    write_many(studio, ada, project, 12)
    kept.keep(studio, ada, project, "calm", "Be calm.", 2)
    last(ask(studio, ada, project, "Question 3?", prompts=("", "calm@1"), systems=("Plain.", "Ignored.")))
    left, right = (each.messages for each in engine.asked[0])

    assert [each.content for each in left] == ["Plain.", "Question 3?"]
    assert right[0].content == "Be calm."
    assert len(right) == 1 + 2 * 2 + 1


def test_the_prompts_are_offered_and_one_that_is_chosen_shows_its_words(studio, ada, project):
    kept.keep(studio, ada, project, "calm", "Be calm.")
    first = opened(studio, ada, project)
    assert ("calm, version 1", "calm@1") in first.prompts[0]["choices"]

    assert compare_prompt.on_prompt(studio, ada, project, "calm@1") == gr.update(
        value="Be calm.", interactive=False
    )
    assert compare_prompt.on_prompt(studio, ada, project, "")["interactive"] is True
    again = opened(studio, ada, project, prompts=("calm@1", "calm@9"), offered=first.offered)
    assert [each["value"] for each in again.prompts[:2]] == ["calm@1", ""]
    assert again.systems[0] == gr.skip()
    assert again.systems[1]["interactive"] is True
