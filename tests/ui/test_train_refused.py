"""What the page says when a base is gone, a plan is not what it was, or a disk refuses: a sentence, and never silence."""

import errno

import gradio as gr
import pytest
from made import write_many

from studio.core.errors import ModelNotReady, TemplateNotSplittable
from studio.ui import check, need, strip, train_plan, wire

FIGURES, HELP, SAID, LEFT_OUT, BASE, START, MEASURE, HINDERED, COUNTED = range(9)
EMPTY = [""] * (len(train_plan.NAMES) - 1) + ["auto"]
GONE = "The base model's folder /models/<mine> is not there. Put it back, or choose another base model."


@pytest.fixture
def gone(engine, monkeypatch):
    def base(id):
        raise ModelNotReady(GONE)

    monkeypatch.setattr(engine, "base", base)


def plan(studio, person, project, *typed):
    return train_plan.on_plan(studio, person, project, "standard", 1.0, *typed, *EMPTY[len(typed) :])


def test_a_base_that_is_gone_is_said_on_every_tab_and_cannot_be_fetched(studio, ada, project, gone):
    write_many(studio, ada, project, 5)
    place, said, button, watch, met = need.on_watch(studio, ada, project)

    assert (place["visible"], button["visible"], watch["active"], met["here"]) == (True, False, True, False)
    assert "The base model cannot be used" in said
    assert "/models/&lt;mine&gt; is not there" in said
    assert strip.on_state(studio, ada, {"project": project})["model"] == {
        "name": "starter",
        "note": "cannot be used",
    }
    assert ">5</b><span>conversations<" in check.on_open(studio, ada, project)[0]


def test_without_a_plan_the_page_says_so_and_does_not_count_on_for_ever(
    studio, ada, project, engine, monkeypatch
):
    write_many(studio, ada, project, 5)

    def refused(id, conversations):
        raise TemplateNotSplittable("This template cannot be split. Choose another base model.")

    monkeypatch.setattr(engine, "sizes", refused)
    said = plan(studio, ada, project)

    assert said[FIGURES] == train_plan.NO_PLAN
    assert "This template cannot be split" in said[SAID]
    assert said[START]["interactive"] is False
    assert "This template cannot be split" in said[HINDERED]
    assert "This template cannot be split" in check.on_open(studio, ada, project)[0]
    # Who types a number passes through some that are none: there the plan stays.
    assert plan(studio, ada, project, "0.")[FIGURES] == gr.skip()


def test_a_disk_that_refuses_is_a_sentence_in_every_handler(caplog):
    def fails(studio, person):
        raise PermissionError(errno.EACCES, "Permission denied", "/home/ada/<runs>")

    with pytest.raises(gr.Error) as shown:
        wire.bind(None, fails)(None)

    assert (
        "/home/ada/&lt;runs&gt; cannot be read or written (Permission denied). Check who owns it"
        in shown.value.message
    )
    assert "unforeseen" not in caplog.text
