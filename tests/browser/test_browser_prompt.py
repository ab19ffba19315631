"""Prompts in the real page: kept in versions, with pinned examples, used, compared and taken home."""

import json
import re
import uuid

import pytest
from axe_playwright_python.sync_playwright import Axe
from moves import go_to, unfold
from playwright.sync_api import expect
from served import Served

from studio.core.records import Change, Message
from studio.work import models, planning, writing
from studio.work.studio import opened, owner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
HOSTILE = "<img src=x onerror='window.bad=1'> ${window.bad=2} {{x}}"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A studio with the rehearsal model and thirty examples; `learned` and `apart` are numbers of either side."""
    studio = opened(tmp_path_factory.mktemp("prompts") / "home")
    project = writing.project(studio, "default").id
    models.choose(studio, owner(), project, "rehearsal")
    models.ensure(studio, project, lambda done, total: None)
    for number in range(30):
        messages = (
            Message("user", f"Where is parcel {number}? {HOSTILE}"),
            Message("assistant", "Ahoy! At sea."),
        )
        writing.save(studio, owner(), Change(uuid.uuid4().hex, project, "", 0, messages))
    sides = planning.sides(studio, project)
    studio.database.close()
    server = Served(studio.home.root)
    server.learned, server.apart = (
        [each.number for each in side] for side in (sides.learned, sides.held_out)
    )
    yield server.start()
    server.end()


def fill(page, name, value):
    page.locator(f"#prompt-{name}").locator("input, textarea").fill(value)


def pin(page, number):
    fill(page, "pins", str(number))
    page.locator("#prompt-pins").get_by_role("button", name=f"Always show conversation {number:04}").click()


def test_a_prompt_is_kept_in_versions_used_and_found_again(page, served):
    page.goto(served.url)
    go_to(page, "Prompt")
    fill(page, "name", "calm")
    page.locator(
        "#prompt-keep"
    ).click()  # outside of Gradio's queue, whose own messages do not come from there
    refused = page.locator(".refused")
    expect(refused).to_contain_text("The system text is empty. Write what the model should be told")
    page.locator("#prompt-keep").click()
    expect(refused).to_have_count(1)
    refused.get_by_role("button", name="Close").click()
    expect(refused).to_have_count(0)
    fill(page, "system", "Be calm and kind.")
    first, second = served.learned[:2]
    pin(page, first)
    pin(page, second)
    page.get_by_role("button", name=f"Move conversation {second:04} up").click()
    fill(page, "pins", str(served.apart[0]))
    expect(page.locator("#prompt-pins ul")).to_contain_text("it is held out now")
    fill(page, "name", "calm")
    page.locator("#prompt-keep").click()
    expect(page.locator("#prompt-used")).to_contain_text("Kept as “calm”, version 1")
    fill(page, "system", f"Be calm and {HOSTILE}")
    page.locator("#prompt-keep").click()
    expect(page.locator("#prompt-used")).to_contain_text("version 2")
    page.locator("#prompt-use").click()
    expect(page.locator("#prompt-used")).to_contain_text("This project uses “calm”, version 2")

    unfold(page, "Versions")
    page.locator("#prompt-other input").click()
    page.get_by_role("option", name=re.compile("^1,")).click()
    expect(page.locator("#prompt-difference del")).to_have_text("kind")
    expect(page.locator("#prompt-difference ins").first).to_contain_text("<img")

    page.reload()
    go_to(page, "Prompt")
    expect(page.locator("#prompt-system textarea")).to_have_value(f"Be calm and {HOSTILE}")
    expect(page.locator("#prompt-pins ol .num")).to_have_text([f"{second:04}", f"{first:04}"])
    expect(page.locator("#prompt-kept input")).to_have_value("calm, in use")
    assert page.evaluate("window.bad") is None


def test_the_exact_prompt_is_seen_and_taken_home(page, served):
    page.goto(served.url)
    go_to(page, "Prompt")
    number = served.learned[0]
    fill(page, "system", "Be brief.")
    while page.locator("#prompt-pins ol button", has_text="×").count():
        page.locator("#prompt-pins ol button", has_text="×").first.click()
    pin(page, number)
    fill(page, "message", "Where is parcel 3?")
    page.locator("#prompt-look").click()
    chosen = page.locator("#prompt-chosen")
    expect(chosen.locator("tbody tr").first).to_contain_text("pinned")
    expect(chosen.locator("tbody tr")).to_have_count(3)
    chosen.locator("summary").first.click()
    expect(chosen.locator(".seen > .xray")).to_contain_text("Be brief.")
    expect(chosen.locator(".seen > .xray mark").first).to_be_visible()
    counted = int(
        re.search(r"([\d,]+) tokens", chosen.locator("summary").first.inner_text())[1].replace(",", "")
    )
    expect(chosen.locator(".chips li")).to_have_count(min(counted, 2000))

    unfold(page, "Take it home")
    with page.expect_download() as download:
        page.locator("#prompt-messages").click()
    told = json.loads(download.value.path().read_text("utf-8"))["messages"]
    assert [each["role"] for each in told] == ["system", "user", "assistant"]
    assert told[0]["content"] == "Be brief."
    found = [
        each for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")
    ]
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_style_is_drafted_and_a_prompt_compared_with_the_base(page, served):
    page.goto(served.url)
    go_to(page, "Prompt")
    fill(page, "system", "You are Harbour.")
    page.locator("#prompt-describe").click()
    expect(page.locator("#prompt-system textarea")).to_have_value(re.compile("^You are Harbour.*Begin with “Ahoy", re.DOTALL))  # fmt: skip
    before = page.locator("#prompt-system textarea").input_value()
    for deed in ("drop", "take"):
        page.locator("#prompt-write").click()
        expect(page.locator("#prompt-proposed-by")).to_contain_text(
            "Written by the model after reading examples"
        )
        assert page.locator("#prompt-system textarea").input_value() == before
        page.locator("#prompt-proposal textarea").fill("Be kind.")
        page.locator(f"#prompt-{deed}").click()
        expect(page.locator("#prompt-proposed")).to_be_hidden()
    expect(page.locator("#prompt-system textarea")).to_have_value(f"{before}\n\nBe kind.")
    fill(page, "name", "drafted")
    page.locator("#prompt-keep").click()
    expect(page.locator("#prompt-used")).to_contain_text("Kept as “drafted”")

    go_to(page, "Compare")
    page.locator("#compare-right-prompt input").click()
    page.get_by_role("option", name="drafted, version 1").click()
    page.locator("#compare-message textarea").fill("Where is parcel 3?")
    page.locator("#compare-send").click()
    for side in ("left", "right"):
        expect(page.locator(f"#compare-{side}-pane .pace")).to_have_text(re.compile(r"[1-9]\d* tokens? in"))
