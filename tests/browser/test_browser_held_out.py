"""Run on held-out in the real page, on the rehearsal model: two windows, a killed server, hostile text, a narrow page."""

import re
import uuid

import pytest
from axe_playwright_python.sync_playwright import Axe
from moves import go_to, unfold
from playwright.sync_api import expect
from served import Served

from studio.core.records import Change, Message
from studio.work import models, writing
from studio.work.studio import opened, owner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
HOSTILE = "<img src=x onerror='window.bad=1'> ${window.bad=2} {{x}} </p><script>window.bad=3</script>"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    studio = opened(tmp_path_factory.mktemp("held_out") / "home")
    project = writing.project(studio, "default")
    models.choose(studio, owner(), project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    for number in range(120):
        talk = (
            Message("user", f"Where is parcel {number}? {HOSTILE}"),
            Message("assistant", f"On boat {number}. {HOSTILE}"),
        )
        writing.save(studio, owner(), Change(uuid.uuid4().hex, project.id, "", 0, talk))
    studio.database.close()
    server = Served(studio.home.root)
    yield server.start()
    server.end()


def test_it_goes_on_after_the_server_was_killed_and_two_windows_read_the_same(page, served):
    page.goto(served.url)
    go_to(page, "Prompt")
    expect(page.locator("#held-out-live")).to_contain_text("Nothing was run yet")
    page.locator("#prompt-system textarea").fill("Be brief.")
    page.locator("#prompt-name input, #prompt-name textarea").fill("brief")
    page.locator("#prompt-keep").click()
    expect(page.locator("#prompt-used")).to_contain_text("Kept as “brief”")
    page.locator("#held-out-limit input").fill("5")
    page.locator("#held-out-run").click()
    expect(page.locator("#held-out-live")).to_contain_text(
        re.compile(r"[1-9]\d* of \d+ answers and measurements")
    )
    served.kill()
    served.start()

    other = page.context.new_page()
    other.goto(served.url)
    go_to(other, "Prompt")
    expect(other.locator("#held-out-live")).to_contain_text("are kept")
    other.locator("#held-out-go-on").click()
    for window in (page, other):
        expect(window.locator("#held-out-result .verdict")).to_contain_text(re.compile(r"\.$"))
        expect(window.locator("#held-out-answers .asked > li")).to_have_count(5)
    # Gradio loads a page anew whose event was cut off by the kill; then nothing is chosen in it any more.
    page.locator("#prompt-kept input").click()
    page.get_by_role("option", name="brief").click()
    unfold(page, "Versions")
    expect(page.locator("#prompt-listed tbody")).to_contain_text("5 questions")
    assert (
        page.locator("#held-out-result table").inner_text()
        == other.locator("#held-out-result table").inner_text()
    )

    read_on(other)
    assert other.evaluate("window.bad") is None
    assert violations(other) == []
    other.set_viewport_size({"width": 390, "height": 844})
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    into_compare(other)


def read_on(page):
    """Another order of the answers."""
    before = numbers(page)
    page.locator("#held-out-order input").click()
    page.get_by_role("option", name="By number").click()
    expect(page.locator("#held-out-answers h3 .num")).to_have_text(sorted(before))


def into_compare(page):
    """A row's answers, and the question once more."""
    box = page.locator("#held-out-limit").bounding_box()
    assert box["x"] + box["width"] <= 390
    row = page.locator("#held-out-answers .asked > li", has=page.locator("[data-fold]")).first
    row.locator("[data-fold]").click()
    expect(row).to_have_class("whole")
    question = row.locator("h3 .said").inner_text()
    row.locator("[data-press=compare]").click()
    expect(page.locator("#compare-right-prompt input")).to_have_value("brief, version 1")
    for side in ("left", "right"):
        expect(page.locator(f"#compare-{side}-pane .you")).to_contain_text(question)
    assert violations(page) == []
    page.locator("#compare-last").click()
    expect(page.locator("#compare-message textarea")).to_have_value(question)
    expect(page.locator("#compare-left-pane")).to_have_text("Nothing asked yet.")
    page.locator("#compare-send").click()
    expect(page.locator("#compare-right-pane .pace")).to_have_text(re.compile(r"[1-9]\d* tokens? in"))
    assert page.evaluate("window.bad") is None


def numbers(page):
    return page.locator("#held-out-answers h3 .num").all_inner_texts()


def violations(page):
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
    ]
