"""The first seconds: a person who looks too early sees that the studio is coming, and then sees it come."""

import socket
import time

import pytest
from moves import go_to
from playwright.sync_api import expect
from served import Served

pytestmark = pytest.mark.browser
WAIT = 60_000  # milliseconds


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def until_something_answers(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError("nothing listens")


def test_a_page_opened_too_early_turns_into_the_studio_by_itself(page, tmp_path):
    studio = Served(tmp_path / "home", free_port())
    studio.begin()
    try:
        until_something_answers(studio.port)
        page.goto(f"{studio.url}/#check")
        expect(page.get_by_role("status")).to_contain_text("The studio is getting ready")

        expect(page.locator("#tabs [role=tab][aria-selected=true]")).to_contain_text("Check", timeout=WAIT)
        assert page.title() == "Studio"
        page.keyboard.press("Tab")
        expect(page.get_by_role("listbox")).to_be_visible()  # a dropdown opens when a key comes to it
        page.keyboard.press("Tab")
        expect(page.get_by_role("listbox")).to_have_count(0)
    finally:
        studio.end()


def test_tabbing_past_the_project_stays_in_the_tab_that_is_open(page, shared):
    page.goto(shared.url)
    go_to(page, "Check")
    page.locator("#project input").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.wait_for_timeout(1000)
    expect(page.get_by_role("tab", name="Check", selected=True)).to_be_visible()
