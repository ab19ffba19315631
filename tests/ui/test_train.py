"""The Train tab: the plan, the run as its folder tells it, and what the buttons do."""

import base64
import hashlib
import json
import re
import warnings
from dataclasses import asdict, replace
from types import SimpleNamespace

import gradio as gr
import pytest
from filelock import FileLock
from made import built, evaluated, finish, finished, freeze, going, planned, say, stepped, write, write_many

from studio.core.course import course
from studio.core.errors import BadInput, BadRecipe, Busy, NothingToLearn
from studio.core.recipe import preset
from studio.core.records import Message
from studio.store import runs
from studio.ui import need, show_run, train, train_plan, train_recipes, train_run
from studio.work import models, planning, run_history, training

FIGURES, HELP, SAID, LEFT_OUT, BASE, START, MEASURE, HINDERED, COUNTED = range(9)
(
    LIVE, LOG_FRAME, LOG, STOPS, KEEP, DISCARD, SURE, OVER, RESUME,
    ABOUT, NOTE, OTHER, DIFFERENCE, HISTORY, RUN_START, BUSY, CHOSEN, SEEN, NUDGE,
) = range(19)  # fmt: skip
EMPTY = [""] * (len(train_plan.NAMES) - 1) + ["auto"]


@pytest.fixture
def parts(studio):
    """The tab as it is laid out."""
    with gr.Blocks():
        return train.lay_out_plan(studio), train.lay_out_run()


def test_each_handler_fills_every_output_that_is_wired_to_it(studio, ada, project, parts):
    plan, run = parts

    assert len(train_plan.on_plan(studio, ada, project, "standard", 1.0, *EMPTY)) == len(plan.outputs)
    assert len(train_plan.on_plan(studio, ada, project, "no such", 1.0, *EMPTY)) == len(plan.outputs)
    assert len(train_run.on_show(studio, ada, project, "", "")) == len(run.outputs(plan)) == NUDGE + 1
    with going(studio, project) as folder:
        seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
        say(folder, stepped(2, 3.3))
        assert len(train_run.on_tick(studio, ada, project, "", "", seen)) == len(run.outputs(plan))


def test_the_tab_is_wired_without_a_warning(studio):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert built(train, studio).label == "Train"


def test_the_advanced_fields_are_the_recipes_own(parts):
    labels = [each.label for each in parts[0].settings]

    assert "Learning rate" in labels
    assert len(labels) == len(train_plan.NAMES)
    assert "0.000001 to 0.01" in parts[0].settings[0].info


# the plan


def test_the_plan_counts_what_a_run_would_do(studio, ada, project):
    write_many(studio, ada, project, 40)
    said = train_plan.on_plan(studio, ada, project, "standard", 1.0, *EMPTY)
    planned = planning.plan(studio, project)

    assert f">{planned.learned}<" in said[FIGURES]
    assert f"{planned.held_out} held out" in said[FIGURES]
    assert f">{planned.updates}<" in said[FIGURES]
    assert "measured by the first run" in said[FIGURES]
    assert said[START]["interactive"] is True
    assert said[HINDERED] == ""


def test_an_empty_field_shows_in_grey_what_it_would_be(studio, ada, project):
    said = train_plan.on_plan(studio, ada, project, "gentle", 1.0, *EMPTY)

    assert said[COUNTED + 1]["placeholder"] == "0.0001"


def test_a_field_that_is_filled_in_changes_the_plan(studio, ada, project):
    write_many(studio, ada, project, 40)
    typed = ["0.0003", "", "6", *EMPTY[3:]]

    assert train_plan.changes(0.5, tuple(typed)) == {
        "general": 0.5,
        "learning_rate": 0.0003,
        "updates": 6,
        "quantization": "auto",
    }
    assert ">6<" in train_plan.on_plan(studio, ada, project, "standard", 0.5, *typed)[FIGURES]


