"""Three and four models side by side in the real page, with a model that is slow enough to be stopped."""

import re
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from moves import go_to, send, unfold
from playwright.sync_api import expect
from served import Slow

from studio.work import writing
from studio.work.studio import opened

sys.path.append(str(Path(__file__).parents[1] / "ui"))
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SIDES = ("left", "right", "third", "fourth")
LONG = " ".join(
    f"word{number}" for number in range(200)
)  # said in forty seconds: stopped in time on a slow machine, too
MARKED = "**Ahoy** <img src=x onerror='window.bad=1'> [here](javascript:window.bad=2)"


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    from made import finished

    studio = opened(tmp_path_factory.mktemp("columns") / "home")
    project = writing.project(studio, "default").id
    for _ in range(2):
        finished(studio, project)
    writing.project(studio, "Another")
    studio.database.close()
    server = Slow(studio.home.root)
    yield server.start()
    server.end()


@pytest.fixture
def compare(page, slow):
    page.goto(slow.url)
    go_to(page, "Compare")
    expect(model(page, "right")).to_have_value(re.compile("^Run 2"))
    return page


def pane(page, side):
    return page.locator(f"#compare-{side}-pane")


def model(page, side):
    return page.locator(f"#compare-{side} input")


def add(page, side):
    page.locator("#compare-add").click()
    expect(pane(page, side)).to_have_text("Nothing asked yet.")


def ask(page, question):
    send(page.locator("#compare-message textarea"), question)


def answers(page, side):
    return pane(page, side).locator(".said:not(.you)")


def violations(page):
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
    ]


