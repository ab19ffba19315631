"""Two people at one studio in the real page: who they are, where they are, what they are handed, and a review by keyboard."""

import re
import time
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from studio.core.records import Change, Message, Person
from studio.store.schema import conversations as heads
from studio.store.schema import leases
from studio.work import studio, writing

pytestmark = pytest.mark.browser


@pytest.fixture
def set_of(shared, request):
    """`set_of(count)` gives a project of its own with that many conversations of Ada's that are ready: its id."""
    own = studio.opened(shared.home)
    made = writing.project(own, request.node.name[:60])

    def write(count):
        for number in range(1, count + 1):
            talk = (Message("user", f"question {number}"), Message("assistant", f"answer {number}"))
            change = Change(f"{made.id} {number}", made.id, "", 0, talk, "ready")
            writing.save(own, Person("Ada"), change)
        return made.id

    yield write
    own.database.close()


@pytest.fixture
def window(browser, shared):
    """`window(name, project)` opens the project in a browser of somebody's own."""
    contexts = []

    def open_it(name, project, *cookies):
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 800}))
        contexts[-1].set_default_timeout(60_000)
        given = [("studio_name", quote(name)), *cookies] if name else cookies
        contexts[-1].add_cookies([{"name": key, "value": value, "url": shared.url} for key, value in given])
        page = contexts[-1].new_page()
        page.goto(f"{shared.url}/?project={project}")
        return page

    yield open_it
    for each in contexts:
        each.close()


def title(page):
    return page.locator("#editor h2")


