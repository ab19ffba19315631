"""A model's draft in the real page: it grows, is stopped, carries its mark until a person has read it, and is never lost."""

import re
import uuid

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from served import Slow

from studio.core.records import Change, Message
from studio.work import studio, writing

pytestmark = pytest.mark.browser
LONG = " ".join(f"word{number}" for number in range(200))


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    server = Slow(tmp_path_factory.mktemp("slow") / "home")
    yield server.start()
    server.end()


@pytest.fixture
def project(slow, request):
    """A project of one's own with ten approved examples, by its id."""
    own = studio.opened(slow.home)
    made = writing.project(own, request.node.name[:60]).id
    for number in range(10):
        talk = (Message("user", f"Where is parcel {number}?"), Message("assistant", "On the boat."))
        writing.save(own, studio.owner(), Change(uuid.uuid4().hex, made, "", 0, talk, "approved"))
    own.database.close()
    return made


def stored(slow, project):
    """What the disk has of the newest conversation."""
    own = studio.opened(slow.home)
    found = writing.all_conversations(own, project)[-1]
    own.database.close()
    return found


def asked(page, slow, project, question="Where is my parcel?"):
    """A new conversation with a question; returns the editor."""
    page.goto(f"{slow.url}/?project={project}")
    editor = page.locator("#editor")
    expect(editor.locator("h2")).to_have_text("Conversation 0010")
    page.locator("#list .new").click()
    expect(editor.get_by_label("user says")).to_be_focused()
    expect(editor.get_by_role("button", name="Draft an answer", exact=False).first).to_be_disabled()
    editor.get_by_label("user says").fill(question)
    return editor


def saved(editor):
    expect(editor.locator(".saved")).to_have_text(re.compile(r"^Saved \d\d:\d\d:\d\d$"))


def serious(page):
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
    ]


def test_a_draft_is_read_before_it_is_approved(page, slow, project):
    editor = asked(page, slow, project)
    page.keyboard.press("Control+d")
    answer, accept = editor.get_by_label("assistant says"), editor.get_by_role("button", name="Accept")
    expect(accept).to_be_visible()
    expect(answer).to_have_value("Where is my parcel?")
    expect(answer).to_be_focused()
    expect(editor.locator(".drafted-by")).to_contain_text(
        "Draft by the base model. Read it, then accept or edit it."
    )
    expect(editor.locator(".drafted-by")).to_contain_text("With 4 nearest approved examples:")
    saved(editor)
    assert stored(slow, project).messages[1] == Message("assistant", "Where is my parcel?", drafted="base")

    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(editor.locator(".notes")).to_contain_text(
        "Turn 2 is a model's draft. Read it, then accept or edit it."
    )
    expect(editor.get_by_label("Status")).to_have_value("draft")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert serious(page) == []
    page.reload()
    accept.click()
    expect(accept).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    saved(editor)
    expect(page.locator("#list button.on .state.approved")).to_be_visible()
    assert stored(slow, project).messages[1] == Message("assistant", "Where is my parcel?")


def test_a_draft_grows_and_is_stopped_and_what_is_there_is_kept(page, slow, project):
    editor = asked(page, slow, project, LONG)
    editor.locator(".draft-bar").get_by_role("button", name="Draft an answer").click()
    answer, stop = editor.get_by_label("assistant says"), editor.get_by_role("button", name="Stop")
    expect(answer).to_have_value(re.compile("^word0 word1"))
    expect(stop).to_be_focused()
    expect(answer).not_to_be_editable()
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(stop).to_have_count(0)
    there = answer.input_value()
    expect(answer).to_be_editable()
    saved(editor)

    assert LONG.startswith(there)
    assert stored(slow, project).messages[1] == Message("assistant", there, drafted="base")
    assert answer.input_value() == there


