"""Run on held-out, with the rehearsal model: what is frozen, kept, gone on with, and told."""

import signal
import subprocess
import sys
import time
from itertools import count as count_from
from pathlib import Path

import pytest

from studio.core.errors import BadInput, Busy, DoesNotFit, NotFound, NothingToLearn
from studio.core.records import Change, Message, Person, Sampling
from studio.engine import models as precisions
from studio.engine.api import Ask
from studio.store import environment, evaluations, runs
from studio.work import evaluating, evaluation_plan, models, planning, prompts, training, writing
from studio.work.evaluation_plan import Words
from studio.work.studio import opened

ADA = Person("Ada")
BRIEF = Words("Be brief.")
EVALUATOR = Path(__file__).parent / "evaluator.py"


@pytest.fixture
def studio(tmp_path):
    studio = opened(tmp_path / "home")
    yield studio
    for each in evaluations.newest_first(studio.home):
        evaluations.ask_to_stop(each)
        over(studio, each)
    studio.jobs.close()
    studio.database.close()


@pytest.fixture
def project(studio):
    project = writing.project(studio, "harbour")
    models.choose(studio, ADA, project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    return project


def write(studio, project, count):
    """So many conversations; of twenty and more as many as it takes to hold an eighth out, for that is told by their ids."""
    for number in count_from(0):
        if number >= count and (
            count < 20 or len(planning.sides(studio, project.id).held_out) >= max(5, count // 8)
        ):
            return
        talk = (
            Message("user", f"Where is parcel {number}?"),
            Message("assistant", f"On boat {number} it is. At six, sail it will."),
        )
        writing.save(studio, ADA, Change(f"r{number}", project.id, "", 0, talk))


def over(studio, evaluation, seconds=120):
    deadline = time.monotonic() + seconds
    while (found := evaluations.load(studio.home, evaluation.id)).state == "going":
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def rows(evaluation, name="answers"):
    return evaluations.rows(evaluation.folder / f"{name}.jsonl")


def test_each_arm_and_the_base_answer_the_same_held_out_questions(studio, project):
    write(studio, project, 60)
    held = {each.id for each in planning.sides(studio, project.id).held_out}
    assert len(held) >= 3

    done = over(studio, evaluating.begin(studio, ADA, project.id, ["prompt"], Words("Be brief.", 2), 3))

    assert done.trouble == ""
    answered = rows(done)
    of = {
        arm: {each["conversation"] for each in answered if each["arm"] == arm}
        for arm in ("base", "prompt", "drawn")
    }
    assert of["base"] == of["prompt"] == of["drawn"] <= held
    assert len(of["base"]) == 3
    assert len(answered) + len(rows(done, "losses")) == done.done == done.spec["rows"]
    told = done.result
    assert [each["arm"] for each in told["arms"]] == ["base", "prompt"]
    assert set(told["arms"][1]) >= {"held_out_loss", "style", "length_ratio", "copied", "general_loss"}
    assert told["sentence"].endswith(".")
    assert told["arms"][1]["prompt_tokens"] > 0
    assert told["arms"][1]["cut"] == 3  # a model that never learned to stop
    assert told["arms"][1]["endless"] == 1
    assert any("100 % of the answers of the prompt go on without an end" in each for each in told["evidence"])
    assert done.spec["arms"][1]["words"] == {"system": "Be brief.", "shots": 2, "pinned": []}


def test_examples_are_learned_ones_and_not_measured(studio, project):
    write(studio, project, 40)
    learned = {each.messages[0].content for each in planning.sides(studio, project.id).learned}

    done = over(studio, evaluating.begin(studio, ADA, project.id, ["prompt"], Words("", 2), 2))

    for _, messages in runs.frozen_rows(done.folder, "arm-1"):
        assert [each.role for each in messages] == ["user", "assistant", "user", "assistant", "user"]
        assert {messages[0].content, messages[2].content} <= learned
        assert messages[4].content not in learned
    assert all(len(each["losses"]) == 1 for each in rows(done, "losses") if each["arm"] == "prompt")


def test_a_kept_prompt_is_asked_by_its_name_with_what_it_pins(studio, project):
    write(studio, project, 40)
    pinned = planning.sides(studio, project.id).learned[0]
    prompts.keep(studio, ADA, project.id, "Friendly", "Be friendly.", 0, [pinned.id])

    done = over(studio, evaluating.begin(studio, ADA, project.id, ["prompt:Friendly"], Words(), 2))

    for _, messages in runs.frozen_rows(done.folder, "arm-1"):
        assert messages[0] == Message("system", "Be friendly.")
        assert messages[1].content == pinned.messages[0].content
    assert "the prompt “Friendly”" in [each["title"] for each in done.spec["arms"]]


def test_two_versions_of_a_prompt_are_two_arms(studio, project):
    write(studio, project, 20)
    for text in ("Be friendly.", "Be kind."):
        prompts.keep(studio, ADA, project.id, "Friendly", text)

    old, new = evaluation_plan.contenders(
        studio, project.id, ["prompt:Friendly@1", "prompt:Friendly"], Words()
    )[1:]

    assert (old.title, old.words.system) == ("the prompt “Friendly”, version 1", "Be friendly.")
    assert (new.title, new.words.system) == ("the prompt “Friendly”", "Be kind.")


def test_a_run_alone_has_the_loss_of_its_card_and_under_a_prompt_its_words(studio, project, monkeypatch):
    # The same format on both sides: which one is the fastest is told by a trial, and that by the machine's load.
    monkeypatch.setattr(
        precisions, "choose_precision", lambda folder, wanted, device: ("fp32", "for the test")
    )
    writing.set_system(studio, ADA, project.id, "Speak like the harbour.")
    write(studio, project, 40)
    run = training.start(studio, ADA, project.id, updates=4, general=0.2, quantization="fp32")
    while runs.is_active(found := runs.load(studio.home, run.id)):
        time.sleep(0.1)
    writing.set_system(studio, ADA, project.id, "Something else by now.")

    prompts.keep(studio, ADA, project.id, "Friendly", "Be friendly.", 1)
    under = f"run:{run.id}+prompt:Friendly"
    done = over(
        studio,
        evaluating.begin(studio, ADA, project.id, ["prompt:Friendly", f"run:{run.id}", under], Words()),
    )

    base, words, tuned, both = done.result["arms"]
    assert tuned["held_out_loss"] == pytest.approx(found.card["held_out_loss"]["best"], rel=1e-3)
    assert done.spec["arms"][2]["words"]["system"] == "Speak like the harbour."
    assert tuned["general_loss"] == found.card["general_loss"]["best"]
    assert base["general_loss"] == found.card["general_loss"]["before"]
    assert (both["arm"], both["kind"], both["title"]) == (under, "run", f"run {run.id} under the prompt “Friendly”")  # fmt: skip
    assert both["prompt_tokens"] > tuned["prompt_tokens"] > 0
    for _, messages in runs.frozen_rows(done.folder, "arm-3"):
        assert [each.role for each in messages] == ["system", "user", "assistant", "user"]
        assert messages[0].content == "Be friendly."
    assert both["held_out_loss"] < words["held_out_loss"]  # the run's weights, not the base's
    with pytest.raises(NotFound, match="another project's"):
        evaluation_plan.contenders(studio, writing.project(studio, "quay").id, [f"run:{run.id}"], Words())


def test_what_was_answered_before_a_kill_is_kept_and_gone_on_with(studio, project):
    write(studio, project, 60)
    command = [sys.executable, str(EVALUATOR), str(studio.home.root), project.id, "4"]
    child = subprocess.Popen(command, env=environment.for_child(PYTHONPATH=str(EVALUATOR.parents[2])))
    while not (found := list(evaluations.newest_first(studio.home))) or len(rows(found[0])) < 8:
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    with (found[0].folder / "answers.jsonl").open("ab") as file:
        file.write(b'{"arm": "ba')  # what a kill in the middle of a write leaves
    kept = rows(found[0])
    assert evaluations.load(studio.home, found[0].id).state == "stopped"

    done = over(studio, evaluating.begin(studio, ADA, project.id, ["prompt"], BRIEF, 4))

    assert done.id == found[0].id
    assert done.result
    assert rows(done)[: len(kept)] == kept
    keys = [(each["arm"], each["conversation"]) for each in rows(done)]
    assert len(keys) == len(set(keys))


def test_a_stopped_one_keeps_its_answers_and_goes_on_with_them(studio, project):
    write(studio, project, 60)
    begun = evaluating.begin(studio, ADA, project.id, ["prompt"], BRIEF, 3)
    with pytest.raises(Busy, match="Another evaluation is going"):
        evaluating.begin(studio, ADA, project.id, ["prompt"], Words("Other words."), 3)
    while not rows(begun):
        time.sleep(0.01)
    evaluating.stop(studio, project.id, begun.id)
    stopped = over(studio, begun)
    assert (stopped.state, stopped.trouble, stopped.result) == ("stopped", "", None)

    done = over(studio, evaluating.go_on(studio, project.id, begun.id))

    assert done.state == "done"
    assert evaluating.go_on(studio, project.id, begun.id).result == done.result


def test_the_bases_own_answers_to_learned_questions_are_made_once(studio, project):
    write(studio, project, 40)
    asked = []
    answer_all = studio.engine.answer_all
    studio.engine.answer_all = lambda id, asks, *rest: asked.append(len(asks)) or answer_all(id, asks, *rest)
    first = over(studio, evaluating.begin(studio, ADA, project.id, ["prompt"], BRIEF, 2))
    second = over(studio, evaluating.begin(studio, ADA, project.id, ["prompt"], Words("Be long."), 2))

    learned = len([each for each in rows(first) if each["arm"] == "learned"])
    assert learned >= 30
    assert sum(asked) == learned + 6 + 6
    assert [each for each in rows(second) if each["arm"] == "learned"]


def test_a_persons_question_is_answered_in_between(studio, project):
    write(studio, project, 150)
    begun = evaluating.begin(studio, ADA, project.id, ["prompt"], BRIEF, 10)
    while not rows(begun):
        time.sleep(0.01)
    started = time.monotonic()
    ask = Ask((Message("user", "Hello"),), None, Sampling(4))
    *_, last = studio.engine.answers("rehearsal", [ask], lambda: False)

    assert last[0].done
    assert time.monotonic() - started < 4
    assert evaluations.load(studio.home, begun.id).state == "going"
    assert over(studio, begun).state == "done"


def test_what_goes_wrong_is_a_sentence_and_the_answers_are_kept(studio, project):
    write(studio, project, 40)
    losses, studio.engine.losses = studio.engine.losses, out_of_memory
    stopped = over(studio, evaluating.begin(studio, ADA, project.id, ["prompt"], BRIEF, 2))
    assert (stopped.state, stopped.trouble) == ("stopped", "Memory ran out. Close other programs.")
    assert len(rows(stopped)) > 30
    studio.engine.losses = losses

    assert over(studio, evaluating.go_on(studio, project.id, stopped.id)).trouble == ""


def out_of_memory(*asked):
    raise DoesNotFit("Memory ran out. Close other programs.")


def test_too_few_learned_answers_are_told_and_the_rest_is_measured(studio, project):
    write(studio, project, 12)
    done = over(studio, evaluating.begin(studio, ADA, project.id, ["prompt"], BRIEF))

    assert "The style score needs 20 learned conversations" in done.result["why_no_score"]
    assert done.result["arms"][1]["style"] == {"score": None, "low": None, "high": None}
    assert done.result["arms"][1]["held_out_loss"] > 0
    assert "It is not known yet whether training would help" in done.result["sentence"]


@pytest.mark.parametrize(
    ("names", "words", "limit", "said"),
    [
        (["friendly"], BRIEF, None, "“friendly” is no arm"),
        (["prompt:Friendly"], BRIEF, None, "no prompt named “Friendly”"),
        (["run:99"], BRIEF, None, "There is no run 99"),
        (["run:99+prompt:Friendly"], BRIEF, None, "There is no run 99"),
        (["run:../1"], BRIEF, None, "There is no run"),
        (["base+kind"], BRIEF, None, "is no arm"),
        (["prompt"], Words("  "), None, "no words and no examples"),
        (["prompt"], BRIEF, 40, "so 40 cannot be asked"),
        (["prompt"], BRIEF, 0, "so 0 cannot be asked"),
        (["prompt"], Words("word " * 4000), None, "Shorten the system text"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_written(
    studio, project, names, words, limit, said
):
    write(studio, project, 20)
    with pytest.raises(BadInput, match=said):
        evaluating.begin(studio, ADA, project.id, names, words, limit)
    assert list(evaluations.newest_first(studio.home)) == []


def test_a_set_without_a_held_out_question_is_told_what_to_do(studio, project):
    write(studio, project, 1)
    with pytest.raises(NothingToLearn, match="one in eight is held out by itself"):
        evaluating.begin(studio, ADA, project.id, ["prompt"], BRIEF)
