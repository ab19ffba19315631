"""Hands on the keyboard in the real page: templates, turns, and where the cursor is after everything."""

# ruff: noqa: F811
import pytest
from playwright.sync_api import expect
from test_browser_write import begun, opened, patient, project, saved  # noqa: F401

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