def test_a_comma_groups_thousands_and_is_never_dropped_from_a_fraction():
    assert [train_plan.number(each) for each in ("2,048", "1,234,567", "0.5")] == [2048, 1234567, 0.5]
    assert [train_plan.number(each) for each in ("2,5", "0,0002", ",5")] == ["2,5", "0,0002", ",5"]


@pytest.mark.parametrize("typed", ["0.5", "fast", "nan", "-1", "0,0002"])
def test_a_setting_outside_its_range_is_said_in_place_and_hinders_the_start(studio, ada, project, typed):
    write_many(studio, ada, project, 10)
    said = train_plan.on_plan(studio, ada, project, "standard", 1.0, typed, *EMPTY[1:])

    assert "Learning rate must" in said[SAID]
    assert "Learning rate must" in said[HINDERED]
    assert said[START]["interactive"] is False


def test_an_empty_set_says_what_to_do_and_cannot_start(studio, ada, project):
    said = train_plan.on_plan(studio, ada, project, "standard", 1.0, *EMPTY)

    assert "There are no examples yet" in said[SAID]
    assert said[START]["interactive"] is False
    with pytest.raises(NothingToLearn):
        train_run.on_start(studio, ada, project, {}, (), "standard", 1.0, *EMPTY)


def test_what_is_left_out_is_listed_with_its_number_and_the_reason(studio, ada, project):
    write_many(studio, ada, project, 10)
    write(studio, ada, project, (Message("user", "Is anybody there?"),))
    said = train_plan.on_plan(studio, ada, project, "standard", 1.0, *EMPTY)

    assert "0011" in said[LEFT_OUT]
    assert "Its last turn is not an answer" in said[LEFT_OUT]


def test_a_missing_base_is_said_with_its_size_and_offered(studio, ada, project, engine):
    engine.path = None
    write_many(studio, ada, project, 10)
    place, said, button, watch, met = need.on_watch(studio, ada, project)

    assert (
        "not on this machine yet" in train_plan.on_plan(studio, ada, project, "standard", 1.0, *EMPTY)[BASE]
    )
    assert (place["visible"], button["visible"], watch["active"], met["here"]) == (True, True, True, False)
    assert "93.0 MB" in button["value"]
    assert "not on this machine yet" in said


