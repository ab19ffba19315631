"""Writing in the real page: what is typed is kept, told truthfully, and shown as text."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from moves import begun, opened, saved
from playwright.sync_api import expect

from studio.core.records import Change, Message
from studio.work import studio, writing

pytestmark = pytest.mark.browser
HOSTILE = (
    "<script>window.bad=1</script><img src=x onerror='window.bad=2'> **bold** [x](javascript:alert(1)) {{x}} ${window.bad=3}\n"
    "\tשלום مرحبا \u202eabc 👩‍👩‍👧 \u2028 "
    + "x" * 5000
    + "\n"
    + "\n".join(f"line {n}" for n in range(200))
    + "\n  "
)


def test_a_first_conversation_of_any_text_is_written_saved_and_read_back(page, project):
    editor = begun(page, project)
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
    assert [each.input_value() for each in editor.locator(".turns textarea").all()] == [
        "Where is my parcel?",
        HOSTILE,
        "Thanks.",
    ]
    expect(editor.get_by_role("button", name="not learned")).to_be_visible()
    assert page.evaluate("window.bad") is None
    page.locator("#files .out summary").click()
    with page.expect_download() as download:
        page.locator("#export-jsonl").click()
    messages = json.loads(download.value.path().read_text("utf-8"))["messages"]
    assert messages[1] == {"role": "assistant", "content": HOSTILE, "weight": 0}


def test_nothing_typed_is_lost_when_the_server_is_killed_and_saved_is_only_said_when_it_is_true(
    page, served, tmp_path
):
    server = served(tmp_path / "home")
    editor = begun(page, server.url)
    page.keyboard.type("kept")
    saved(editor)

    server.kill()
    editor.get_by_label("assistant says").fill("typed while it was dead")
    expect(editor.locator(".saved")).to_contain_text("Not saved, retrying")
    page.goto("about:blank")  # closed, and opened again when it is back
    assert texts(server.home) == ["kept", ""]
    server.start()
    editor = opened(page, server.url)

    expect(editor.locator(".notes")).to_contain_text("put back")
    expect(editor.get_by_label("assistant says")).to_have_value("typed while it was dead")
    assert texts(server.home) == ["kept", "typed while it was dead"]
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('studio.draft'))") == []


def texts(home):
    """What the disk has of the one conversation."""
    own = studio.opened(home)
    (conversation,) = writing.all_conversations(own, writing.project(own, "default").id)
    own.database.close()
    return [each.content for each in conversation.messages]


def test_of_two_windows_on_one_conversation_the_second_keeps_both_texts(page, project):
    editor = begun(page, project)
    page.keyboard.type("one")
    saved(editor)
    second = page.context.new_page()
    other = opened(second, project)
    expect(other.get_by_label("user says")).to_have_value("one")

    other.get_by_label("user says").fill("theirs, by boat")
    other.get_by_label("assistant says").fill("Their answer.")
    saved(other)
    editor.get_by_label("user says").fill("mine, by boat")
    expect(editor.locator(".notes")).to_contain_text("in another window")
    expect(editor.locator(".clash del").first).to_have_text("theirs")
    expect(editor.locator(".clash ins").nth(1)).to_have_text("mine")
    editor.get_by_role("radiogroup", name="Turn 2, assistant").get_by_label("Theirs").check()
    editor.get_by_role("button", name="Save what is chosen").click()
    saved(editor)

    expect(editor.get_by_label("user says")).to_have_value("mine, by boat")
    expect(editor.get_by_label("assistant says")).to_have_value("Their answer.")
    expect(editor.locator(".head .version")).to_have_text(re.compile("version [34]"))
    editor.get_by_role("button", name="History").click()
    expect(editor.locator(".steps")).to_contain_text("kept aside, for somebody else had saved first")


def test_a_file_is_looked_at_then_imported_and_the_keys_lead_through_it(page, project, tmp_path):
    rows = [
        [{"role": "user", "content": f"question {n}"}, {"role": "assistant", "content": f"answer {n}"}]
        for n in range(60)
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps({"messages": each}) for each in rows) + "\n{broken\n")
    editor = opened(page, project)

    with page.expect_file_chooser() as chooser:
        page.locator("#import-first").click()
    chooser.value.set_files(file)
    expect(page.locator("#preview")).to_contain_text(
        "61 rows. 60 good rows to import, 1 that cannot be used."
    )
    page.locator("#import-take").click()
    expect(page.locator("#list .range")).to_have_text("1–50 of 60")
    expect(page.locator("#preview")).to_contain_text("60 conversations imported from rows.jsonl.")
    expect(editor.locator("h2")).to_have_text("Conversation 0060")

    page.keyboard.press("j")
    expect(editor.locator("h2")).to_have_text("Conversation 0059")
    page.keyboard.press("a")
    saved(editor)
    expect(page.locator("#list button.on .state.approved")).to_be_visible()
    editor.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#list .range")).to_have_text("1–50 of 59")
    editor.locator(".notes").get_by_role("button", name="Undo").click()
    expect(page.locator("#list .range")).to_have_text("1–50 of 60")
    editor.get_by_label("user says").focus()
    page.keyboard.press("Control+Enter")
    expect(editor.locator("h2")).to_have_text("Conversation 0058")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("answer 7")
    expect(page.locator("#list .range")).to_have_text("1–1 of 1")


def test_there_is_no_serious_finding_of_axe_and_no_sideways_scrolling(page, project):
    editor = begun(page, project)
    page.keyboard.type("Where is my parcel?")
    saved(editor)
    for width, height, scheme in ((1280, 800, "light"), (390, 844, "dark")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
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


def test_what_a_terminal_changed_meanwhile_is_shown_when_the_tab_is_opened_again(page, shared, project):
    editor = begun(page, project)
    page.keyboard.type("one")
    saved(editor)
    own = studio.opened(shared.home)
    mine = project.rsplit("=", 1)[1]
    (found,) = writing.all_conversations(own, mine)
    changed = Change(
        "r", mine, found.id, found.version, (Message("user", "two"), Message("assistant", "Yes."))
    )
    writing.save(own, studio.owner(), changed)
    own.database.close()

    page.get_by_role("tab", name="Export").click()
    page.get_by_role("tab", name="Write").click()

    expect(editor.get_by_label("user says")).to_have_value("two")
    expect(page.locator("#list .rows .q")).to_have_text("two")


def test_the_history_shows_each_change_word_by_word_and_leads_back(page, project):
    editor = begun(page, project)
    editor.get_by_label("assistant says").fill("It sails at six.")
    page.keyboard.press("Control+s")
    saved(editor)
    editor.get_by_label("assistant says").fill("It sails at <b>noon</b>.")
    page.keyboard.press("Control+s")
    expect(editor.locator(".head .version")).to_have_text("version 2")

    editor.get_by_role("button", name="History").click()
    steps = editor.locator(".steps > li")
    expect(steps).to_have_count(2)
    steps.first.get_by_role("button").first.click()
    expect(steps.first.locator("del")).to_have_text("six")
    expect(steps.first.locator("ins")).to_have_text("<b>noon</b>")
    steps.last.get_by_role("button").first.click()
    steps.last.get_by_role("button", name="Put the text of version 1 in the place of the newest").click()

    expect(editor.get_by_label("assistant says")).to_have_value("It sails at six.")
    expect(editor.locator(".head .version")).to_have_text("version 3")
    saved(editor)
    expect(editor.locator(".past")).to_be_hidden()


def test_a_duplicate_is_a_conversation_of_its_own(page, project):
    editor = begun(page, project)
    page.keyboard.type("Where is my parcel?")
    page.keyboard.press("Control+s")
    saved(editor)
    editor.get_by_role("button", name="Duplicate").click()
    expect(editor.locator("h2")).to_have_text("Conversation 0002")
    editor.get_by_label("user says").fill("Where is my other parcel?")
    page.keyboard.press("Control+s")
    saved(editor)

    expect(page.locator("#list .rows .q")).to_have_text(["Where is my other parcel?", "Where is my parcel?"])


def test_tags_and_a_note_are_kept_offered_again_and_filter_the_list(page, project):
    editor = begun(page, project)
    page.keyboard.type("Where is my parcel?")
    editor.get_by_label("Add a tag").fill("late <b>parcel</b>")
    page.keyboard.press("Enter")
    editor.get_by_label("Note for colleagues").fill("Ask Ben.")
    page.keyboard.press("Control+s")
    saved(editor)
    editor.get_by_role("button", name="Save and next").click()
    expect(editor.locator("h2")).to_have_text("New conversation")
    page.keyboard.type("Another question")
    saved(editor)
    editor.get_by_label("Add a tag").focus()
    expect(editor.locator("datalist option")).to_have_text(["late <b>parcel</b>"])

    page.locator("#list .fold").click()
    page.locator("#list .by-tag").select_option("late <b>parcel</b>")
    expect(page.locator("#list .range")).to_have_text("1–1 of 1")
    page.locator("#list .rows button").first.click()
    expect(editor.locator(".labels .tag")).to_have_text(["late <b>parcel</b>×"])
    expect(editor.get_by_label("Note for colleagues")).to_have_value("Ask Ben.")
    editor.get_by_role("button", name="Remove the tag").click()
    saved(editor)
    expect(
        page.locator("#list .none")
    ).to_be_visible()  # nothing has the tag any more, and it is said that it is asked for
    page.locator("#list .chip").click()
    expect(page.locator("#list .by-tag")).to_be_hidden()


def test_a_step_is_undone_and_redone_by_key_and_a_text_field_keeps_its_own_undo(page, project):
    editor = begun(page, project)
    page.keyboard.type("one")
    page.keyboard.press("Control+s")
    saved(editor)
    page.keyboard.type(" two")
    page.keyboard.press("Control+s")
    expect(editor.locator(".head .version")).to_have_text("version 2")
    said = editor.get_by_label("user says")

    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    expect(said).to_have_value("one")
    page.reload()
    expect(said).to_have_value("one")
    page.keyboard.press("Control+Shift+z")
    expect(said).to_have_value("one two")

    said.focus()
    page.keyboard.type("!")
    page.keyboard.press("Control+z")
    expect(said).to_have_value("one two")
    expect(editor.locator(".head .version")).to_have_text(re.compile("version [45]"))


def test_a_turn_is_inserted_split_and_joined(page, project):
    editor = begun(page, project)

    def said():
        return [each.input_value() for each in editor.locator(".turns textarea").all()]

    first = editor.locator(".turns .turn").first
    first.locator("textarea").fill("Where is it? On the boat.")
    for _ in "On the boat.":
        page.keyboard.press("ArrowLeft")
    first.hover()
    first.locator(".menu summary").click()
    first.get_by_role("button", name="Split at the cursor").click()
    assert said() == ["Where is it?", "On the boat.", ""]
    expect(editor.locator(".turns .turn").nth(1)).to_have_class(re.compile("assistant"))

    first.hover()
    first.locator(".menu summary").click()
    first.get_by_role("button", name="Join with the next").click()
    assert said() == ["Where is it?\n\nOn the boat.", ""]
    first.hover()
    first.locator(".menu summary").click()
    first.get_by_role("button", name="Insert a turn below").click()
    page.keyboard.type("Inserted")
    assert said() == ["Where is it?\n\nOn the boat.", "Inserted", ""]
    saved(editor)


def test_several_conversations_are_marked_at_once_and_it_is_undone_as_one(page, project):
    editor = begun(page, project)
    for number in range(3):
        page.keyboard.type(f"Question {number}")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#list .rows button")).to_have_count(number + 1)
        expect(editor.locator("h2")).to_have_text("New conversation")
    for number in (1, 3):
        page.get_by_label(f"Select conversation 000{number}").check()
    page.locator("#list .rows button", has_text="Question 1").click()
    expect(editor.locator("h2")).to_have_text("Conversation 0002")
    page.keyboard.press("x")
    marks = page.locator("#list .marks")
    expect(marks).to_contain_text("3 selected")

    marks.get_by_role("button", name="Approve").click()
    expect(page.locator("#list .state.approved")).to_have_count(3)
    expect(marks).to_contain_text("3 approved.")
    expect(editor.get_by_label("Status")).to_have_value("approved")
    marks.get_by_role("button", name="Undo").click()
    expect(page.locator("#list .state.approved")).to_have_count(0)
    expect(marks).to_contain_text("Undone.")
    expect(editor.get_by_label("Status")).to_have_value("draft")

    page.get_by_label("Select conversation 0002").check()
    marks.get_by_label("Add a tag to all selected").fill("late")
    page.keyboard.press("Enter")
    expect(marks).to_contain_text("1 tagged.")
    expect(page.locator("#list .by-tag option")).to_have_text(["Any", "late"])
