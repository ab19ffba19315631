"""Base models without a chat template, under the studio's plain one."""

import json
import shutil

import pytest
import torch
from answered import save_adapter

from studio.core.encode import IGNORED, encode, prompt
from studio.core.errors import ModelNotReady
from studio.core.records import Message, Sampling
from studio.engine import decode, plain, resolve
from studio.engine.api import Ask
from studio.engine.kept import Kept
from studio.engine.local import LocalEngine
from studio.engine.models import ChatTemplate, load_tokenizer

TALK = (
    Message("system", "Be kind."),
    Message("user", "Where is it?"),
    Message("assistant", "Paris, User: and\nAssistant: it is."),
    Message("user", "Sure?"),
    Message("assistant", "Yes."),
)
WRITTEN = (
    "Be kind.\n\nUser:\nWhere is it?\n\nAssistant:\nParis, User: and\nAssistant: it is.<|im_end|>\n\n"
    "User:\nSure?\n\nAssistant:\nYes.<|im_end|>\n\n"
)


def silent(done, total):
    pass


@pytest.fixture
def bare(rehearsal_path, tmp_path):
    """A folder with a model that has no chat template."""
    shutil.copytree(rehearsal_path, tmp_path / "bare")
    settings = tmp_path / "bare" / "tokenizer_config.json"
    told = json.loads(settings.read_text())
    del told["chat_template"]
    settings.write_text(json.dumps(told))
    return tmp_path / "bare"


@pytest.fixture
def engine(tmp_path):
    return LocalEngine(tmp_path / "models")


def made(engine, bare):
    return engine.fetch(f"plain:{bare}", silent)


def template_of(engine, bare):
    return ChatTemplate(load_tokenizer(made(engine, bare).path))


def test_a_base_without_a_chat_template_says_so_and_how_it_can_be_used(engine, bare):
    base = engine.base(str(bare))

    assert (base.path, base.template) == (None, "none")
    assert f"“plain:{bare}”" in base.trouble
    for using in (engine.limit, lambda id: engine.fetch(id, silent)):
        with pytest.raises(ModelNotReady, match="has no chat template"):
            using(base.id)


def test_under_the_plain_template_it_is_the_same_model(engine, bare):
    before = engine.base(f"plain:{bare}")
    base = made(engine, bare)

    assert (before.path, before.trouble) == (None, "")
    assert (base.template, base.trouble, base.parameters) == ("plain", "", 361_088)
    assert (base.path / "model.safetensors").samefile(bare / "model.safetensors")
    assert not (bare / plain.FILE).exists()


def test_answers_are_learned_with_their_end_and_nothing_else_is(engine, bare):
    template = template_of(engine, bare)
    encoded = encode(TALK, template)
    learned = [id for id, label in zip(encoded.ids, encoded.labels, strict=True) if label != IGNORED]

    assert template.render(TALK, False) == WRITTEN
    assert template.tokenizer.decode(learned) == "Paris, User: and\nAssistant: it is.<|im_end|>Yes.<|im_end|>"
    asked = prompt(TALK[:4], template)
    assert encoded.ids[: len(asked)] == asked


def test_a_model_whose_texts_begin_with_a_token_begins_with_it_once(engine, bare):
    path = bare / "tokenizer.json"
    told = json.loads(path.read_text())
    told["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<|im_start|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<|im_start|>": {"id": "<|im_start|>", "ids": [1], "tokens": ["<|im_start|>"]}},
    }  # fmt: skip
    path.write_text(json.dumps(told))
    template = template_of(engine, bare)

    assert template.render(TALK, False) == "<|im_start|>" + WRITTEN
    assert encode(TALK, template).ids.count(1) == 1
    assert template.next_turn == plain.NEXT_TURN


def test_a_model_that_cannot_end_a_text_is_refused(engine, bare):
    settings = bare / "tokenizer_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "eos_token": None}))

    with pytest.raises(ModelNotReady, match="no token that ends a text"):
        made(engine, bare)


def test_a_model_with_a_template_of_its_own_keeps_it(engine, rehearsal_path):
    with pytest.raises(ModelNotReady, match="chat template of its own"):
        engine.fetch(f"plain:{rehearsal_path}", silent)


def test_a_changed_base_is_made_again_and_one_that_is_gone_is_told(engine, bare):
    path = made(engine, bare).path
    (bare / "extra.json").write_text("{}")
    assert engine.base(f"plain:{bare}").path is None
    assert (made(engine, bare).path / "extra.json").is_file()

    shutil.rmtree(bare)
    with pytest.raises(ModelNotReady, match="is not there"):
        resolve.ready(f"plain:{bare}", engine.models)
    assert path.is_dir()


class Scripted:
    """A reader that says what it was told, token by token."""

    model, joinable = None, False

    def __init__(self, ids):
        self.ids = list(ids)

    def seat(self, adapter, past=None, length=0):
        return None

    def forward(self, parts):
        return torch.nn.functional.one_hot(torch.tensor([self.ids.pop(0)]), 512).float()

    def leave(self, seats):
        pass

    def close(self):
        pass


def test_an_answer_is_over_where_the_next_question_begins(engine, bare):
    template = template_of(engine, bare)
    said = template.tokenize("Paris. User: no.\n\nUser:\nAnd then? And so on")[0]
    reader = Scripted(said)
    row = decode.Row(prompt(TALK[:2], template), None, Sampling(), 100, "")
    *_, (last,) = decode.answers(reader, template, [row], Kept(0), lambda: False)

    assert (last.text, last.done, last.cut) == ("Paris. User: no.", True, False)
    assert len(reader.ids) >= 6  # what nobody asked for was not written


def test_a_merged_model_takes_the_template_along(engine, bare, tmp_path):
    made(engine, bare)
    adapter = save_adapter(tmp_path / "adapter", bare, seed=1)
    engine.merge(f"plain:{bare}", adapter, tmp_path / "merged")

    alone = LocalEngine(tmp_path / "elsewhere")
    assert alone.base(str(tmp_path / "merged")).template == "own"
    template = ChatTemplate(load_tokenizer(tmp_path / "merged"))
    assert (template.render(TALK, False), template.next_turn) == (WRITTEN, plain.NEXT_TURN)
    ask = Ask(TALK[:2], None, Sampling(max_tokens=4))
    ((_, answer),) = alone.answer_all(str(tmp_path / "merged"), [ask], 1, lambda: False)
    assert answer.tokens == 4
