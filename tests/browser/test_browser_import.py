"""Files in and out of the real page: dropped, their columns named, looked at, taken with progress, undone, exported."""

import csv
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror='window.bad=1'> =1+1"


def drop(page, path):
    """Drop a file on the tab, as the browser tells it."""
    page.evaluate(
        """([name, text]) => {
          const data = new DataTransfer();
          data.items.add(new File([text], name));
          const at = document.querySelector("#tab-write");
          for (const kind of ["dragover", "drop"]) at.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        [path.name, path.read_text("utf-8")],
    )


def table_of(path, count, heads=("Nr", "Spalte A", "Spalte B")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [
                heads,
                *([n, f"{HOSTILE} Frage {n}{' Lampe' * (n % 5 == 0)}", f"Nr. {n}"] for n in range(count)),
                ["", "", "x"],
            ]
        )
    return path


def test_a_table_with_odd_columns_is_dropped_mapped_looked_at_taken_and_undone(page, project, tmp_path):
    page.goto(project)
    expect(page.locator("#begin")).to_be_visible()
    drop(page, table_of(tmp_path / "odd.csv", 60))
    incoming = page.locator("#preview .incoming")
    expect(incoming).to_contain_text("Say which columns hold the questions and the answers.")

    expect(incoming.get_by_role("row", name=f"1 {HOSTILE} Frage 1 Nr. 1")).to_be_visible()
    incoming.get_by_label("Question", exact=True).select_option("Spalte A")
    incoming.get_by_label("Answer", exact=True).focus()
    incoming.get_by_label("Answer", exact=True).select_option("Spalte B")
    expect(incoming).to_contain_text("61 rows. 60 good rows to import, 1 that cannot be used.")
    expect(incoming.get_by_label("Answer", exact=True)).to_be_focused()
    expect(incoming).to_contain_text("Not kept: Nr.")
    expect(incoming.get_by_role("row", name="Turn 1 is empty.")).to_be_visible()
    incoming.get_by_label("Import row 2", exact=True).uncheck()
    incoming.get_by_label("As", exact=True).select_option("draft")
    incoming.get_by_label("With the tag").fill("from the desk")
    serious(page)
    incoming.get_by_role("button", name="Import 59 conversations").click()

    expect(incoming).to_contain_text("59 conversations imported from odd.csv.")
    expect(page.locator("#list .range")).to_have_text("1–50 of 59")
    expect(page.locator("#list .rows .q").first).to_have_text(f"{HOSTILE} Frage 59")
    assert page.evaluate("window.bad") is None
    page.locator("#files .out summary").click()
    page.locator("#files .imports summary").click()
    expect(page.locator("#files .imports li")).to_have_text(
        re.compile(r"odd\.csv, 59 conversations, \d\d:\d\d, by .*Undo import")
    )
    serious(page)
    page.locator("#list .search").fill("Lampe")
    expect(page.locator("#files .what")).to_have_value("shown")
    expect(page.locator("#files .what option").last).to_have_text("What the list shows: 12 conversations")
    page.locator("#files .kind").select_option("excel")
    with page.expect_download() as download:
        page.locator("#export-jsonl").click()
    with download.value.path().open(newline="", encoding="utf-8-sig") as file:
        assert sum(1 for _ in csv.reader(file)) == 1 + 2 * 12

    page.locator("#list .rows button").nth(1).click()
    expect(page.locator("#editor h2")).to_have_text("Conversation 0050")
    page.locator("#editor").get_by_role("button", name="Approve").click()
    expect(page.locator("#list .state.approved")).to_have_count(1)
    incoming.get_by_role("button", name="Undo import").click()
    expect(incoming).to_contain_text("58 conversations are in the bin. 1 was changed since and stays.")
    page.locator("#list .search").fill("")
    expect(page.locator("#list .range")).to_have_text("1–1 of 1")


def test_of_two_choices_answered_in_the_other_order_the_last_one_counts(page, project, tmp_path):
    page.goto(project)
    expect(page.locator("#begin")).to_be_visible()
    drop(page, table_of(tmp_path / "first.csv", 3))
    incoming = page.locator("#preview .incoming")
    late = []

    def answer(route):
        if "on_columns" in (route.request.post_data or "") and not late:
            late.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/component_server/", answer)
    # The answer is guessed to be in the same column, so this alone is asked for.
    incoming.get_by_label("Question", exact=True).select_option("Spalte A")
    while not late:
        page.wait_for_timeout(20)
    incoming.get_by_label("Answer", exact=True).select_option("Spalte B")
    expect(incoming).to_contain_text("Not kept: Nr.")
    (route, response) = late[0]
    route.fulfill(response=response)
    page.wait_for_timeout(1000)

    expect(incoming).to_contain_text("Not kept: Nr.")
    incoming.get_by_role("button", name="Import 3 conversations").click()
    expect(incoming).to_contain_text("3 conversations imported")
    expect(page.locator("#list .rows .q").first).to_have_text(f"{HOSTILE} Frage 2")


def test_the_columns_are_remembered_and_a_large_import_is_stopped(page, project, tmp_path):
    page.goto(project)
    expect(page.locator("#begin")).to_be_visible()
    drop(page, table_of(tmp_path / "first.csv", 3))
    incoming = page.locator("#preview .incoming")
    incoming.get_by_label("Question", exact=True).select_option("Spalte A")
    incoming.get_by_label("Answer", exact=True).select_option("Spalte B")
    expect(incoming).to_contain_text("3 good rows")
    incoming.get_by_role("button", name="Cancel").click()
    expect(incoming).to_be_empty()

    drop(page, table_of(tmp_path / "second.csv", 20_000))
    expect(incoming).to_contain_text("20,000 good rows")
    incoming.get_by_role("button", name="Import 20,000 conversations").click()
    expect(incoming.get_by_role("progressbar")).to_be_visible()
    expect(incoming).to_contain_text(re.compile(r"rows read of 20,001, [\d,]+ written, \d+ s left"))
    incoming.get_by_role("button", name="Stop").click()
    expect(incoming).to_contain_text("Nothing was imported.")
    expect(incoming.get_by_role("button", name="Import 20,000 conversations")).to_be_visible()
    expect(page.locator("#first")).to_have_count(1)


def serious(page):
    for width, height, scheme in ((390, 844, "dark"), (1280, 800, "light")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []  # fmt: skip
        assert page.evaluate("document.documentElement.scrollWidth") <= width
