"""What a person does on the page again and again, at a person's pace."""

import contextlib
import re

from playwright.sync_api import expect


def go_to(page, tab):
    page.locator("#tabs [role=tab]:visible", has_text=re.compile(f"^{tab}")).click()
    settle(page)


def unfold(page, title):
    """Open a folded part by its title."""
    page.get_by_text(title).click()
    settle(page)


def settle(page):
    """Wait two frames. Gradio 6.31 fills what a tab or a folded part shows for the first time once more, one frame after
    it has drawn it: what a test types before that is wiped out. Nobody can click and type within a frame.
    """
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def send(message, text):
    """Type a question into its box and send it. While an answer is being written none is taken: it waits in the box."""
    message.fill(text)
    while message.input_value():
        message.press("Enter")
        with contextlib.suppress(AssertionError):
            expect(message).to_have_value("", timeout=2000)


def opened(page, address):
    page.goto(address)
    return page.locator("#editor")


def begun(page, address):
    """An empty project's page with the first conversation begun."""
    editor = opened(page, address)
    page.locator("#begin").click()
    expect(editor.locator("h2")).to_have_text("New conversation")
    expect(editor.get_by_label("user says")).to_be_focused()
    return editor


def saved(editor):
    expect(editor.locator(".saved")).to_have_text(re.compile(r"^Saved \d\d:\d\d:\d\d$"))
