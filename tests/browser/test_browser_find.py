"""Finding in the real page: words, filters, order, pages, and the list staying where it was."""

import re
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from studio.core.records import Change, Message, Person
from studio.work import studio, writing

pytestmark = pytest.mark.browser


@pytest.fixture
def project(shared, request):
    """The address of a project with 120 conversations; Ben tagged the hundredth, whose second answer is long."""
    own = studio.opened(shared.home)
    made = writing.project(own, request.node.name[:60])
    for number in range(1, 121):
        rare = number == 100
        turns = [
            Message("user", f"Question {number} about a Päckchen?"),
            Message("assistant", f"Answer {number}."),
        ]
        turns += (
            [Message("user", "And if not?"), Message("assistant", "Then ask at the harbour. " * 100)]
            if rare
            else []
        )
        tags, person = (("customs",), Person("Ben")) if rare else ((), Person("Ada"))
        writing.save(own, person, Change(uuid4().hex, made.id, "", 0, tuple(turns), "draft", tags))
    own.database.close()
    return f"{shared.url}/?project={made.id}"


@pytest.fixture
def shown(page, project):
    """The list, once its first page is there."""
    page.goto(project)
    listed = page.locator("#list")
    expect(said(listed)).to_have_text("1–50 of 120")
    return listed


def said(listed):
    return listed.locator(".range")


def numbers(listed):
    return listed.locator(".rows .state.num:first-child")


def test_words_are_found_in_any_turn_and_marked_where_they_stand(page, shown):
    search = shown.get_by_label("Search conversations")

    search.fill("packchen 77")
    expect(numbers(shown)).to_have_text(["0077"])
    expect(shown.locator(".rows mark")).to_have_text(["77", "Päckchen", "77"])

    search.fill("harb")
    expect(numbers(shown)).to_have_text(["0100"])
    expect(shown.locator(".rows .a mark").first).to_have_text("harb")

    search.fill("0042")
    expect(numbers(shown)).to_have_text(["0042"])
    search.fill("<img src=x>")
    expect(shown.locator(".rows .none")).to_have_text("Nothing matches. Clear the search or the filter.")


def test_filters_are_folded_away_and_taken_away_one_by_one(page, shown):
    fold = shown.get_by_role("button", name="Filter")
    expect(shown.get_by_label("Length")).to_be_hidden()

    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "true")
    shown.get_by_label("Length").select_option("long")
    expect(numbers(shown)).to_have_text(["0100"])
    shown.get_by_label("Changed by").select_option("Ben")
    shown.get_by_label("Tag").select_option("customs")
    expect(shown.locator(".chip")).to_have_text(
        [re.compile("Tag: customs"), re.compile("Changed by: Ben"), re.compile("Length: Long")]
    )
    assert not [
        each["id"]
        for each in Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
    ]

    for name in ("Tag: customs", "Changed by: Ben", "Length: Long"):
        expect(numbers(shown)).to_have_count(1)
        shown.get_by_role("button", name=f"{name}: take away").click()
    expect(said(shown)).to_have_text("1–50 of 120")
    expect(fold).to_be_focused()

    shown.get_by_label("Findings").select_option("any")
    expect(shown.locator(".rows .none")).to_be_visible()


def test_the_order_is_chosen_and_pages_follow_it(page, shown):
    shown.get_by_role("button", name="Filter").click()
    shown.get_by_label("Order").select_option("longest")
    expect(numbers(shown).first).to_have_text("0100")
    shown.get_by_label("Order").select_option("oldest")
    expect(numbers(shown).first).to_have_text("0001")

    further, back = shown.get_by_role("button", name="Next"), shown.get_by_role("button", name="Previous")
    further.click()
    expect(said(shown)).to_have_text("51–100 of 120")
    further.click()
    expect(said(shown)).to_have_text("101–120 of 120")
    expect(further).to_be_disabled()
    expect(numbers(shown)).to_have_text([f"{number:04d}" for number in range(101, 121)])
    back.click()
    back.click()
    expect(said(shown)).to_have_text("1–50 of 120")
    expect(back).to_be_disabled()


def test_the_list_stays_where_it_was_after_a_save_a_deletion_and_a_reload(page, shown, shared):
    shown.get_by_role("button", name="Next").click()
    expect(numbers(shown).first).to_have_text("0070")
    page.locator("#list .rows button", has_text="Question 40 ").click()
    expect(page.locator("#editor h2")).to_have_text("Conversation 0040")
    own = studio.opened(shared.home)
    there = page.url.split("project=")[1]
    for _ in range(3):  # somebody else writes meanwhile, above
        writing.save(own, Person("Ben"), Change(uuid4().hex, there, "", 0, (Message("user", "New"),)))
    writing.delete(own, Person("Ben"), there, "0060")
    own.database.close()

    page.get_by_label("assistant says").fill("Another answer.")
    page.keyboard.press("Control+s")
    expect(said(shown)).to_have_text("54–103 of 122")
    expect(numbers(shown).first).to_have_text("0070")
    top = page.evaluate("document.querySelector('#list .rows').scrollTop = 700")
    page.wait_for_function(
        "() => (sessionStorage.getItem(Object.keys(sessionStorage).find(each => each.startsWith('studio.list.'))) || '').includes('\"top\":700')"
    )

    page.reload()
    expect(numbers(shown).first).to_have_text("0070")
    expect(said(shown)).to_have_text("54–103 of 122")
    expect(page.locator("#editor h2")).to_have_text("Conversation 0040")
    assert page.evaluate("document.querySelector('#list .rows').scrollTop") == top


def test_filters_fit_a_narrow_screen(page, shown):
    page.set_viewport_size({"width": 390, "height": 844})
    shown.get_by_role("button", name="Filter").click()
    shown.get_by_label("Length").select_option("long")
    expect(numbers(shown)).to_have_text(["0100"])

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
