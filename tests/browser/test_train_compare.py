"""Training, comparing and the tabs around them in the real page, on the rehearsal model."""

import os
import re
import signal
import uuid
from importlib.util import find_spec

import pytest
from axe_playwright_python.sync_playwright import Axe
from moves import go_to, send, unfold
from playwright.sync_api import expect
from served import Served
from server_elsewhere import failed, running

from studio.core.records import Change, Message
from studio.work import models, training, writing
from studio.work.studio import opened, owner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TABS = ("Check", "Prompt", "Train", "Compare", "Export")
HOSTILE = "<img src=x onerror='window.bad=1'> <b>bold</b> ${window.bad=2} {{x}} `y` </p><script>window.bad=3</script>"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A studio with the rehearsal model and thirty examples, one of them with a gap that was never filled."""
    studio = opened(tmp_path_factory.mktemp("trained") / "home")
    project = writing.project(studio, "default")
    models.choose(studio, owner(), project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    for number in range(30):
        gap = " [NAME]" if number == 4 else ""
        messages = (
            Message("user", f"Where is parcel {number}?{gap}"),
            Message("assistant", "On the boat. It sails at six."),
        )
        writing.save(studio, owner(), Change(uuid.uuid4().hex, project.id, "", 0, messages))
    studio.database.close()
    server = Served(studio.home.root)
    yield server.start()
    stop_all(server)
    server.end()


def stop_all(server):
    studio = opened(server.home)
    if run := training.active(studio):
        os.kill(int((run.folder / "pid").read_text()), signal.SIGKILL)
    studio.database.close()


def start(page, served):
    """Open the page and start a run that takes some minutes and measures often."""
    page.goto(served.url)
    go_to(page, "Train")
    unfold(page, "Advanced settings")
    for name, value in (
        ("updates", "2000"),
        ("evaluations", "100"),
        ("warm-up", "0"),
        ("learning-rate", "0.002"),
        ("patience", "0"),
        ("forget", "0"),
    ):
        page.locator(f"#train-{name}").locator("input, textarea").fill(value)
    expect(page.locator("#train-figures")).to_contain_text("2,000")
    page.locator("#train-start").click()
    expect(page.locator("#train-live")).to_contain_text(re.compile(r"Update [\d,]+ of 2,000"))
    return page.locator("#train-live")


def sentence(live):
    return live.locator(".progress + p").inner_text()


def test_a_run_is_seen_alike_in_two_windows_and_after_the_server_was_killed(page, served):
    live = start(page, served)
    other = page.context.new_page()
    other.goto(served.url)
    go_to(other, "Train")
    expect(other.locator("#train-live")).to_contain_text(re.compile(r"Update [\d,]+ of 2,000"))
    expect(page.locator("#train-start")).to_have_text("Add to the queue")
    expect(page.locator("#train-busy")).to_contain_text("is training now")

    served.kill()
    before = [(window, sentence(window.locator("#train-live"))) for window in (page, other)]
    served.start()

    for window, said in before:  # each by its own words: they need not be equally new
        expect(window.locator("#train-live .progress + p")).not_to_have_text(said)
    expect(live.locator("svg.curve.wide circle.best")).to_be_visible()
    other.locator("#train-keep").click()
    expect(other.locator("#train-live")).to_contain_text("stopped, best kept")
    expect(live).to_contain_text("stopped, best kept")
    expect(page.locator("#train-start")).to_have_text("Start training")


def test_a_run_waits_in_the_queue_and_the_next_one_begins_by_itself(page, served):
    live = start(page, served)
    name = live.locator("h2").inner_text()
    page.locator("#train-updates").locator("input, textarea").fill("6")
    expect(page.locator("#train-figures")).to_contain_text("6updates")
    page.locator("#train-start").click()
    waiting = page.locator("#train-history li", has_text="waits for its turn")
    expect(waiting).to_have_count(1)
    second = waiting.locator("[data-press=open]").inner_text()

    page.locator("#train-discard").click()
    page.locator("#train-discard-sure").click()
    expect(live).to_contain_text(second)
    expect(live).to_contain_text("finished")
    expect(live.locator(".watch .said")).not_to_have_count(0)
    page.locator("#train-note textarea").fill("Too short to tell")
    page.locator("#train-note textarea").blur()
    unfold(page, "Compare with another run")
    page.locator("#train-other-choice input").click()
    page.get_by_role("option", name=name).click()
    expect(page.locator("#train-difference")).to_contain_text("Updates")
    expect(page.locator("#train-difference")).to_contain_text("the same in both")
    page.reload()
    go_to(page, "Train")
    expect(page.locator("#train-history")).to_contain_text("Too short to tell")


def test_a_run_is_discarded_only_when_it_is_said_twice_and_can_be_deleted(page, served):
    live = start(page, served)
    name = live.locator("h2").inner_text()
    page.locator("#train-discard").click()
    page.locator("#train-go-on").click()
    expect(page.locator("#train-discard-sure")).to_be_hidden()
    page.locator("#train-discard").click()
    page.locator("#train-discard-sure").click()
    expect(live).to_contain_text("It was stopped and discarded")

    row = page.locator("#train-history li", has_text=name)
    row.locator("summary").click()
    row.get_by_role("button", name=f"Delete {name}").click()
    expect(page.locator("#train-history li", has_text=name)).to_have_count(0)


def test_the_length_of_each_turn_and_of_the_whole_is_told_while_one_writes(page, served):
    page.goto(served.url)
    editor = page.locator("#editor")
    answer = editor.locator(".turn.assistant")
    expect(answer.locator(".length")).to_have_text(re.compile(r"^\d+ tokens$"))
    answer.locator("textarea").fill("boat " * 3000)

    expect(answer.locator(".length")).to_have_text(re.compile(r"^[\d,]{5,} tokens$"))
    expect(editor.locator(".sum")).to_contain_text("the model takes 2,048. Training leaves it out.")
    answer.locator("textarea").fill("On the boat. It sails at six.")
    expect(editor.locator(".sum")).to_have_text(re.compile(r"^\d+ tokens$"))
    expect(editor.locator(".saved")).to_have_text(re.compile("^Saved"))


def test_a_killed_worker_is_reported_and_its_run_goes_on(page, served):
    live = start(page, served)
    studio = opened(served.home)
    run = training.active(studio)
    studio.database.close()
    expect(live.locator("svg.curve.wide circle.best")).to_be_visible()  # it was measured, and so saved
    os.kill(int((run.folder / "pid").read_text()), signal.SIGKILL)
    expect(live).to_contain_text("ended from outside")

    page.locator("#train-resume").click()
    expect(live).to_contain_text(re.compile(r"Update [\d,]+ of 2,000"))
    unfold(page, "Everything that this run said")
    expect(page.locator("#train-log")).to_contain_text("resumed")
    page.locator("#train-keep").click()
    expect(live).to_contain_text("stopped, best kept")


def test_a_run_is_repeated_with_changes(page, served):
    page.goto(served.url)
    go_to(page, "Train")
    expect(page.locator("#train-live h2")).to_be_visible()
    page.locator("#train-repeat").click()
    unfold(page, "Advanced settings")
    expect(page.locator("#train-updates").locator("input, textarea")).to_have_value("2000")
    expect(page.locator("#train-figures")).to_contain_text("2,000updates")


def test_a_log_for_another_tool_is_chosen_once_and_one_that_is_not_installed_is_said(page, served):
    def shown():
        page.goto(served.url)
        go_to(page, "Train")
        unfold(page, "Advanced settings")
        return page.locator("#train-tracker"), page.locator("#train-tracker-said")

    tracker, said = shown()
    expect(tracker.get_by_label("Nothing")).to_be_checked()
    tracker.get_by_text("TensorBoard").click()
    expect(said).to_contain_text(f'tensorboard --logdir "{served.home}/runs"')
    if find_spec("trackio") is None:
        tracker.get_by_text("trackio").click()
        expect(said).to_contain_text("-m pip install trackio")
        expect(tracker.get_by_label("TensorBoard")).to_be_checked()

    tracker, said = shown()
    expect(tracker.get_by_label("TensorBoard")).to_be_checked()
    tracker.get_by_text("Nothing").click()
    expect(said).not_to_contain_text("tensorboard")


def test_both_sides_answer_one_message_show_it_as_text_and_can_begin_again(page, served):
    page.goto(served.url)
    go_to(page, "Compare")
    page.locator("#compare-next").click()
    message = page.locator("#compare-message textarea")
    expect(message).to_have_value(re.compile(r"Where is parcel \d+"))
    message.fill(HOSTILE)
    message.press("Shift+Enter")
    message.press_sequentially("second line")
    message.press("Enter")

    for side in ("left", "right"):
        pane = page.locator(f"#compare-{side}-pane")
        expect(pane.locator(".pace")).to_have_text(re.compile(r"[1-9]\d* tokens? in"))
        assert (
            pane.locator(".you").evaluate("each => each.lastChild.textContent") == f"{HOSTILE}\nsecond line"
        )
        assert pane.locator("img, b, script").count() == 0
    assert page.evaluate("window.bad") is None
    expect(message).to_have_value("")

    page.locator("#compare-again").click()
    expect(page.locator("#compare-left-pane")).to_have_text("Nothing asked yet.")


def test_an_empty_message_is_answered_with_a_sentence(page, served):
    page.goto(served.url)
    go_to(page, "Compare")
    page.locator("#compare-send").click()

    expect(page.locator(".toast-body")).to_contain_text("There is no question yet")


def test_a_model_elsewhere_is_tried_switched_on_asked_and_forgotten(page, served):
    with running() as server:
        page.goto(served.url)
        go_to(page, "Compare")
        fold, said, line = (
            page.locator(f"#{each}") for each in ("endpoint", "endpoint-said", "compare-elsewhere")
        )
        unfold(page, "A model elsewhere (off)")
        page.locator("#endpoint-url").locator("input, textarea").fill(server.url)
        page.locator("#endpoint-model").locator("input, textarea").fill("harbour")
        page.locator("#endpoint-key input").fill("sk-secret")
        page.locator("#endpoint-try").click()
        expect(said).to_contain_text("It sails at six.")
        page.locator("#endpoint-on").click()
        expect(fold).to_contain_text(f"A model elsewhere (on: {server.host})")
        expect(page.locator("#endpoint-key input")).to_have_value("")
        against = page.locator("#judge select").last
        expect(against).to_contain_text("Elsewhere: harbour")
        against.select_option(label=f"Elsewhere: harbour at {server.host}")
        expect(page.locator("#judge .before")).to_contain_text(f"Questions go to {server.host} as well")
        against.select_option("base")
        expect(page.locator("#judge .before")).not_to_contain_text("Questions go to")
        expect(line).not_to_contain_text("Questions go to")
        page.locator("#compare-right input").click()
        page.locator("li[role=option]", has_text="Elsewhere: harbour").click()
        expect(line).to_contain_text(f"Questions go to {server.host} as well")
        message = page.locator("#compare-message textarea")
        message.fill("When does it sail?")
        message.press("Enter")
        right = page.locator("#compare-right-pane")
        expect(right).to_contain_text("It sails at six.")
        expect(page.locator("#compare-left-pane .pace")).to_have_text(re.compile(r"[1-9]\d* tokens? in"))
        server.says = failed(500)
        send(message, "And back?")
        expect(right).to_contain_text(f"{server.host} failed (500)")

        page.locator("#endpoint-forget").click()
        expect(fold).to_contain_text("A model elsewhere (off)")
        expect(line).not_to_contain_text("Questions go to")
        expect(page.locator("#compare-right input")).not_to_have_value(re.compile("Elsewhere"))
        expect(right).to_have_text("Nothing asked yet.")
        assert not (served.home / "endpoint.key").exists()
        assert "sk-secret" not in page.content()


def test_a_prompt_is_tried_with_examples_and_kept_for_the_project(page, served):
    page.goto(served.url)
    go_to(page, "Prompt")
    page.locator("#prompt-system textarea").fill("You are Harbour.")
    page.locator("#prompt-use").click()
    expect(page.locator("#prompt-used")).to_contain_text("Saved")
    page.locator("#prompt-message textarea").fill("Where is parcel 3?")
    page.locator("#prompt-send").click()
    expect(page.locator("#prompt-pane .pace")).to_have_text(re.compile(r"[1-9]\d* tokens? in"))
    expect(page.locator("#prompt-chosen tbody tr")).to_have_count(2)

    page.reload()
    go_to(page, "Prompt")
    expect(page.locator("#prompt-system textarea")).to_have_value("You are Harbour.")


def test_a_finding_opens_its_conversation_as_tokens(page, served):
    page.goto(served.url)
    go_to(page, "Check")
    page.locator("#check-findings").get_by_role("button").first.click()

    expect(page.locator("#check-number input")).to_have_value("5")
    expect(page.locator("#check-xray")).to_contain_text("Conversation 0005")
    assert page.locator("#check-xray .xray .tok.learned").count() > 3
    assert "[NAME]" in page.locator("#check-xray .xray").inner_text()


def test_the_examples_are_downloaded(page, served):
    page.goto(served.url)
    page.locator("#tabs [data-count='30']:visible").wait_for()  # the project is there
    go_to(page, "Export")
    page.locator("#export-lines").click()
    with page.expect_download() as coming:
        page.locator("#export-lines-file").click()

    assert coming.value.suggested_filename == "default.jsonl"
    assert coming.value.path().read_bytes().count(b"\n") == 30


def test_without_its_model_each_tab_offers_to_get_it(page, shared):
    page.goto(shared.url)
    for tab in ("Check", "Prompt", "Train", "Compare"):
        go_to(page, tab)
        expect(page.locator(f"#{tab.lower()}-need")).to_contain_text("The base model is not here yet")
        expect(page.locator(f"#{tab.lower()}-get")).to_have_text(
            re.compile(r"Get the starter model \(\d+(\.\d)? MB\)")
        )
    expect(page.locator("#compare-message")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_tab_has_a_serious_accessibility_finding(page, served, theme):
    page.emulate_media(reduced_motion="reduce")  # a button half faded in has not yet its contrast
    page.goto(f"{served.url}/?__theme={theme}")
    for tab in TABS:
        go_to(page, tab)
        expect(page.locator(".page:visible").first).to_be_visible()
        found = Axe().run(page).response["violations"]
        assert [
            (each["id"], each["nodes"][0]["html"])
            for each in found
            if each["impact"] in ("serious", "critical")
        ] == []


def test_every_tab_fits_a_narrow_page(page, served):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(served.url)
    for tab in ("Check", "Prompt", "Train"):
        go_to(page, tab)
        expect(page.locator(".page:visible").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