def test_a_fetch_that_went_wrong_is_said_and_can_be_tried_again(studio, ada, project, engine):
    engine.path = None
    lines = [{"done": 5, "total": 93}, {"error": {"title": "x", "message": "The network went <away>."}}]
    (studio.home.models / "fetch.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    _, said, button, *_ = need.on_watch(studio, ada, project)

    assert "The network went &lt;away&gt;." in said
    assert button["visible"] is True


def test_a_fetch_under_way_shows_how_far_it_is(studio, ada, project, engine):
    engine.path = None
    (studio.home.models / "fetch.jsonl").write_text('{"done": 46500000, "total": 93000000}\n')
    with FileLock(studio.home.models / "fetch.jsonl.lock"):
        _, said, button, *_ = need.on_watch(studio, ada, project)

    assert 'aria-valuenow="50"' in said
    assert button["visible"] is False


def test_a_tab_is_read_anew_when_its_model_has_come(studio, ada, project, engine, tmp_path):
    engine.path = None
    missing = need.on_watch(studio, ada, project)[-1]
    read = need.reading(lambda studio, person, project: project)
    engine.path = tmp_path
    place, *_, watch, here = need.on_watch(studio, ada, project)

    assert (missing["here"], place["visible"], watch["active"], here["here"]) == (False, False, False, True)
    assert read(studio, ada, missing, {}, project) == (missing, project)
    assert read(studio, ada, missing, missing, project) == gr.skip()
    # Another look between the one that saw it and the reading sees nothing new: it is read all the same.
    assert need.on_watch(studio, ada, project)[-1] == here
    assert read(studio, ada, here, missing, project) == (here, project)


def test_a_tab_that_is_opened_is_read_though_nothing_is_new(studio, ada, project):
    met = need.on_watch(studio, ada, project)[-1]
    read = need.reading(lambda studio, person, project: (project, "more"), always=True)

    assert read(studio, ada, met, met, project) == (met, project, "more")
    assert train_plan.on_nudge(studio, ada) != train_plan.on_nudge(studio, ada)


def test_a_tab_that_is_opened_before_the_page_knows_its_project_looks_again(studio, ada, project):
    *_, watch, met = need.on_watch(studio, ada, None)
    read = need.reading(lambda studio, person, project: project, always=True)

    assert (watch["active"], met) == (True, {})
    assert read(studio, ada, met, {"project": "another"}, None) == gr.skip()
    assert train_run.on_show(studio, ada, None, "", "") == gr.skip()


def test_the_base_can_be_changed_and_an_empty_choice_is_refused(studio, ada, project):
    *_, met = train_plan.on_base(studio, ada, project, " other/model ")
    assert met["base"] == "other/model"
    assert models.base(studio, project).id == "other/model"

    with pytest.raises(BadInput):
        train_plan.on_base(studio, ada, project, "  ")


# the run


def test_without_a_run_the_tab_says_where_it_will_appear(studio, ada, project):
    shown = train_run.on_show(studio, ada, project, "", "")

    assert "No run yet" in shown[LIVE]
    assert shown[STOPS]["visible"] is False
    assert shown[LOG_FRAME]["visible"] is False


def test_a_run_that_is_going_shows_its_progress_its_buttons_and_a_queue(studio, ada, project):
    with going(studio, project) as folder:
        say(folder, stepped(2, 3.3), evaluated(2, 3.1))
        shown = train_run.on_show(studio, ada, project, "", "")

    assert "200 tokens a second, learning rate 0.0002" in shown[LIVE]
    assert "best held-out 3.10 at update 2" in shown[LIVE]
    assert shown[STOPS]["visible"] is True
    assert shown[OVER]["visible"] is False
    assert (shown[RUN_START]["value"], shown[RUN_START]["interactive"]) == ("Add to the queue", True)
    assert "is training now" in shown[BUSY]


def test_a_tick_without_news_sends_nothing(studio, ada, project):
    with going(studio, project):
        seen = train_run.on_show(studio, ada, project, "", "")[SEEN]

        assert train_run.on_tick(studio, ada, project, "", "", seen) == gr.skip()
        assert train_run.on_tick(studio, ada, None, "", "", {}) == gr.skip()


def test_a_tick_reads_no_other_run_than_the_one_going(studio, ada, project):
    old = finished(studio, project)
    with going(studio, project):
        seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
        (old / "events.jsonl").write_text("this would be an error to whoever reads it\n")

        assert train_run.on_tick(studio, ada, project, "", "", seen) == gr.skip()


def test_a_tick_brings_news_and_leaves_the_second_question_as_it_stands(studio, ada, project):
    with going(studio, project) as folder:
        seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
        say(folder, stepped(2, 3.3))
        told = train_run.on_tick(studio, ada, project, "", "", seen)

    assert "Update 2 of 40" in told[LIVE]
    assert told[SURE] == gr.skip()
    assert told[SEEN] != seen


def test_the_end_of_a_run_frees_the_button_and_asks_for_a_new_plan(studio, ada, project):
    with going(studio, project) as folder:
        seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
        finish(folder)
    told = train_run.on_tick(studio, ada, project, "", "", seen)

    assert "Held-out loss 3.60 to 2.34 (−35 %)" in told[LIVE]
    assert told[RUN_START]["value"] == "Start training"
    assert told[NUDGE] == folder.name


def test_a_new_page_and_a_restarted_server_show_the_run_at_the_first_tick(studio, ada, project):
    with going(studio, project):
        assert "Update 1 of 40" in train_run.on_tick(studio, ada, project, "", "", {})[LIVE]


def test_a_run_started_elsewhere_appears_at_the_next_tick(studio, ada, project):
    seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
    with going(studio, project):
        assert "Update 1 of 40" in train_run.on_tick(studio, ada, project, "", "", seen)[LIVE]


def test_a_run_of_another_project_is_named_and_waited_for(studio, ada, project):
    seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
    with going(studio, "another", project_name="Lamps"):
        told = train_run.on_tick(studio, ada, project, "", "", seen)

    assert "No run yet" in told[LIVE]
    assert "of Lamps is training now" in told[BUSY]
    assert told[RUN_START]["value"] == "Add to the queue"


def test_a_killed_run_says_what_happened(studio, ada, project):
    with going(studio, project):
        seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
    told = train_run.on_tick(studio, ada, project, "", "", seen)

    assert "ended from outside after 1 update." in told[LIVE]
    assert (told[OVER]["visible"], told[RESUME]["visible"]) == (True, True)
    assert told[RUN_START]["interactive"] is True


def test_a_failed_runs_sentence_is_shown_as_text(studio, ada, project):
    folder = freeze(studio, project, name="<b>Bold</b>")
    say(folder, {"kind": "failed", "title": "x", "message": "No <room> left."})
    shown = train_run.on_show(studio, ada, project, "", "")

    assert "No &lt;room&gt; left." in shown[LIVE]
    assert "<b>Bold</b>" not in "".join(map(str, shown))
    assert "&lt;room&gt;" in shown[LOG]


def pressed(press, folder):
    return SimpleNamespace(press=press, id=folder.name)


def test_an_old_run_opens_by_its_name_and_stays_open_over_ticks(studio, ada, project):
    old = finished(studio, project, name="First")
    finished(studio, project, name="Second")
    opened = train_run.on_press(studio, ada, project, "", "", pressed("open", old))

    assert ">First</h2>" in opened[LIVE]
    assert train_run.on_tick(studio, ada, project, "", opened[CHOSEN], opened[SEEN]) == gr.skip()
    with going(studio, project):
        assert (
            ">First</h2>" in train_run.on_tick(studio, ada, project, "", opened[CHOSEN], opened[SEEN])[LIVE]
        )


def test_opening_the_newest_run_goes_on_following_the_newest(studio, ada, project):
    newest = finished(studio, project)

    assert train_run.on_press(studio, ada, project, "", "", pressed("open", newest))[CHOSEN] == ""


def test_a_deleted_run_is_gone_from_the_list_and_the_disk(studio, ada, project):
    kept, gone = finished(studio, project, name="Kept"), finished(studio, project, name="Gone")
    shown = train_run.on_press(studio, ada, project, "", gone.name, pressed("delete", gone))

    assert not gone.exists()
    assert kept.exists()
    assert "Gone" not in shown[HISTORY]
    assert shown[CHOSEN] == ""


def test_a_run_deleted_in_another_window_does_not_break_the_tick(studio, ada, project):
    old = finished(studio, project)
    finished(studio, project, name="Newest")
    opened = train_run.on_press(studio, ada, project, "", "", pressed("open", old))
    run_history.delete(studio, old.name)

    assert ">Newest</h2>" in train_run.on_tick(studio, ada, project, "", opened[CHOSEN], opened[SEEN])[LIVE]


def test_the_run_that_is_going_cannot_be_deleted(studio, ada, project):
    with going(studio, project) as folder:
        assert 'data-press="delete"' not in train_run.on_show(studio, ada, project, "", "")[HISTORY]
        with pytest.raises(Busy):
            train_run.on_press(studio, ada, project, "", "", pressed("delete", folder))


@pytest.mark.parametrize(("handler", "wish", "said"), [
    (train_run.on_keep, "keep", "stopping, the best is kept"),
    (train_run.on_discard, "discard", "stopping, nothing is kept"),
])  # fmt: skip
def test_a_stop_is_asked_of_the_shown_run_and_said_at_once(studio, ada, project, handler, wish, said):
    with going(studio, project) as folder:
        seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
        shown = handler(studio, ada, project, "", "", seen)

        assert runs.asked_to_stop(folder) == wish
    assert said in shown[LIVE]
    assert shown[KEEP]["interactive"] is False
    assert shown[DISCARD]["interactive"] is (wish == "keep")
    assert shown[SURE]["visible"] is False


def test_a_second_start_is_refused_with_a_sentence(studio, ada, project):
    write_many(studio, ada, project, 10)
    with going(studio, project), pytest.raises(Busy, match="is using this machine"):
        train_run.on_start(studio, ada, project, {}, (), "standard", 1.0, *EMPTY)


def test_a_start_beside_a_run_that_the_page_shows_waits_for_its_turn(studio, ada, project):
    write_many(studio, ada, project, 10)
    with going(studio, project):
        seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
        shown = train_run.on_start(studio, ada, project, seen, (), "gentle", 0.5, *EMPTY)

        assert "waits for its turn" in shown[HISTORY]
        (waiting,) = training.queue(studio)
        opened = train_run.on_press(studio, ada, project, "", "", pressed("open", waiting.folder))
        assert "begins by itself" in opened[LIVE]
        train_run.on_press(studio, ada, project, "", "", pressed("up", waiting.folder))
        train_run.on_press(studio, ada, project, "", "", pressed("delete", waiting.folder))
        assert training.queue(studio) == []


def test_a_set_or_a_base_that_changed_after_the_plan_was_made_is_told_by_the_run(studio, ada, project):
    write_many(studio, ada, project, 10)
    counted = train_plan.on_plan(studio, ada, project, "standard", 1.0, *EMPTY)[COUNTED]
    with going(studio, project):
        seen = train_run.on_show(studio, ada, project, "", "")[SEEN]
        train_run.on_start(studio, ada, project, seen, counted, "standard", 1.0, *EMPTY)
        write_many(studio, ada, project, 3)
        models.choose(studio, ada, project, "other/model")
        train_run.on_start(studio, ada, project, seen, counted, "standard", 1.0, *EMPTY)
    first, second = (show_run.live(each) for each in training.queue(studio))

    assert "was changed" not in first
    now = planning.plan(studio, project)  # which of the thirteen are held out is chance
    learned = f"it learns from {now.learned} conversations and holds out {now.held_out}."
    assert f"The set was changed after its plan was made: {learned}" in second
    assert "The base model was changed after its plan was made: it trains other/model." in second


def test_repeating_a_run_fills_in_what_it_was_started_with(studio, ada, project):
    recipe = asdict(preset("gentle", 100, rank=8, general=0.5))
    folder = finished(studio, project, preset="gentle", recipe=recipe)
    fields = train_run.on_repeat(studio, ada, {"run": folder.name})

    assert fields[:2] == ["gentle", 0.5]
    typed = dict(zip(train_plan.NAMES, fields[2:], strict=True))
    assert (typed["rank"], typed["learning_rate"], typed["quantization"]) == ("8", "", "auto")
    again = train_plan.changes(fields[1], tuple(fields[2:]))
    assert asdict(preset("gentle", 3, **again)) == recipe


def test_a_note_is_kept_shown_in_the_list_and_not_wiped_out_by_news(studio, ada, project):
    with going(studio, project) as folder:
        shown = train_run.on_show(studio, ada, project, "", "")
        train_run.on_note(studio, ada, shown[SEEN], " Too <b>stiff</b>. ")
        finish(folder)
    told = train_run.on_tick(studio, ada, project, "", "", shown[SEEN])

    assert "Too &lt;b&gt;stiff&lt;/b&gt;." in told[HISTORY]
    assert told[NOTE] == gr.skip()
    assert train_run.on_show(studio, ada, project, "", "")[NOTE] == "Too <b>stiff</b>."


def test_two_runs_differ_in_settings_and_conversations(studio, ada, project):
    one = finished(studio, project, recipe=asdict(preset("gentle", 100)))
    two = finished(studio, project)
    rows = [json.loads(line) for line in (two / "held_out.jsonl").open()]
    rows[0]["messages"][1]["content"] = "There."
    rows[1]["id"] = "other"
    (two / "held_out.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    shown = train_run.on_show(studio, ada, project, "", "")
    assert shown[OTHER]["choices"] == [("Run 1 (standard, −35 %)", one.name)]
    told = train_run.on_other(studio, ada, shown[SEEN], one.name)

    assert "Learning rate" in told
    assert "0.0001" in told
    assert "3 conversations the same in both" in told
    assert "1 conversation added" in told
    assert "1 conversation changed" in told
    assert "1 conversation removed" in told
    assert "Where is 0?" in told
    assert "Held-out loss of both runs" in told


def test_the_curve_of_a_run_that_is_over_can_be_saved(studio, ada, project):
    finished(studio, project)
    link = re.search(r'base64,([^"]+)"', train_run.on_show(studio, ada, project, "", "")[LIVE])

    table = base64.b64decode(link[1]).decode().splitlines()
    assert table[0] == "update,learned_loss,held_out_loss,general_loss"
    assert table[1].startswith("0,,3.6")


def test_settings_are_kept_as_a_file_and_taken_again(studio, ada, project):
    fields = dict.fromkeys(train_plan.NAMES, "") | {
        "rank": "8",
        "learning_rate": "0.0001",
        "quantization": "auto",
    }
    kept, _ = train_recipes.on_keep(studio, ada, "Short and dry", "gentle", 0.5, *fields.values())
    assert kept["choices"] == ["Short and dry"]
    file = studio.home.recipes / "Short and dry.json"
    assert json.loads(file.read_text()) == {
        "preset": "gentle", "general": 0.5, "rank": 8, "learning_rate": 0.0001, "quantization": "auto"
    }  # fmt: skip

    assert train_recipes.on_use(studio, ada, "Short and dry") == ["gentle", 0.5, *fields.values()]
    file.write_text('{"preset": "gentle", "rank": "many"}')
    with pytest.raises(BadRecipe, match="rank"):
        train_recipes.on_use(studio, ada, "Short and dry")


@pytest.mark.parametrize("name", ["", "../escape", "a/b", ".hidden", "x" * 61])
def test_a_recipe_needs_a_name_that_is_a_file_name(studio, ada, project, name):
    with pytest.raises(BadInput, match="name"):
        train_recipes.on_keep(studio, ada, name, "gentle", 0.5, *EMPTY)


def test_a_run_in_a_list_is_named_with_its_preset_and_its_change(studio, project):
    run = run_history.run(studio, finished(studio, project).name)

    assert show_run.label(run) == "Run 1 (standard, −35 %)"
    named = replace(run, spec={**run.spec, "name": "Calm voice"})
    assert show_run.label(named) == "Run 1, Calm voice (standard, −35 %)"


@pytest.mark.parametrize(("after", "words", "kind"), [
    (1.505, "nothing forgotten", "note "),
    (1.53, "a little forgotten", "warn"),
    (1.7, "general knowledge has suffered", "bad"),
])  # fmt: skip
def test_what_became_of_general_knowledge_is_said_with_both_numbers(studio, project, after, words, kind):
    folder = freeze(studio, project)
    say(folder, planned(), evaluated(0, 3.6, 1.5), evaluated(10, 2.5, after))
    said = show_run.general(course(run_history.run(studio, folder.name)))

    assert f"1.50 to {after:.2f}" in said
    assert words in said
    assert kind in said


def test_a_run_tells_from_which_data_and_base_it_was_made(studio, project):
    folder = freeze(studio, project, base_revision="c978741b0b0d83a3", versions={"torch": "2.13.0"})
    run = run_history.run(studio, folder.name)

    said = show_run.lineage(run)

    data = hashlib.sha256((folder / "held_out.jsonl").read_bytes()).hexdigest()
    assert said.startswith(f"Run {run.id}, started by Ada: held out 5 conversations ({data[:8]}).")
    assert said.endswith("Base model starter (c978741b). Under torch 2.13.0.")


def test_the_events_are_there_as_text_the_newest_last(studio, project):
    folder = finished(studio, project)
    said = show_run.events(run_history.run(studio, folder.name))

    assert said.index("planned") < said.index("stepped") < said.rindex("evaluated")