def test_an_edit_takes_the_mark_away_and_undo_brings_it_back(page, slow, project):
    editor = asked(page, slow, project)
    page.keyboard.press("Control+d")
    mark, answer = editor.locator(".drafted-by"), editor.get_by_label("assistant says")
    expect(editor.get_by_role("button", name="Accept")).to_be_visible()
    saved(editor)
    version = stored(slow, project).version
    page.keyboard.press("End")
    page.keyboard.type("!")
    expect(mark).to_have_count(0)
    page.keyboard.press("Backspace")
    expect(mark).to_have_count(1)
    page.keyboard.type(" On the boat.")
    expect(mark).to_have_count(0)
    expect(editor.locator(".head .version")).to_have_text(f"version {version + 1}")
    saved(editor)
    assert stored(slow, project).messages[1].drafted is None

    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    expect(answer).to_have_value("Where is my parcel?")
    expect(mark).to_have_count(1)
    assert stored(slow, project).messages[1].drafted == "base"


def test_a_persons_text_is_asked_for_before_it_is_drafted_over_and_stays_in_the_history(page, slow, project):
    page.goto(f"{slow.url}/?project={project}")
    editor = page.locator("#editor")
    expect(editor.get_by_label("Status")).to_have_value("approved")
    answer = editor.get_by_label("assistant says")
    answer.focus()
    page.keyboard.press("Control+d")
    expect(editor.locator(".notes")).to_contain_text("This turn has text already.")
    editor.get_by_role("button", name="Keep the text").click()
    expect(answer).to_be_focused()
    page.keyboard.press("Control+d")
    editor.get_by_role("button", name="Draft over it").click()
    expect(editor.get_by_role("button", name="Accept")).to_be_visible()
    saved(editor)

    expect(answer).to_have_value("Where is parcel 9?")
    expect(editor.get_by_label("Status")).to_have_value("draft")
    editor.get_by_role("button", name="History").click()
    editor.locator(".steps > li").last.get_by_role("button").first.click()
    expect(editor.locator(".changes")).to_contain_text("On the boat.")


def test_a_draft_ends_with_its_conversation_or_tab_and_what_was_there_is_not_lost(page, slow, project):
    editor = asked(page, slow, project, LONG)
    page.keyboard.press("Control+d")
    answer = editor.get_by_label("assistant says")
    expect(answer).to_have_value(re.compile("word5"))
    page.locator("#list .rows button", has_text="parcel 9").click()
    expect(editor.locator("h2")).to_have_text("Conversation 0010")
    expect(editor.get_by_role("button", name="Stop")).to_have_count(0)
    left = stored(slow, project).messages[1]
    assert left.drafted == "base"
    assert "word5" in left.content

    page.locator("#list .rows button", has_text="word0").click()
    expect(answer).to_have_value(left.content)
    editor.get_by_role("button", name="Draft another").click()
    expect(answer).not_to_have_value(left.content)
    page.goto("about:blank")
    page.goto(f"{slow.url}/?project={project}")
    expect(answer).to_have_value(re.compile("^word0"))
    expect(editor.get_by_role("button", name="Accept")).to_be_visible()


def test_while_one_drafts_another_writes_and_a_killed_studio_is_told(page, tmp_path):
    server = Slow(tmp_path / "home")
    try:
        server.start()
        own = studio.opened(server.home)
        project = writing.project(own, "default").id
        for number in range(10):
            talk = (Message("user", f"Where is parcel {number}?"), Message("assistant", "On the boat."))
            writing.save(own, studio.owner(), Change(uuid.uuid4().hex, project, "", 0, talk))
        own.database.close()
        second = page.context.new_page()
        other = second.locator("#editor")
        second.goto(f"{server.url}/?project={project}")
        expect(other.locator("h2")).to_have_text("Conversation 0010")
        editor = asked(page, server, project, LONG)
        page.keyboard.press("Control+d")
        expect(editor.get_by_label("assistant says")).to_have_value(re.compile("word5"))
        expect(editor.locator(".drafted-by")).to_contain_text("Without examples: none is approved yet.")
        other.get_by_label("assistant says").fill("Meanwhile.")
        saved(other)
        server.kill()
        expect(editor.locator(".notes")).to_contain_text("The studio does not answer.")
        server.start()
        saved(editor)

        assert re.search("word5", stored(server, project).messages[1].content)
        assert stored(server, project).messages[1].drafted == "base"
    finally:
        server.end()
