"""Each promise about saving, in the real page against the real disk."""

import time

import pytest
from moves import begun, opened, saved
from playwright.sync_api import expect

from studio.work import studio, writing

pytestmark = pytest.mark.browser


def on_disk(home, project_id):
    """The texts of every conversation, as the database has them."""
    own = studio.opened(home)
    found = writing.all_conversations(own, project_id)
    own.database.close()
    return [[each.content for each in one.messages] for one in found]


def default_of(home):
    own = studio.opened(home)
    found = writing.project(own, "default").id
    own.database.close()
    return found


def written(home, project_id, wanted, seconds=20):
    """Wait until the database has exactly that: a page that was closed cannot be asked."""
    end = time.monotonic() + seconds
    while on_disk(home, project_id) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    assert on_disk(home, project_id) == wanted


@pytest.fixture
def id(project):
    return project.rsplit("=", 1)[1]


def test_a_page_that_is_closed_right_after_the_last_key_has_sent_its_text(page, shared, project, id):
    editor = begun(page, project)
    page.keyboard.type("one")
    saved(editor)
    page.clock.install()  # no pause ever ends, so only closing can have saved it
    page.keyboard.type(" two")
    page.close()

    written(shared.home, id, [["one two", ""]])


def test_the_test_above_would_tell_if_closing_sent_nothing(page, shared, project, id):
    page.add_init_script(
        "for (const each of ['pagehide', 'visibilitychange']) addEventListener(each, event => event.stopImmediatePropagation(), true)"
    )
    editor = begun(page, project)
    page.keyboard.type("one")
    saved(editor)
    page.clock.install()
    page.keyboard.type(" two")
    page.close()
    time.sleep(0.5)
    assert on_disk(shared.home, id) == [["one", ""]]


def test_text_too_long_for_the_last_moment_is_saved_when_the_page_is_opened_again(page, shared, project, id):
    # A page that is hidden first may still get it through. Here it goes at once.
    page.add_init_script(
        "addEventListener('visibilitychange', event => event.stopImmediatePropagation(), true)"
    )
    editor = begun(page, project)
    page.keyboard.type("one")
    saved(editor)
    page.evaluate("window.setTimeout = () => 0")  # no pause ever ends
    long = "é" * 50_000
    editor.get_by_label("user says").evaluate("(node, text) => { node.value += text; node.oninput(); }", long)
    context = page.context
    page.close()
    assert on_disk(shared.home, id) == [["one", ""]]

    editor = opened(context.new_page(), project)

    expect(editor.locator(".notes")).to_contain_text("is saved now")
    expect(editor.get_by_label("user says")).to_have_value("one" + long)
    assert on_disk(shared.home, id) == [["one" + long, ""]]


def test_what_was_sent_at_the_last_moment_is_not_done_twice_when_the_page_comes_back(
    page, shared, project, id
):
    editor = begun(page, project)
    page.keyboard.type("written and reloaded")
    page.reload()

    expect(editor.get_by_label("user says")).to_have_value("written and reloaded")
    saved(editor)
    assert on_disk(shared.home, id) == [["written and reloaded", ""]]
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('studio.draft'))") == []


@pytest.mark.parametrize("way", ["another field", "another tab", "the list", "j", "an own click of Save"])
def test_moving_away_saves_without_a_pause(page, shared, project, id, way):
    editor = begun(page, project)
    page.keyboard.type("one")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#list .rows button")).to_have_count(1)
    page.clock.install()  # from here on no pause ever ends: only moving away can save
    page.keyboard.type("two")
    if way == "another field":
        page.keyboard.press("Tab")
        page.clock.run_for(1)
    elif way == "another tab":
        go_to_stopped(page)
    elif way == "the list":
        page.locator("#list .rows button").first.click()
    elif way == "j":
        page.keyboard.press("Escape")
        page.keyboard.press("j")
    else:
        page.keyboard.press("Control+s")
    written(shared.home, id, [["one", ""], ["two", ""]])
    assert editor.count() == 1


def go_to_stopped(page):
    page.locator("#tabs [role=tab]:visible", has_text="Export").click()
    page.clock.run_for(1)


def test_typing_goes_on_while_the_server_is_dead_and_everything_is_saved_once_when_it_is_back(
    page, served, tmp_path
):
    server = served(tmp_path / "home")
    editor = begun(page, server.url)
    page.keyboard.type("one")
    saved(editor)
    server.kill()
    page.keyboard.type(" two")
    expect(editor.locator(".saved")).to_have_text("Not saved, retrying. Your text is kept in this browser.")
    page.keyboard.type(" three")
    expect(editor.get_by_label("user says")).to_be_focused()
    server.start()

    written(
        server.home, default_of(server.home), [["one two three", ""]]
    )  # Gradio loads the page anew when the server is back
    expect(editor.get_by_label("user says")).to_be_focused()
    page.keyboard.type(" four")
    saved(editor)
    expect(editor.get_by_label("user says")).to_have_value("one two three four")
    own = studio.opened(server.home)
    default = default_of(server.home)
    (found,) = writing.all_conversations(own, default)
    kinds = [each.kind for each in writing.history(own, found.id)]
    own.database.close()
    assert on_disk(server.home, default) == [["one two three four", ""]]
    assert set(kinds) == {"saved"}
