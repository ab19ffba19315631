"""Writing in the real page: what is typed is kept, told truthfully, and shown as text."""

import json
import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
WAIT = 30_000  # milliseconds; a busy machine is slow, and nothing here is about speed
HOSTILE = (
    "<script>window.bad=1</script><img src=x onerror='window.bad=2'> **bold** [x](javascript:alert(1)) {{x}} ${window.bad=3}\n"
    "\tשלום مرحبا \u202eabc 👩‍👩‍👧 \u2028 "
    + "x" * 5000
    + "\n"
    + "\n".join(f"line {n}" for n in range(200))
    + "\n  "
)


@pytest.fixture(autouse=True)
def patient(page):
    page.set_default_timeout(WAIT)
    expect.set_options(timeout=WAIT)


@pytest.fixture
def studio(served, tmp_path):
    return served(tmp_path / "home")


def opened(page, studio):
    page.goto(studio.url)
    return page.locator("#editor")


def begun(page, studio):
    """An empty studio's page with the first conversation begun."""
    editor = opened(page, studio)
    page.locator("#begin").click()
    expect(editor.locator("h2")).to_have_text("New conversation")
    expect(editor.get_by_label("user says")).to_be_focused()
    return editor


def saved(editor):
    expect(editor.locator(".saved")).to_have_text(re.compile(r"^Saved \d\d:\d\d:\d\d$"))


def test_a_first_conversation_of_any_text_is_written_saved_and_read_back(page, studio):
    editor = begun(page, studio)
    page.keyboard.type("Where is my parcel?")
    saved(editor)
    expect(page.locator("#first")).to_have_count(0)

    editor.get_by_label("assistant says").fill(HOSTILE)
    editor.get_by_role("button", name="Add turn").click()
    page.keyboard.type("Thanks.")
    editor.get_by_role("button", name="learned").click()
    page.keyboard.press("Control+s")
    saved(editor)
    expect(page.locator("#list .rows button")).to_have_count(1)
    page.reload()

    expect(editor.locator("h2")).to_have_text("Conversation 0001")
    assert [each.input_value() for each in editor.locator("textarea").all()] == [
        "Where is my parcel?",
        HOSTILE,
        "Thanks.",
    ]
    expect(editor.get_by_role("button", name="not learned")).to_be_visible()
    assert page.evaluate("window.bad") is None
    with page.expect_download() as download:
        page.locator("#export-jsonl").click()
    messages = json.loads(download.value.path().read_text("utf-8"))["messages"]
    assert messages[1] == {"role": "assistant", "content": HOSTILE, "weight": 0}


def test_nothing_typed_is_lost_when_the_server_is_killed_and_saved_is_only_said_when_it_is_true(page, studio):
    editor = begun(page, studio)
    page.keyboard.type("kept")
    saved(editor)

    studio.kill()
    editor.get_by_label("assistant says").fill("typed while it was dead")
    expect(editor.locator(".saved")).to_contain_text("Not saved, retrying")
    page.goto("about:blank")  # closed, and opened again when it is back
    studio.start()
    editor = opened(page, studio)

    expect(editor.locator(".notes")).to_contain_text("put back")
    expect(editor.get_by_label("assistant says")).to_have_value("typed while it was dead")
    page.goto("about:blank")
    studio.kill()
    studio.start()
    editor = opened(page, studio)
    expect(editor.get_by_label("assistant says")).to_have_value("typed while it was dead")
    assert (
        page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('studio.draft')).length") == 0
    )


def test_of_two_windows_on_one_conversation_the_second_keeps_both_texts(page, studio):
    editor = begun(page, studio)
    page.keyboard.type("one")
    saved(editor)
    second = page.context.new_page()
    other = opened(second, studio)
    expect(other.get_by_label("user says")).to_have_value("one")

    other.get_by_label("user says").fill("theirs")
    saved(other)
    editor.get_by_label("user says").fill("mine")
    expect(editor.locator(".notes")).to_contain_text("in another window")
    editor.get_by_role("button", name="Open the newest").click()

    expect(editor.get_by_label("user says")).to_have_value("theirs")
    expect(editor.locator(".notes")).to_contain_text("user: mine")
    editor.get_by_role("button", name="Put my text in its place").click()
    saved(editor)
    expect(editor.get_by_label("user says")).to_have_value("mine")


def test_a_file_is_looked_at_then_imported_and_the_keys_lead_through_it(page, studio, tmp_path):
    rows = [
        [{"role": "user", "content": f"question {n}"}, {"role": "assistant", "content": f"answer {n}"}]
        for n in range(60)
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps({"messages": each}) for each in rows) + "\n{broken\n")
    editor = opened(page, studio)

    with page.expect_file_chooser() as chooser:
        page.locator("#import-first").click()
    chooser.value.set_files(file)
    expect(page.locator("#preview")).to_contain_text(
        "61 rows. 60 good rows to import, 1 that cannot be used."
    )
    page.locator("#import-take").click()
    expect(page.locator("#list .range")).to_have_text("1–50 of 60")
    expect(page.locator("#preview")).to_have_count(0)
    expect(editor.locator("h2")).to_have_text("Conversation 0060")

    page.keyboard.press("j")
    expect(editor.locator("h2")).to_have_text("Conversation 0059")
    page.keyboard.press("a")
    saved(editor)
    expect(page.locator("#list button.on .state.approved")).to_be_visible()
    editor.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#list .range")).to_have_text("1–50 of 59")
    editor.get_by_role("button", name="Undo").click()
    expect(page.locator("#list .range")).to_have_text("1–50 of 60")
    editor.get_by_label("user says").focus()
    page.keyboard.press("Control+Enter")
    expect(editor.locator("h2")).to_have_text("Conversation 0058")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("answer 7")
    expect(page.locator("#list .range")).to_have_text("1–1 of 1")


def test_there_is_no_serious_finding_of_axe_and_no_sideways_scrolling(page, studio):
    from axe_playwright_python.sync_playwright import Axe

    editor = begun(page, studio)
    page.keyboard.type("Where is my parcel?")
    saved(editor)
    for width, height, scheme in ((1280, 800, "light"), (390, 844, "dark")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.reload()
        expect(editor.locator("h2")).to_have_text("Conversation 0001")
        found = Axe().run(page).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