def look_again(page):
    """What a page does by itself every 20 s, and when it is seen again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def saved(page):
    expect(page.locator("#editor .saved")).to_have_text(re.compile(r"^Saved \d\d:\d\d:\d\d$"))


def conversations(shared, project):
    own = studio.opened(shared.home)
    found = writing.all_conversations(own, project)
    own.database.close()
    return found


def wait_until_at(shared, project, *places):
    """Until these people are at the conversations of these numbers, as (number, person)."""
    own = studio.opened(shared.home)
    seen = (
        sa.select(heads.c.number, leases.c.person)
        .join(leases, leases.c.conversation_id == heads.c.id)
        .where(heads.c.project_id == project)
    )
    end = time.monotonic() + 60
    there = set()
    while not there >= set(places) and time.monotonic() < end:
        time.sleep(0.1)
        with own.database.reading() as db:
            there = {tuple(row) for row in db.execute(seen)}
    own.database.close()
    assert there >= set(places)


def serious(page):
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
    ]


def test_a_name_is_given_in_the_strip_and_stands_at_all_that_one_does(shared, set_of, window):
    project = set_of(0)
    page = window("", project)
    page.locator(".you button").click()
    page.keyboard.type("Zoë <i>")
    page.keyboard.press("Enter")
    expect(page.locator(".you button")).to_have_text("You are: Zoë <i>")

    page.locator("#starter").click()  # an event of the queue
    expect(title(page)).to_have_text("Conversation 0060")
    page.get_by_label("user says").fill("changed")  # a server function
    saved(page)
    page.reload()

    expect(page.locator(".you button")).to_have_text("You are: Zoë <i>")
    expect(title(page)).to_have_text("Conversation 0060")
    assert {each.updated_by for each in conversations(shared, project)} == {"Zoë <i>"}
    page.get_by_role("button", name="History").click()
    expect(page.locator(".steps")).to_contain_text("Version 2, saved by Zoë <i>")


def test_what_cannot_be_a_name_is_the_owner_and_is_told(set_of, window):
    page = window("", set_of(1))
    page.locator(".you button").click()
    page.keyboard.insert_text("ad\u202ea")
    page.keyboard.press("Enter")

    expect(page.locator(".you input:invalid")).to_have_value("ad\u202ea")
    page.keyboard.press("Escape")
    expect(page.locator(".you button")).to_have_text(f"You are: {studio.owner().name}")


def test_hostile_cookies_are_text_and_the_page_works(shared, set_of, window):
    project = set_of(1)
    name = "<img src=x onerror=window.bad=1>"
    page = window(name, project, ("keys", "1"), ("__class__", "x"), ("__dict__", "x"), ("get", "x"))

    expect(page.locator(".you button")).to_have_text(f"You are: {name}")
    page.get_by_label("user says").fill("changed")
    saved(page)
    look_again(page)
    expect(page.locator("#list .rows .at")).to_have_text(f"{name}, 2 turns")
    assert page.evaluate("window.bad") is None
    assert [each.updated_by for each in conversations(shared, project)] == [name]


def test_each_sees_where_the_other_is_and_nothing_is_locked(shared, set_of, window):
    project = set_of(2)
    ada = window("Ada", project)
    expect(title(ada)).to_have_text("Conversation 0002")
    expect(ada.locator("#list .review button")).to_contain_text("To review: 2")  # she is alone so far
    wait_until_at(shared, project, (2, "Ada"))
    ben = window("Ben", project)

    expect(ben.locator("#editor .company")).to_have_text("Ada is here")
    expect(ben.locator("#list .at")).to_have_text(["Ada is here", "Ada, 2 turns"])
    assert serious(ben) == []
    ben.get_by_label("user says").fill("Ben was here too")
    saved(ben)
    ben.keyboard.press("Escape")
    ben.keyboard.press("j")
    expect(title(ben)).to_have_text("Conversation 0001")
    expect(ben.locator("#editor .company")).to_have_text("")

    expect(ben.locator("#list .at")).to_have_text(["Ada is here", "Ada, 2 turns"])
    wait_until_at(shared, project, (1, "Ben"))
    look_again(ada)
    expect(ada.get_by_label("user says")).to_have_value("Ben was here too")
    expect(ada.locator("#list .at")).to_have_text(["Ben, 2 turns", "Ben is here"])


def test_two_that_go_on_are_never_handed_the_same(set_of, window):
    project = set_of(12)
    pages = [window(name, project) for name in ("Ada", "Ben")]
    for page in pages:
        expect(page.locator("#list .rows button")).to_have_count(12)
        expect(title(page)).to_have_text("Conversation 0012")
    handed = []
    for _ in range(5):
        before = [title(page).inner_text() for page in pages]
        for page in pages:
            page.keyboard.press("Control+Enter")
        for page, was in zip(pages, before, strict=True):
            expect(title(page)).not_to_have_text(was)
        handed.append([title(page).inner_text() for page in pages])

    assert all(ada != ben for ada, ben in handed)
    assert {each for pair in handed for each in pair} <= {
        f"Conversation {number:04}" for number in range(1, 12)
    }


def test_a_review_is_done_by_keyboard_alone_and_the_author_reads_why(shared, set_of, window):
    project = set_of(3)
    ben = window("Ben", project)
    expect(ben.locator("#list .review button")).to_contain_text("To review: 3")
    ben.keyboard.press("v")
    expect(title(ben)).to_have_text("Conversation 0003")
    ben.keyboard.press("r")
    expect(ben.get_by_label("Why it is rejected")).to_be_focused()
    ben.keyboard.press("Enter")
    expect(ben.locator(".reason [role=alert]")).to_contain_text("Write a few words")
    assert serious(ben) == []
    ben.keyboard.type("too formal")
    ben.keyboard.press("Enter")

    expect(title(ben)).to_have_text("Conversation 0002")
    expect(title(ben)).to_be_focused()
    ben.keyboard.press("r")
    ben.keyboard.press("Escape")
    expect(ben.locator(".reason")).to_have_count(0)
    ben.keyboard.press("a")
    expect(title(ben)).to_have_text("Conversation 0001")
    while not ben.evaluate("document.activeElement.matches('.turns textarea')"):
        ben.keyboard.press("Tab")
    ben.keyboard.press("End")
    ben.keyboard.type(", edited")
    ben.keyboard.press("Escape")
    ben.keyboard.press("a")
    expect(ben.locator("#editor .notes")).to_contain_text("Nothing more waits for your review.")
    expect(ben.locator("#list .rows")).to_contain_text("Nothing waits for your review.")
    found = conversations(shared, project)
    assert [(each.status, each.reason, each.updated_by) for each in found] == [
        ("approved", "", "Ben"),
        ("approved", "", "Ben"),
        ("rejected", "too formal", "Ben"),
    ]
    assert found[0].messages[0].content == "question 1, edited"
    reads_why(window("Ada", project))


def reads_why(ada):
    """The author is told, and what she changes waits for a review again."""
    expect(title(ada)).to_have_text("Conversation 0003")
    verdict = ada.locator("#editor .note.warn")
    expect(verdict).to_have_text(re.compile(r"Rejected by Ben, \d\d:\d\d: too formal"))
    ada.get_by_role("button", name="History").click()
    expect(ada.locator(".steps .why")).to_have_text("Rejected: too formal")
    assert serious(ada) == []
    ada.set_viewport_size({"width": 390, "height": 844})
    assert ada.evaluate("document.documentElement.scrollWidth") <= 390
    ada.get_by_label("assistant says").fill("hey")
    saved(ada)
    expect(verdict).to_be_visible()
    verdict.get_by_role("button").click()
    expect(ada.get_by_label("Status", exact=True)).to_have_value("ready")
    expect(verdict).to_have_count(0)


def test_an_approved_text_that_is_changed_is_ready_again_and_a_verdict_is_taken_back_by_its_key(
    set_of, window
):
    page = window("Ada", set_of(1))
    expect(title(page)).to_have_text("Conversation 0001")
    page.keyboard.press("a")
    expect(page.locator("#list .state.approved")).to_be_visible()
    page.get_by_label("Note for colleagues").fill("fine")
    saved(page)
    expect(page.get_by_label("Status", exact=True)).to_have_value("approved")
    page.get_by_label("user says").fill("changed")
    expect(page.get_by_label("Status", exact=True)).to_have_value("ready")
    page.get_by_label("Status", exact=True).select_option("approved")
    saved(page)
    expect(page.get_by_label("Status", exact=True)).to_have_value("approved")

    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.keyboard.press("Enter")  # of one's own a reason need not be given
    expect(page.locator("#list .state.rejected")).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("#list .state.draft")).to_be_visible()


def test_several_are_rejected_with_one_reason(shared, set_of, window):
    project = set_of(2)
    page = window("Ben", project)
    for number in (1, 2):
        page.get_by_label(f"Select conversation 000{number}").check()
    page.locator("#list .marks").get_by_role("button", name="Reject").click()
    expect(page.get_by_label("Why all selected are rejected")).to_be_focused()
    page.keyboard.type("too long")
    page.keyboard.press("Enter")

    expect(page.locator("#list .marks")).to_contain_text("2 rejected.")
    expect(page.locator("#editor .note.warn")).to_contain_text("too long")
    assert {each.reason for each in conversations(shared, project)} == {"too long"}
