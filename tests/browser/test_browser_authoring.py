"""Hands on the keyboard in the real page: templates, turns, and where the cursor is after everything."""

import pytest
from moves import begun, opened, saved
from playwright.sync_api import expect

from studio.core.records import Change, Message
from studio.work import studio, writing

pytestmark = pytest.mark.browser


def active(page):
    """What the cursor is in: a label, else the words on it."""
    return page.evaluate(
        "(document.activeElement.ariaLabel || document.activeElement.textContent).slice(0, 60)"
    )


def test_a_conversation_becomes_a_template_and_others_begin_with_it_by_keyboard_alone(page, project):
    editor = begun(page, project)
    page.keyboard.type("I am [NAME].")
    editor.get_by_label("assistant says").fill("Good morning, [NAME].")
    page.keyboard.press("Control+s")
    saved(editor)
    expect(page.locator("#list .find .menu")).to_be_hidden()
    editor.get_by_label("More for this conversation").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(editor.get_by_label("Name of the template")).to_be_focused()
    page.keyboard.type("First <b>call</b>")
    page.keyboard.press("Enter")
    expect(editor.locator(".kept li .text")).to_have_text(["First <b>call</b>"])
    page.keyboard.press("Escape")
    expect(editor.locator(".kept")).to_be_hidden()
    expect(page.locator("#list .find .menu")).to_be_visible()

    page.keyboard.press("t")
    page.keyboard.press("Enter")
    expect(editor.locator("h2")).to_have_text("New conversation")
    expect(editor.get_by_label("user says")).to_be_focused()
    page.keyboard.type("Ada")  # the first gap was selected
    saved(editor)
    expect(editor.locator("h2")).to_have_text("Conversation 0002")
    expect(editor.get_by_label("user says")).to_have_value("I am Ada.")
    expect(editor.get_by_label("assistant says")).to_have_value("Good morning, [NAME].")
    expect(page.locator("#list .rows button")).to_have_count(2)
    page.keyboard.press("Control+Enter")
    expect(editor.locator("h2")).to_have_text("New conversation")
    expect(editor.get_by_label("user says")).to_have_value("I am [NAME].")


def test_a_template_is_named_anew_deleted_and_brought_back(page, project):
    editor = begun(page, project)
    page.keyboard.type("I am [NAME].")
    editor.get_by_label("More for this conversation").click()
    editor.get_by_role("button", name="Save as a template").click()
    page.keyboard.type("One")
    page.keyboard.press("Enter")
    editor.get_by_label("Rename the template One").click()
    page.keyboard.type("Two")
    page.keyboard.press("Enter")
    expect(editor.locator(".kept li .text")).to_have_text(["Two"])
    editor.get_by_label("Name of the template").fill("Two")
    expect(editor.get_by_role("button", name="Put in the place of the old one")).to_be_visible()

    editor.get_by_label("Delete the template Two").click()
    expect(editor.locator(".kept li")).to_have_count(0)
    expect(page.locator("#list .find .menu")).to_be_hidden()
    editor.locator(".kept").get_by_role("button", name="Undo").click()
    expect(editor.locator(".kept li .text")).to_have_text(["Two"])
    expect(page.locator("#list .find .menu")).to_be_visible()


def said(editor):
    return [each.input_value() for each in editor.locator(".turns textarea").all()]


def roles(editor):
    return editor.locator(".turns .role").all_inner_texts()


def place(page):
    """Which turn the cursor is in, from 0, and where in its text; (-1, ...) outside the turns."""
    return tuple(
        page.evaluate(
            """[[...document.querySelectorAll('.turns .turn')].findIndex(row => row.contains(document.activeElement)),
            document.activeElement.selectionStart]"""
        )
    )


