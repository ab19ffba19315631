"""Blind judging in the real page, on the rehearsal model: by keyboard alone, nothing told too early, nothing counted twice."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from moves import go_to
from playwright.sync_api import expect
from served import Served

from studio.core.judging import tallies
from studio.core.records import Change, Message
from studio.work import judging, models, planning, prompts, writing
from studio.work.studio import opened, owner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
HOSTILE = "<img src=x onerror='window.bad=1'> ${window.bad=2}</p><script>window.bad=3</script>"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    studio = opened(tmp_path_factory.mktemp("judge") / "home")
    project = writing.project(studio, "default")
    models.choose(studio, owner(), project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    prompts.keep(studio, owner(), project.id, "brief", "Be brief.")
    number = 0
    while len(planning.sides(studio, project.id).held_out) < 8:
        talk = (Message("user", f"Parcel {number}? {HOSTILE}"), Message("assistant", f"On boat {number}."))
        writing.save(studio, owner(), Change(f"r{number}", project.id, "", 0, talk))
        number += 1
    studio.database.close()
    server = Served(studio.home.root)
    yield server.start()
    server.end()


def votes(served):
    """Every round of the project as the database has it."""
    studio = opened(served.home)
    try:
        return judging.all_of(studio, writing.project(studio, "default").id)
    finally:
        studio.database.close()


def test_a_judge_goes_from_the_first_question_to_the_standing_by_keyboard_alone(page, served):
    page.goto(served.url)
    go_to(page, "Compare")
    judge = page.locator("#judge")
    judge.get_by_role("button", name="Start judging").focus()
    page.keyboard.press("Enter")
    expect(judge.locator(".vote button")).to_have_count(4)
    expect(judge.locator(".verified summary")).to_have_text("Both sides verified")
    shown = judge.locator(".round").inner_text()
    assert not re.search("base|brief|rehearsal|run", shown.replace("Be brief", ""), re.IGNORECASE)

    page.keyboard.press("1")
    expect(judge.get_by_role("button", name="voice")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowLeft")
    expect(judge.locator(".head .num")).to_have_text("1 vote in this sitting")
    expect(judge.locator(".after")).to_be_empty()  # it can still be taken back, so nothing is told
    page.keyboard.press("u")
    expect(judge.locator(".after")).to_contain_text("taken back")
    expect(judge.locator(".head .num")).to_have_text("0 votes in this sitting")

    for place, key in enumerate(("ArrowRight", "=", "-"), 1):
        page.keyboard.press(key)
        expect(judge.locator(".head .num")).to_have_text(f"{place} vote{'s' * (place > 1)} in this sitting")
    expect(judge.locator(".after")).to_contain_text("The vote before:")
    assert page.evaluate("window.bad") is None
    assert violations(page) == []

    judge.get_by_role("button", name="Stop judging").click()
    expect(judge.locator(".after")).to_contain_text("The last vote:")
    cast = [each for each in votes(served) if each.choice]
    assert [each.choice for each in sorted(cast, key=lambda each: each.voted_at)] == ["right", "tie", "bad"]
    if tallies(cast):
        expect(judge.locator(".standing")).to_contain_text("How the votes stand")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_after_a_refresh_the_same_round_waits_and_two_windows_vote_once(page, served):
    before = sum(1 for each in votes(served) if each.choice)
    other = page.context.new_page()
    for each in (page, other):
        each.goto(served.url)
        go_to(each, "Compare")
        each.locator("#judge").get_by_role("button", name="Start judging").click()
        expect(each.locator("#judge .vote button")).to_have_count(4)
    assert page.locator("#judge .panes-two").inner_text() == other.locator("#judge .panes-two").inner_text()

    page.locator("#judge .vote button").first.click()
    expect(page.locator("#judge .head .num")).to_have_text("1 vote in this sitting")
    other.locator("#judge .vote button").last.click()
    expect(other.locator("#judge .after")).to_contain_text("Take that vote back first")
    assert sum(1 for each in votes(served) if each.choice) == before + 1


def violations(page):
    found = Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")]


def test_an_answer_is_fixed_in_write_once_it_was_told_whose_it_is_and_lost_questions_go_there_once(
    page, served
):
    page.goto(served.url)
    go_to(page, "Compare")
    judge = page.locator("#judge")
    judge.get_by_text("Ask your own questions").click()
    judge.get_by_label("Your own questions").fill(f"To the moon? {HOSTILE}\nTo Mars?")
    judge.get_by_role("button", name="Prepare all answers first").click()
    expect(judge.locator(".ahead")).to_contain_text("All answers are ready")
    judge.get_by_role("button", name="Start judging").click()
    expect(judge.locator(".vote button")).to_have_count(4)
    judge.get_by_role("button", name="Fix this answer").first.click()
    page.keyboard.press("-")
    expect(judge.locator(".head .num")).to_have_text("1 vote in this sitting")
    # It can still be taken back, so nothing of it is told or sent.
    expect(judge.locator(".after")).not_to_contain_text("draft in Write")
    judge.get_by_role("button", name="Stop judging").click()
    expect(judge.locator(".after")).to_contain_text("The left answer is a draft in Write")
    judge.get_by_role("button", name="Open it in Write").click()

    editor = page.locator("#editor")
    expect(editor.locator(".chosen .tag")).to_have_text("fix×")
    expect(editor.get_by_label("user says")).to_have_value(re.compile("To "))
    expect(editor.locator(".drafted-by")).to_contain_text("Draft by")
    go_to(page, "Compare")
    lost = judge.locator("button.lost")
    expect(lost).not_to_have_count(0)
    for left in reversed(range(lost.count())):
        lost.first.click()
        expect(judge.locator(".after")).to_contain_text("in Write now")
        expect(lost).to_have_count(left)
    assert page.evaluate("window.bad") is None


def test_the_last_answer_of_a_chat_is_fixed_in_write_and_a_held_out_one_opens_its_own_conversation(
    page, served
):
    page.goto(served.url)
    go_to(page, "Compare")
    page.locator("#compare-right-fix").click()
    expect(page.get_by_text("There is no answer to fix yet")).to_be_visible()
    page.get_by_label("Your message").fill("And to Venus?")
    page.locator("#compare-send").click()
    expect(page.locator("#compare-right-pane .pace")).to_contain_text(re.compile(r"[1-9]\d* tokens? in"))
    page.locator("#compare-right-fix").click()
    editor = page.locator("#editor")
    expect(editor.get_by_label("user says")).to_have_value("And to Venus?")
    expect(editor.locator(".drafted-by")).to_contain_text("Draft by the base model")
    number = editor.locator("h2").inner_text()

    go_to(page, "Compare")
    page.locator("#compare-right-fix").click()
    expect(editor.locator("h2")).to_have_text(number)  # once
    go_to(page, "Compare")
    page.locator("#compare-again").click()
    page.locator("#compare-next").click()
    expect(page.get_by_label("Your message")).to_have_value(re.compile("Parcel"))
    page.locator("#compare-send").click()
    expect(page.locator("#compare-left-pane .pace")).to_contain_text(re.compile(r"[1-9]\d* tokens? in"))
    page.locator("#compare-left-fix").click()
    expect(editor.locator(".notes")).to_contain_text("held out")
    expect(editor.get_by_label("assistant says")).to_have_value(re.compile("On boat"))
    assert violations(page) == []


def test_a_list_that_a_killed_studio_was_preparing_is_told_and_gone_on_with(page, served):
    questions = "\n".join(f"Which boat has parcel {number}?" for number in range(300))
    page.goto(served.url)
    go_to(page, "Compare")
    judge = page.locator("#judge")
    judge.locator("details", has=page.get_by_label("Your own questions")).evaluate(
        "all => { all.open = true; }"
    )
    judge.get_by_label("Your own questions").fill(questions)
    judge.get_by_role("button", name="Prepare all answers first").click()
    expect(judge.locator(".ahead")).to_contain_text(re.compile(r"^[1-9]\d* of 300 questions ready"))
    served.kill()
    served.start()
    page.goto(served.url)
    go_to(page, "Compare")

    expect(judge.locator(".ahead")).to_contain_text("The studio was closed while these were being prepared.")
    expect(judge.locator(".ahead")).to_contain_text(re.compile(r"[1-9]\d* of 300 questions ready and kept"))
    expect(judge.get_by_label("Your own questions")).to_have_value(questions)
    judge.get_by_role("button", name="Go on preparing").click()
    judge.get_by_role("button", name="Stop preparing").click()
    expect(judge.locator(".ahead")).to_contain_text("Stopped.")
    expect(judge.get_by_role("button", name="Go on preparing")).to_be_visible()
