"""What the page says when a base, a project or an event is refused: a sentence, and never silence."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from moves import go_to, unfold
from playwright.sync_api import expect

from studio.core.records import Change, Message
from studio.engine import rehearsal
from studio.store.schema import projects
from studio.work import models, writing
from studio.work.studio import opened, owner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_base_that_is_gone_is_said_and_all_is_well_again_when_it_is_back(page, shared, project, tmp_path):
    folder = rehearsal.make(tmp_path / "mine")
    studio = opened(shared.home)
    id = project.rpartition("=")[2]
    models.choose(studio, owner(), id, str(folder))
    for number in range(3):
        talk = (Message("user", f"Where is {number}?"), Message("assistant", "Here."))
        writing.save(studio, owner(), Change(f"gone{number}", id, "", 0, talk))
    folder.rename(tmp_path / "away")

    page.goto(project)
    expect(page.locator("#state .tag")).to_have_text("cannot be used")
    expect(page.locator("#state .lost")).to_have_count(0)
    go_to(page, "Train")
    expect(page.locator("#train-said")).to_contain_text("mine is not there: it was moved, renamed or deleted")
    expect(page.locator("#train-figures")).to_have_text("There is no plan yet.")
    expect(page.locator("#train-start")).to_be_disabled()
    expect(page.locator("#train-get")).to_be_hidden()

    (tmp_path / "away").rename(folder)
    expect(page.locator("#train-figures")).to_contain_text("conversations to learn")
    expect(page.locator("#train-start")).to_be_enabled()
    expect(page.locator("#train-need")).to_be_hidden()
    studio.database.close()


def test_a_project_that_is_gone_is_said_and_not_that_the_studio_does_not_answer(page, shared, project):
    """As when the database is put back from a time before it."""
    page.goto(project)
    expect(page.locator("#state .device")).to_be_visible()
    studio = opened(shared.home)
    with studio.database.writing() as db:
        db.execute(projects.delete().where(projects.c.id == project.rpartition("=")[2]))
    studio.database.close()

    expect(page.locator("#state .lost")).to_have_text("This project is not there. Choose one from the list.")


def test_what_an_event_outside_the_queue_is_refused_with_is_said_and_can_be_put_away(page, project):
    """Gradio itself says nothing then."""
    page.goto(project)
    expect(page.locator("#state .device")).to_be_visible()
    go_to(page, "Train")
    unfold(page, "Advanced settings")
    page.locator("#train-recipe-name input, #train-recipe-name textarea").fill(
        "<img src=x onerror='window.bad=1'>/"
    )
    page.locator("#train-recipe-keep").click()
    said = page.locator(".refused")
    expect(said).to_contain_text("This can't be used")
    expect(said).to_contain_text("Give the recipe a name of up to 60 letters")
    assert [each["id"] for each in Axe().run(page).response["violations"]] == []

    page.locator("#train-recipe-keep").click()
    expect(said).to_have_count(1)
    said.get_by_label("Close").click()
    expect(said).to_have_count(0)
    assert page.evaluate("window.bad") is None


# As on a busy machine: the page's clock looks once more between the click's own look and its reading.
SLOW = """() => {
  const quick = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await quick(...asked);
    if (String(asked[0]).includes("/run/")) await new Promise(done => setTimeout(done, 1200));
    return answer;
  };
}"""


def test_a_base_without_a_chat_template_is_explained_and_answers_under_the_plain_one(
    page, shared, project, tmp_path
):
    folder = rehearsal.make(tmp_path / "bare")
    settings = folder / "tokenizer_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "chat_template": None}))
    studio = opened(shared.home)
    models.choose(studio, owner(), project.rpartition("=")[2], str(folder))
    studio.database.close()

    page.goto(project)
    go_to(page, "Train")
    expect(page.locator("#train-need-said h2")).to_have_text("bare was not made for conversations")
    expect(page.locator("#train-start")).to_be_disabled()
    go_to(page, "Prompt")
    expect(page.locator("#prompt-need-said")).to_contain_text("It has no chat template")
    page.evaluate(SLOW)
    page.locator("#prompt-get").click()
    expect(page.locator("#prompt-rest")).to_be_visible()
    expect(page.locator("#prompt-need")).to_be_hidden()
    page.locator("#prompt-message textarea").fill("Where is parcel 3?")
    page.locator("#prompt-send").click()
    expect(page.locator("#prompt-pane .pace")).to_have_text(re.compile(r"[1-9]\d* tokens? in"))
    page.locator("#prompt-chosen summary").first.click()
    expect(page.locator("#prompt-chosen .seen > .xray")).to_contain_text("User:")
    expect(page.locator("#state .tag, #state")).to_contain_text(["bare, plain template"])
