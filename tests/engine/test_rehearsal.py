"""The model that is made on the spot."""

import hashlib

from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from studio.core.encode import encode, xray
from studio.core.records import Message
from studio.engine import catalogue, folders, models, rehearsal
from studio.engine.local import LocalEngine

TALK = (Message("user", "Where is my parcel?"), Message("assistant", "On its way, “Ada” \u2603!"))


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_files_and_another_one_other_weights(tmp_path):
    first, again, other = (
        rehearsal.make(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )

    assert hashes(first) == hashes(again)
    assert hashes(first)["model.safetensors"] != hashes(other)["model.safetensors"]
    assert hashes(first)["tokenizer.json"] == hashes(other)["tokenizer.json"]


def test_transformers_loads_it_as_an_ordinary_model(rehearsal_path):
    model = AutoModelForCausalLM.from_pretrained(rehearsal_path)
    tokenizer = AutoTokenizer.from_pretrained(rehearsal_path)

    assert tokenizer.is_fast
    assert sum(each.numel() for each in model.parameters()) == catalogue.entry("rehearsal").parameters
    assert folders.weights(rehearsal_path).parameters == catalogue.entry("rehearsal").parameters
    assert len(load_file(rehearsal_path / "model.safetensors")) == 20


def test_its_template_can_be_trained_and_writes_any_text(rehearsal_path):
    template = models.ChatTemplate(models.load_tokenizer(rehearsal_path))
    encoded = encode(TALK, template)
    learned = [token for token in xray(TALK, template, 1000) if token.learned]

    assert template.decode([label for label in encoded.labels if label >= 0]) == TALK[1].content
    assert learned[-1].text == "<|im_end|>"


def test_it_is_made_once_on_first_need(tmp_path):
    engine = LocalEngine(tmp_path)
    assert engine.base("rehearsal").path is None

    made = engine.fetch("rehearsal", lambda done, total: None).path
    before = hashes(made)

    assert engine.fetch("rehearsal", lambda done, total: None).path == made
    assert hashes(made) == before
