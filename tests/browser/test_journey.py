"""The way, once through, as a person goes it: import, edit, train, refresh in the middle, compare, export, load with plain PEFT."""

import json
import re

import pytest
from moves import go_to, unfold
from playwright.sync_api import expect

from studio.work import models, run_history, writing
from studio.work.studio import opened, owner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]
MINUTE = 60_000


@pytest.fixture
def home(tmp_path):
    """A home whose default project uses the rehearsal model, so that nothing is downloaded."""
    studio = opened(tmp_path / "home")
    project = writing.project(studio, "default")
    models.choose(studio, owner(), project.id, "rehearsal")
    models.ensure(studio, project.id, lambda done, total: None)
    studio.database.close()
    return studio.home.root


@pytest.fixture
def file(tmp_path):
    rows = [
        {
            "instruction": f"Where is parcel {number}?",
            "output": f"Parcel {number} is on the boat. It sails at six.",
        }
        for number in range(1, 25)
    ]
    path = tmp_path / "parcels.json"
    path.write_text(json.dumps([*rows, {"instruction": "No answer", "output": ""}]), "utf-8")
    return path


def import_file(page, file):
    page.locator("#first input[type=file]").set_input_files(file)
    expect(page.locator("#preview")).to_contain_text("24")
    page.locator("#import-take").click()
    expect(page.locator("#list")).to_contain_text("of 24")


def edit(page, text):
    answer = page.locator("#editor .turn.assistant textarea").first
    expect(answer).not_to_have_value("")  # what was chosen in the list is open
    answer.fill(text)
    expect(page.locator("#editor .saved")).to_contain_text(re.compile("Saved", re.I))


def train(page, updates):
    go_to(page, "Train")
    expect(page.locator("#train-figures")).to_contain_text("conversations to learn", timeout=MINUTE)
    unfold(page, "Advanced settings")
    page.locator("#train-updates input, #train-updates textarea").first.fill(str(updates))
    page.locator("#train-updates input, #train-updates textarea").first.blur()
    expect(page.locator("#train-figures")).to_contain_text(f"{updates}updates", timeout=MINUTE)
    page.locator("#train-start").click()
    expect(page.locator("#train-live")).to_contain_text("Run 1", timeout=MINUTE)


def test_the_way_once_through(page, served, home, file, tmp_path):
    page.goto(served(home).url)
    import_file(page, file)
    page.locator("#list li").first.click()
    edit(page, "It is on the boat. Keep the lamp.")

    train(page, 40)
    page.reload()
    go_to(page, "Train")
    expect(page.locator("#train-live")).to_contain_text("Run 1", timeout=MINUTE)
    expect(page.locator("#train-history")).to_contain_text("inished", timeout=2 * MINUTE)

    go_to(page, "Compare")
    message = page.locator("#compare-message textarea")
    message.fill("Where is parcel 3?")
    message.press("Enter")
    for side in ("left", "right"):
        pane = page.locator(f"#compare-{side}-pane")
        expect(pane).to_contain_text("Where is parcel 3?", timeout=MINUTE)
        expect(pane).to_contain_text(re.compile(r"\d+ tokens? in"), timeout=MINUTE)

    go_to(page, "Export")
    page.locator("#export-go").click()
    expect(page.locator("#export-said")).to_contain_text("adapter_model.safetensors", timeout=MINUTE)

    studio = opened(home)
    (run,) = run_history.runs_of(studio, writing.project(studio, "default").id)
    conversation = writing.read(studio, 24, run.spec["project"])
    assert conversation.messages[-1].content == "It is on the boat. Keep the lamp."
    loads_with_plain_peft(home / "models" / "rehearsal", home / "exports" / "run-1-adapter")


def loads_with_plain_peft(base, adapter):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    ids = tokenizer("Where is parcel 3?", return_tensors="pt").input_ids
    model = AutoModelForCausalLM.from_pretrained(base)
    plain = model(ids).logits
    tuned = PeftModel.from_pretrained(model, str(adapter))(ids).logits
    assert not plain.allclose(tuned)
