"""The verdict on a run in the real page: what is missing is measured by one button, on the rehearsal model."""

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from moves import go_to
from playwright.sync_api import expect
from served import Served

from studio.core.judging import Round, Shown
from studio.core.records import Change, Message
from studio.store import rounds, runs
from studio.work import models, planning, training, writing
from studio.work.studio import opened, owner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    studio = opened(tmp_path_factory.mktemp("verdict") / "home")
    project = writing.project(studio, "default")
    models.choose(studio, owner(), project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    number = 0
    while len(planning.sides(studio, project.id).held_out) < 3:
        talk = (Message("user", f"Parcel {number}?"), Message("assistant", f"On boat {number}."))
        writing.save(studio, owner(), Change(f"r{number}", project.id, "", 0, talk))
        number += 1
    training.start(studio, owner(), project.id, "gentle", updates=2, general=0.0)
    for n in range(6):
        vote(studio, project.id, n)
    while not runs.load(studio.home, "1").card:
        time.sleep(0.1)
    studio.jobs.close()
    studio.database.close()
    server = Served(studio.home.root)
    yield server.start()
    server.end()


def vote(studio, project, n):
    sides = (Shown("base", "Here.", "one"), Shown("run:1", "There.", "two"))
    asked = (Message("user", "Where?"),)
    with studio.database.writing() as db:
        rounds.add(db, Round(f"v{n}", project, "Ada", "rehearsal", f"q{n}", asked, *sides, f"{n}"))
        rounds.decide(db, f"v{n}", "right" if n else "left", (), f"{n}")


def test_from_what_is_missing_to_what_was_measured(page, served):
    page.goto(served.url)
    go_to(page, "Compare")
    card = page.locator("#verdict")
    expect(card.locator(".verdict")).to_contain_text("not yet known")
    expect(card.locator("svg.votes.wide")).to_have_attribute("aria-label", re.compile("After 6 clear votes the run is preferred in 83 %"))  # fmt: skip
    expect(card).to_contain_text("Preferred over the base")
    expect(page.locator("#judge .standing")).to_contain_text("5 for, 1 against, 0 tied, 0 both bad; equally good models would be parted so far in 22 % of cases")  # fmt: skip

    card.get_by_role("button", name="Measure what is missing").click()
    expect(card.get_by_role("cell", name=re.compile("Right answers to .* general questions"))).to_be_visible(timeout=60_000)  # fmt: skip
    expect(card.get_by_role("button", name="Measure what is missing")).to_be_hidden()
    card.get_by_text("Why: side effects").click()
    expect(card).to_contain_text("General text surprises it")

    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_verdict_is_read_anew_when_a_sitting_ends(page, served):
    page.goto(served.url)
    go_to(page, "Compare")
    drawn = page.locator("#verdict svg.votes.wide")
    expect(drawn).to_have_attribute("aria-label", re.compile("After 6 clear votes"))
    page.get_by_role("button", name="Start judging").click()
    expect(page.locator("#judge .vote button")).to_have_count(4)
    studio = opened(served.home)
    vote(studio, writing.project(studio, "default").id, 6)
    studio.database.close()

    page.get_by_role("button", name="Stop judging").click()
    expect(drawn).to_have_attribute("aria-label", re.compile("After 7 clear votes"))
