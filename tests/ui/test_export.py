"""The Export tab: a run's result and the examples, taken home."""

import json
import warnings
import zipfile
from pathlib import Path

import gradio as gr
import pytest
from made import built, finished, freeze, talk, write, write_many

from studio.core.errors import BadInput, Busy, NotFound
from studio.core.records import Message
from studio.ui import export

WATCH, NONE, REST, RUN, SAID, ZIPPED, LINES_SAID, FILE = range(8)


def test_the_tab_is_wired_without_a_warning(studio):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert built(export, studio).label == "Export"


def test_without_a_run_the_tab_says_where_one_comes_from(studio, ada, project):
    freeze(studio, project)
    shown = export.on_open(studio, ada, project, None)

    assert "No tuned model yet" in shown[NONE]["value"]
    assert (shown[NONE]["visible"], shown[REST]["visible"]) == (True, False)
    assert len(shown) == FILE + 1


def test_a_tab_that_is_opened_before_the_page_knows_its_project_looks_again(studio, ada, project):
    early, later = (export.on_open(studio, ada, each, None) for each in (None, project))

    assert early[WATCH]["active"] is True
    assert later[WATCH]["active"] is False
    assert len(early) == len(later)


def test_the_newest_run_is_chosen_unless_a_person_chose_another(studio, ada, project):
    finished(studio, project)
    finished(studio, project)

    assert export.on_open(studio, ada, project, None)[RUN]["value"] == "2"
    assert export.on_open(studio, ada, project, "1")[RUN]["value"] == "1"
    assert export.on_open(studio, ada, project, "77")[RUN]["value"] == "2"


def test_an_adapter_is_written_listed_with_sizes_and_zipped_in_the_private_folder(studio, ada, project):
    run = finished(studio, project)
    (said, button), (proved, kept) = export.on_export(studio, ada, run.name, "adapter")
    folder, zipped = studio.home.exports / "run-1-adapter", Path(button["value"])

    assert str(folder) in said
    assert "adapter_model.safetensors" in said
    assert "7 bytes" in said
    assert "Loading it again" in said
    assert "asked 3 held-out questions: every answer is the studio&#x27;s, word for word" in proved
    assert kept == gr.skip()
    assert zipped.is_relative_to(studio.home.temporary)
    with zipfile.ZipFile(zipped) as archive:
        assert (
            archive.read("run-1-adapter/adapter_model.safetensors")
            == (folder / "adapter_model.safetensors").read_bytes()
        )


def test_a_merged_model_is_written_not_zipped_and_asked_what_the_studio_was_asked(
    studio, ada, project, engine
):
    run = finished(studio, project)
    engine.script = ["one", "two", "three blue boats", "one", "two", "three red boats"]
    (said, button), (proved, _) = export.on_export(studio, ada, run.name, "merged")

    assert "model.safetensors" in said
    assert button["visible"] is False
    assert "2 of 3 answers are the studio&#x27;s" in proved
    assert "78 % of the words come before the first that differs" in proved
    assert "rounds the adapter" in proved
    ours, theirs = engine.asked
    assert [each.adapter for each in ours] == [run / "adapter"] * 3
    assert [each.adapter for each in theirs] == [None] * 3
    assert [each.messages for each in ours] == [(Message("user", f"Where is {n}?"),) for n in range(3)]
    assert (studio.home.exports / "run-1-merged" / "model.safetensors").is_file()


@pytest.mark.parametrize(("run", "format", "error"), [
    (None, "adapter", BadInput), ("1", "gguf", BadInput), ("99", "adapter", NotFound), ("../x", "adapter", NotFound), ("2", "adapter", NotFound),
])  # fmt: skip
def test_what_cannot_be_exported_is_refused(studio, ada, project, run, format, error):
    finished(studio, project)
    freeze(studio, project)
    with pytest.raises(error):
        next(export.on_export(studio, ada, run, format))


def test_an_export_that_cannot_be_asked_now_is_there_all_the_same(studio, ada, project, engine):
    run = finished(studio, project)
    engine.failure = Busy("Another question is being answered.")
    *_, (said, _) = export.on_export(studio, ada, run.name, "adapter")

    assert "adapter_model.safetensors" in said
    assert "was not loaded again to ask it: Another question is being answered." in said


def test_the_examples_come_as_one_line_each_named_after_the_project(studio, ada, project):
    write(studio, ada, project, talk("  Where?\n", "Here — “there”."), talk("When?", "Now."))
    said, button = export.on_lines(studio, ada, project, "")
    path = Path(button["value"])
    rows = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]

    assert path.name == "Harbour.jsonl"
    assert path.is_relative_to(studio.home.temporary)
    assert rows[0]["messages"][0]["content"] == "  Where?\n"
    assert len(rows) == 2
    assert "2 conversations" in said


def test_only_the_chosen_status_is_taken_and_an_empty_choice_is_said(studio, ada, project):
    write_many(studio, ada, project, 2)
    with pytest.raises(BadInput, match="No conversation is in this choice"):
        export.on_lines(studio, ada, project, "approved")


@pytest.mark.parametrize(
    ("project", "file"),
    [
        ("Harbour support", "Harbour-support.jsonl"),
        ("../../etc/x", "etc-x.jsonl"),
        ("…", "examples.jsonl"),
        ("Größe", "Größe.jsonl"),
    ],
)
def test_a_projects_name_becomes_a_harmless_file_name(project, file):
    assert export.file_name(project) == file


def test_a_finished_export_can_be_made_again(studio, ada, project):
    run = finished(studio, project)
    next(export.on_export(studio, ada, run.name, "adapter"))
    said, _ = next(export.on_export(studio, ada, run.name, "adapter"))

    assert "run-1-adapter" in said


def test_messages_without_an_answer_are_exported_too(studio, ada, project):
    write(studio, ada, project, (Message("user", "Draft"),))

    assert "1 conversation," in export.on_lines(studio, ada, project, "")[0]
