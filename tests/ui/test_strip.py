"""The strip: the project that the address names, what is told of model, machine and training, and its Stop."""

from types import SimpleNamespace

import gradio as gr
import made
import pytest
from scripted import ScriptedEngine

from studio.core.errors import NotFound
from studio.store import runs
from studio.ui import strip
from studio.work import serving, writing
from studio.work.jobs import Jobs
from studio.work.studio import Studio


@pytest.fixture
def studio(home, database):
    return Studio(home, database, ScriptedEngine(), Jobs(home))


@pytest.fixture
def project(studio):
    return writing.project(studio, "Harbour").id


def address(**query):
    return SimpleNamespace(query_params=query)


def test_an_empty_studio_gets_its_first_project(studio, ada):
    chosen = strip.on_open(studio, ada, address())

    assert [each[0] for each in chosen["choices"]] == ["default", "New project …"]
    assert chosen["value"] == chosen["choices"][0][1]


def test_the_project_in_the_address_is_opened_and_an_unknown_one_is_not(studio, ada, project):
    other = writing.project(studio, "Other").id

    assert strip.on_open(studio, ada, address(project=other))["value"] == other
    assert strip.on_open(studio, ada, address(project="<unknown>"))["value"] == project


def test_a_new_project_is_made_by_its_name_and_chosen(studio, ada, project):
    assert strip.on_project(studio, ada, strip.NEW, project)[1]["visible"] is True

    chosen, name = strip.on_make(studio, ada, "  Lighthouse ")

    assert [each.name for each in writing.projects(studio)] == ["Harbour", "Lighthouse"]
    assert chosen["value"] == writing.project(studio, "Lighthouse").id
    assert name == ""


def test_another_project_begins_with_the_first_tab_but_not_the_first_that_a_page_learns(studio, ada, project):
    *_, tab, shown = strip.on_project(studio, ada, project, "")
    assert (tab, shown) == (gr.skip(), project)
    assert strip.on_project(studio, ada, project, shown)[2] == gr.skip()
    assert strip.on_project(studio, ada, "another", shown)[2:] == (gr.update(selected="write"), "another")
    assert strip.on_project(studio, ada, strip.NEW, shown)[2:] == (gr.skip(), shown)  # until it has a name


def test_it_tells_model_machine_and_that_nothing_runs(studio, ada, project):
    said = strip.on_state(studio, ada, {"project": project})

    assert said["person"] == "Ada"
    assert said["model"] == {"name": "SmolLM2-135M-Instruct", "note": ""}
    assert said["device"]["memory"] == "3.0 of 24 GB"
    assert said["job"] is None
    assert "counts" not in said


def test_the_counts_on_the_tabs_are_told_when_asked_for(studio, ada, project):
    made.write(studio, ada, project, made.talk(), made.talk(answer="[NAME] will call you."))

    said = strip.on_state(studio, ada, {"project": project, "counts": True})

    assert said["counts"] == {"write": 2, "check": 1}


def test_the_machine_is_not_asked_while_the_heavy_libraries_are_being_imported(
    studio, ada, project, monkeypatch
):
    monkeypatch.setattr(serving, "warming", lambda: True)

    assert "device" not in strip.on_state(studio, ada, {"project": project})


def test_a_running_training_is_told_with_its_share_and_can_be_stopped(studio, ada, project):
    with made.going(studio, project) as folder:
        made.say(folder, made.planned(40), made.evaluated(0, 3.6), made.stepped(10, 3.0))
        said = strip.on_state(studio, ada, {"project": project})
        strip.on_stop(studio, ada, {"project": project, "run": said["job"]["run"]})

        assert said["job"]["name"] == "Run 1"
        assert said["job"]["share"] == 0.25
        assert said["job"]["text"].startswith("25 %")
        assert "waiting" not in said["job"]["text"]
        assert runs.asked_to_stop(folder) == "keep"

        made.freeze(studio, project, place=runs.next_place(studio.home))
        assert strip.on_state(studio, ada, {"project": project})["job"]["text"].endswith(", 1 waiting")


def test_an_unknown_project_is_refused(studio, ada):
    with pytest.raises(NotFound):
        strip.on_state(studio, ada, {"project": "nowhere"})


def test_a_model_on_its_way_into_memory_says_how_far_it_is(studio, ada, project):
    engine = studio.engine
    engine.coming = ("SmolLM2-135M-Instruct", 0.43)
    coming = strip.on_state(studio, ada, {"project": project})["model"]
    engine.coming = None

    assert coming == {"name": "Loading SmolLM2-135M-Instruct", "note": "", "share": 0.43}
    assert "share" not in strip.on_state(studio, ada, {"project": project})["model"]