def test_models_join_answer_together_each_in_its_own_conversation_and_leave(compare):
    page = compare
    ask(page, "First here")
    add(page, "third")  # while the others answer
    expect(answers(page, "left")).to_have_text(["Answer: First here"])
    expect(pane(page, "third")).to_have_text("Nothing asked yet.")
    expect(model(page, "third")).to_have_value(re.compile("^Run 1"))
    add(page, "fourth")
    expect(page.locator("#compare-add")).to_be_hidden()

    ask(page, "Second one")
    for side, told in zip(
        SIDES,
        (["Answer: First here", "Answer: Second one"],) * 2 + (["Answer: Second one"],) * 2,
        strict=True,
    ):
        expect(answers(page, side)).to_have_text(told)
    assert violations(page) == []

    page.locator("#compare-third-remove").click()
    expect(pane(page, "fourth")).to_be_hidden()
    expect(model(page, "third")).to_have_value("Base as it came")  # what was the fourth
    expect(answers(page, "third")).to_have_text(["Answer: Second one"])
    page.locator("#compare-third-fix").click()
    expect(page.locator("#editor .drafted-by")).to_contain_text("Draft by the base model")
    go_to(page, "Compare")
    expect(answers(page, "third")).to_have_text(["Answer: Second one"])

    page.set_viewport_size({"width": 390, "height": 844})
    expect(pane(page, "third")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [page.locator(f"#compare-panes > .{side}").bounding_box() for side in SIDES[:3]]
    assert [each["x"] for each in boxes] == [boxes[0]["x"]] * 3
    assert violations(page) == []


def test_stop_keeps_what_all_wrote_and_one_press_answers_again(compare):
    page = compare
    add(page, "third")
    ask(page, LONG)
    for side in SIDES[:3]:
        expect(answers(page, side)).to_contain_text("word3")
    message = page.locator("#compare-message textarea")
    message.press_sequentially("The next one", delay=60)  # while they answer
    expect(answers(page, "left")).to_contain_text("word19")
    expect(message).to_have_value("The next one")
    page.locator("#compare-stop").click()
    stopped = [answers(page, side).inner_text().replace("\n", " ") for side in SIDES[:3]]
    assert not any("word199" in each for each in stopped)

    unfold(page, "How the answers are made")
    page.locator("#compare-vary input").check()
    page.locator("#compare-retry").click()
    expect(page.locator("#compare-seed input")).to_have_value("1")
    for side, before in zip(SIDES, stopped, strict=False):
        expect(pane(page, side).locator(".you")).to_have_count(1)
        expect(answers(page, side)).not_to_have_text(before)
        expect(answers(page, side)).to_have_text(re.compile(r"^Answer: word0(?!.*\bword0\b)"))
    page.locator("#compare-again").click()  # in the middle of it
    for side in SIDES[:3]:
        expect(pane(page, side)).to_have_text("Nothing asked yet.", timeout=10_000)


def test_the_same_answers_are_read_as_markdown_at_once_also_while_they_grow(compare):
    page = compare
    ask(page, f"{MARKED} {LONG}")
    expect(answers(page, "left")).to_contain_text("word3")
    page.locator("#compare-marked input").check()
    for side in SIDES[:2]:
        marked = pane(page, side).locator(".marked")
        expect(marked.locator("strong")).to_have_text("Ahoy")
        expect(marked).to_contain_text("[here](javascript:")
        expect(marked.locator("img, a")).to_have_count(0)
        expect(answers(page, side)).to_be_hidden()
    expect(pane(page, "left").locator(".marked")).to_contain_text("word9 ")
    page.locator("#compare-stop").click()
    assert page.evaluate("window.bad") is None
    assert violations(page) == []

    page.locator("#compare-marked input").uncheck()
    expect(answers(page, "left")).to_contain_text("**Ahoy** <img")
    expect(pane(page, "left").locator(".marked")).to_be_hidden()


def test_starting_again_in_prompt_does_not_wait_for_the_end_of_an_answer(page, slow):
    page.goto(slow.url)
    go_to(page, "Prompt")
    page.locator("#prompt-message textarea").fill(LONG)
    page.locator("#prompt-send").click()
    pane = page.locator("#prompt-pane")
    expect(pane.locator(".said:not(.you)")).to_contain_text("word3")
    page.locator("#prompt-again").click()
    expect(pane).to_have_text("Nothing asked yet.", timeout=10_000)


def test_a_second_person_sees_that_the_model_is_taken_and_may_leave_and_ask_anew(browser, compare, slow):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    second = context.new_page()
    try:
        second.goto(slow.url)
        go_to(second, "Prompt")
        message, there = second.locator("#prompt-message textarea"), second.locator("#prompt-pane")
        message.wait_for()
        ask(compare, LONG)
        expect(answers(compare, "left")).to_contain_text("word3")

        send(message, "Where is it?")
        expect(there).to_contain_text("Another question is being answered first.")
        expect(there).to_contain_text("Where is it?")
        second.locator("#prompt-again").click()
        expect(there).to_have_text("Nothing asked yet.", timeout=10_000)
        send(message, "When does it sail?")
        expect(there).to_contain_text("Another question is being answered first.")
        assert "word199" not in answers(compare, "left").inner_text()
        compare.locator("#compare-stop").click()
        expect(there.locator(".said:not(.you)")).to_have_text(["Answer: When does it sail?"])
    finally:
        context.close()


def test_a_question_sent_twice_in_one_breath_is_asked_once(compare):
    page = compare
    page.locator("#compare-message textarea").fill("First here")
    page.evaluate("for (const _ of [1, 2, 3]) document.querySelector('#compare-send').click()")
    expect(answers(page, "right")).to_have_text(["Answer: First here"])
    ask(page, "Second one")
    expect(answers(page, "right")).to_have_text(["Answer: First here", "Answer: Second one"])


def test_what_was_asked_stays_where_stop_is_pressed_in_the_same_breath(compare):
    page = compare
    page.locator("#compare-message textarea").fill(LONG)
    page.evaluate("for (const each of ['send', 'stop']) document.querySelector(`#compare-${each}`).click()")
    page.wait_for_timeout(1500)
    written = page.locator("#compare-message textarea").input_value()
    asked = pane(page, "left").locator(".you").count()
    assert (written == LONG, asked) in ((True, 0), (False, 1))
    ask(page, "And this")
    expect(answers(page, "left").last).to_have_text("Answer: And this")


def test_an_answer_does_not_come_into_another_project(compare):
    page = compare
    ask(page, LONG)
    expect(answers(page, "left")).to_contain_text("word3")
    page.locator("#project input").click()
    page.get_by_role("option", name="Another").click()
    expect(
        page.get_by_role("tab", name="Write", selected=True)
    ).to_be_visible()  # where another project begins
    go_to(page, "Compare")
    expect(pane(page, "left")).to_have_text("Nothing asked yet.")
    page.wait_for_timeout(1500)
    expect(pane(page, "left")).to_have_text("Nothing asked yet.")
    ask(page, "First here")
    expect(answers(page, "left")).to_have_text(["Answer: First here"])