def test_turns_are_made_moved_split_joined_and_deleted_by_keys_and_the_cursor_stays(page, project):
    editor = begun(page, project)
    page.keyboard.type("Where is it?")
    page.keyboard.press("Tab")
    page.keyboard.type("On the boat. Anything else?")
    page.keyboard.press("Control+Shift+Enter")
    page.keyboard.type("No.")
    assert (said(editor), roles(editor)) == (
        ["Where is it?", "On the boat. Anything else?", "No."],
        ["user", "assistant", "user"],
    )
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Alt+ArrowUp")
    assert said(editor) == ["Where is it?", "No.", "On the boat. Anything else?"]
    assert place(page) == (1, 2)
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")  # the last one already
    assert place(page) == (2, 2)
    page.keyboard.type("!")
    page.keyboard.press("Control+z")  # what the field itself can undo is still there
    assert said(editor)[2] == "No."

    saved(editor)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+Home")
    for _ in "On the boat.":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Alt+Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert said(editor) == ["Where is it?", "On the boat.", "Anything else?", "No."]
    assert place(page)[0] == 2
    saved(editor)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    expect(editor.locator(".turns textarea")).to_have_count(3)
    assert said(editor)[1] == "On the boat. Anything else?"
    page.keyboard.press("Control+Shift+z")
    expect(editor.locator(".turns textarea")).to_have_count(4)

    editor.locator(".turns textarea").nth(1).focus()
    page.keyboard.press("Alt+Enter")
    page.keyboard.press("Escape")
    assert place(page)[0] == 1
    page.keyboard.press("Alt+Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert (said(editor)[1], place(page)[0]) == ("On the boat.\n\nAnything else?", 1)
    page.keyboard.press("Alt+Enter")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert (said(editor), place(page)[0]) == (["Where is it?", "No."], 1)
    saved(editor)


def test_the_cursor_is_somewhere_sensible_after_delete_restore_undo_and_next(page, project):
    editor = begun(page, project)
    for number in range(2):
        page.keyboard.type(f"Question {number}")
        page.keyboard.press("Control+Enter")
        expect(editor.locator("h2")).to_have_text("New conversation")
        expect(editor.get_by_label("user says")).to_be_focused()
    page.locator("#list .rows button").last.click()
    expect(editor.locator("h2")).to_have_text("Conversation 0001")
    assert active(page).startswith("0001")

    editor.get_by_role("button", name="Delete", exact=True).focus()
    page.keyboard.press("Enter")
    expect(editor.locator(".notes").get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(editor.get_by_label("assistant says")).to_be_focused()
    page.keyboard.type("An answer.")
    page.keyboard.press("Control+s")
    saved(editor)
    assert place(page) == (1, 10)

    editor.get_by_role("button", name="History").focus()
    page.keyboard.press("Enter")
    editor.locator(".steps > li").last.get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    editor.get_by_role("button", name="Put the text of version 1 in the place of the newest").focus()
    page.keyboard.press("Enter")
    expect(editor.get_by_label("assistant says")).to_be_focused()
    saved(editor)
    editor.get_by_role("button", name="Undo the last saved step").focus()
    page.keyboard.press("Enter")
    expect(editor.get_by_label("assistant says")).to_have_value("An answer.")
    assert active(page).startswith("Undo")


def test_ten_conversations_are_written_by_keys_alone_without_waiting_for_anything(page, shared, project):
    editor = begun(page, project)
    for number in range(10):
        page.keyboard.type(f"Question {number} of somebody?")
        page.keyboard.press("Tab")
        page.keyboard.type(f"Answer {number}, in our words.")
        page.keyboard.press(
            "Control+Enter"
        )  # two keys a conversation beside the text, and nothing is waited for
    expect(page.locator("#list .rows button")).to_have_count(10)
    expect(editor.locator("h2")).to_have_text("New conversation")
    expect(editor.get_by_label("user says")).to_be_focused()

    own = studio.opened(shared.home)
    written = writing.all_conversations(own, project.rsplit("=", 1)[1])
    own.database.close()
    assert [[turn.content for turn in each.messages] for each in written] == [
        [f"Question {number} of somebody?", f"Answer {number}, in our words."] for number in range(10)
    ]


def test_nothing_is_drawn_anew_that_says_what_it_said(page, shared, project):
    own = studio.opened(shared.home)
    for number in range(30):
        turns = (Message("user", f"Question {number}"), Message("assistant", ""))
        writing.save(
            own, studio.owner(), Change(f"{project}{number}", project.rsplit("=", 1)[1], "", 0, turns)
        )
    own.database.close()
    editor = opened(page, project)
    expect(page.locator("#list .rows button")).to_have_count(30)
    page.evaluate("""() => {
        const rows = document.querySelector('#list .rows');
        window.kept = [...rows.children].slice(0, -1);
        rows.scrollTop = 0;
    }""")
    page.locator("#list .rows button").last.click()
    expect(editor.locator("h2")).to_have_text("Conversation 0001")
    page.evaluate("document.querySelector('#list .rows').scrollTop = 300")
    area = editor.get_by_label("user says")
    area.evaluate("node => { window.area = node; node.focus(); node.setSelectionRange(3, 3); }")
    page.keyboard.insert_text("xyz")
    saved(editor)
    expect(page.locator("#list .rows button").last).to_contain_text("Quexyzstion 0")

    assert page.evaluate("window.kept.length === 29 && window.kept.every(item => item.isConnected)")
    assert page.evaluate("document.querySelector('#list .rows').scrollTop") == 300
    assert page.evaluate("document.activeElement === window.area")
    assert place(page) == (0, 6)
    page.keyboard.press("Control+z")
    assert area.input_value() == "Question 0"
