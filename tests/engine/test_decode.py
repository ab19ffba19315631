"""Answers of base and tuned rows in one batch, against transformers' and PEFT's own, in fp32."""

import json
import shutil
import threading
from itertools import pairwise

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from studio.core.encode import prompt
from studio.core.errors import BadInput, Busy, ModelNotReady
from studio.core.records import Message, Sampling
from studio.engine import adapters, answering, decode, models
from studio.engine.api import Ask
from studio.engine.local import LocalEngine

SHORT = (Message("user", "Hello"),)
LONG = (
    Message("system", "Answer in one sentence, and kindly."),
    Message("user", "When will my parcel arrive? " * 12),
)
FREE = 24  # tokens


def never():
    return False


def loaded(folder, precision="fp32"):
    return models.load(folder, precision, "cpu"), models.ChatTemplate(models.load_tokenizer(folder))


def save_adapter(folder, base, seed, strength=0.05, **changes):
    """An adapter with random weights that are not zero, as PEFT saves it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", **changes}
        model = get_peft_model(
            models.load(base, "fp32", "cpu"), LoraConfig(task_type="CAUSAL_LM", **settings)
        )
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=strength)
    model.save_pretrained(folder, save_embedding_layers=False)
    return folder


@pytest.fixture(scope="session")
def tuned(rehearsal_path, tmp_path_factory):
    return save_adapter(tmp_path_factory.mktemp("tuned") / "adapter", rehearsal_path, seed=1)


@pytest.fixture(scope="session")
def other(rehearsal_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other") / "adapter"
    return save_adapter(
        folder, rehearsal_path, seed=2, r=2, use_rslora=True, target_modules=["q_proj", "down_proj"]
    )


def row(template, messages, adapter=None, max_tokens=FREE, **sampling):
    return decode.Row(prompt(messages, template), adapter, Sampling(max_tokens, **sampling), max_tokens, "")


def ids(model, template, rows, stopping=never):
    for _ in decode.answers(model, template, rows, stopping):
        pass
    return [each.ids for each in rows]


def generated(model, template, messages, new=FREE):
    """What transformers answers by itself, without its end token."""
    given = torch.tensor([prompt(messages, template)])
    made = model.generate(
        given, attention_mask=torch.ones_like(given), max_new_tokens=new, do_sample=False, pad_token_id=0
    )[0, given.shape[1] :].tolist()
    return [id for id in made if id not in template.end_ids]


def peers(base, adapter, questions, new=FREE):
    """The answers of the base, then of the adapter through PEFT, one after the other."""
    template = models.ChatTemplate(models.load_tokenizer(base))
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter
    )
    with model.disable_adapter():
        plain = [generated(model, template, each, new) for each in questions]
    return plain, [generated(model, template, each, new) for each in questions]


def test_both_answers_are_token_for_token_those_of_generate(rehearsal_path, tuned):
    model, template = loaded(rehearsal_path)
    plain, adapted = peers(rehearsal_path, tuned, [SHORT, LONG])
    adapter = adapters.read(tuned)

    made = ids(
        model,
        template,
        [
            row(template, SHORT),
            row(template, SHORT, adapter),
            row(template, LONG),
            row(template, LONG, adapter),
        ],
    )

    assert made == [plain[0], adapted[0], plain[1], adapted[1]]
    assert plain != adapted


def test_two_different_adapters_answer_in_one_batch(rehearsal_path, tuned, other):
    model, template = loaded(rehearsal_path)
    first, second = adapters.read(tuned), adapters.read(other)

    made = ids(
        model,
        template,
        [row(template, LONG, second), row(template, SHORT, first), row(template, SHORT, second)],
    )

    assert made[0] == peers(rehearsal_path, other, [LONG])[1][0]
    assert made[1] == peers(rehearsal_path, tuned, [SHORT])[1][0]
    assert made[2] == peers(rehearsal_path, other, [SHORT])[1][0]


def test_a_prompt_read_in_chunks_gives_the_same_answer(rehearsal_path, tuned, monkeypatch):
    model, template = loaded(rehearsal_path)
    whole = ids(model, template, [row(template, SHORT), row(template, LONG, adapters.read(tuned))])

    monkeypatch.setattr(decode, "CHUNK", 16)  # the short row is then padding only in the first chunks
    chunked = ids(model, template, [row(template, SHORT), row(template, LONG, adapters.read(tuned))])

    assert chunked == whole


def test_a_row_that_ends_early_leaves_the_others_as_they_were(rehearsal_path, tuned, tmp_path):
    model, template = loaded(rehearsal_path)
    alone = generated(model, template, SHORT)
    folder = tmp_path / "ends"
    shutil.copytree(rehearsal_path, folder)
    end = next(id for id in alone[5:] if id not in alone[:5])
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "eos_token_id": [2, end]}))
    model, template = loaded(folder)
    neighbours = [row(template, SHORT), row(template, LONG, adapters.read(tuned))]

    short, long = ids(model, template, neighbours)

    assert short == alone[: alone.index(end)]
    assert len(long) > len(short)
    assert long == peers(folder, tuned, [LONG])[1][0]


def test_a_drawn_answer_repeats_with_its_seed_whatever_its_neighbour_does(rehearsal_path, tuned):
    model, template = loaded(rehearsal_path)
    drawn = {"temperature": 1.0, "top_p": 0.9}

    alone = ids(model, template, [row(template, SHORT, seed=7, **drawn)])[0]
    beside = ids(
        model,
        template,
        [row(template, LONG, adapters.read(tuned), seed=3, **drawn), row(template, SHORT, seed=7, **drawn)],
    )[1]
    another = ids(model, template, [row(template, SHORT, seed=8, **drawn)])[0]

    assert alone == beside
    assert alone != another


@pytest.mark.parametrize(("top_p", "expected"), [(0.7, {0, 1}), (0.0, {0}), (1.0, {0, 1, 2, 3})])
def test_only_the_smallest_set_of_tokens_that_holds_top_p_is_drawn_from(top_p, expected):
    scores = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    chance = torch.Generator().manual_seed(0)

    drawn = {decode.choose(scores, Sampling(temperature=1.0, top_p=top_p), chance) for _ in range(300)}

    assert drawn == expected


def test_stopping_ends_the_answer_within_a_token(rehearsal_path):
    model, template = loaded(rehearsal_path)
    asked = []

    def stopping():
        asked.append(True)
        return len(asked) > 4  # once before the prompt, then after each token

    yields = list(decode.answers(model, template, [row(template, SHORT), row(template, LONG)], stopping))

    assert [answer.tokens for answer in yields[-1]] == [4, 4]
    assert all(answer.done for answer in yields[-1])
    assert not any(answer.done for answer in yields[-2])


def test_closing_the_answer_leaves_the_model_without_a_trace(rehearsal_path, tuned):
    model, template = loaded(rehearsal_path)
    before = ids(model, template, [row(template, SHORT)])

    answers = decode.answers(model, template, [row(template, SHORT, adapters.read(tuned))], never)
    next(answers)
    answers.close()

    assert not any(module._forward_hooks for module in model.modules())
    assert ids(model, template, [row(template, SHORT)]) == before


def test_the_text_grows_only_at_its_end_and_never_shows_half_a_character(rehearsal_path):
    model, template = loaded(rehearsal_path)
    steps = list(
        decode.answers(
            model, template, [row(template, LONG, temperature=1.5, top_p=1.0, max_tokens=80)], never
        )
    )
    texts = [answer.text for (answer,) in steps]

    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert not any(text.endswith("\ufffd") for text in texts)
    assert steps[-1][0].text


def test_a_character_of_several_tokens_appears_when_it_is_whole(rehearsal_path):
    _, template = loaded(rehearsal_path)
    snowman = template.tokenize("\u2603")[0]
    made = row(template, SHORT)
    seen = []
    for id in snowman:
        made.take(torch.nn.functional.one_hot(torch.tensor(id), 512).float(), template, 0.0)
        seen.append(made.text)

    assert len(snowman) == 3
    assert seen == ["", "", "\u2603"]


def test_control_tokens_in_an_answer_are_not_shown(rehearsal_path):
    _, template = loaded(rehearsal_path)
    made = row(template, SHORT)
    for id in template.tokenize("Hi<|im_start|> there")[0]:
        made.take(torch.nn.functional.one_hot(torch.tensor(id), 512).float(), template, 0.0)

    assert made.text == "Hi there"


def test_a_four_bit_model_answers_both_rows(rehearsal_path, tuned):
    model, template = loaded(rehearsal_path, "nf4")
    made = ids(model, template, [row(template, LONG), row(template, LONG, adapters.read(tuned))])
    models.pack_for_answers(model, True)
    again = ids(model, template, [row(template, LONG), row(template, LONG, adapters.read(tuned))])

    assert made[0] != made[1]
    assert all(len(each) == FREE for each in made + again)


@pytest.mark.parametrize(
    "changes",
    [{"use_dora": True}, {"bias": "all"}, {"modules_to_save": ["lm_head"]}, {"alpha_pattern": {"q_proj": 3}}],
)
def test_an_adapter_of_another_kind_is_refused_with_a_sentence(rehearsal_path, tmp_path, changes):
    folder = save_adapter(tmp_path / "adapter", rehearsal_path, 0, **changes)

    with pytest.raises(ModelNotReady, match=f"cannot answer with .{next(iter(changes))}"):
        adapters.read(folder)


def test_a_missing_adapter_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(ModelNotReady, match="missing or damaged"):
        adapters.read(tmp_path / "adapter")


def test_an_adapter_of_another_base_is_refused_with_a_sentence(rehearsal_path, tuned):
    model, template = loaded(rehearsal_path)
    adapter = adapters.read(tuned)
    wrong = {name.replace("layers.1", "layers.7"): pair for name, pair in adapter.linears.items()}
    stranger = adapters.Adapter("other", wrong, "")

    with pytest.raises(ModelNotReady, match="does not fit this base"):
        ids(model, template, [row(template, SHORT, stranger)])


# --- through the engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = LocalEngine(tmp_path_factory.mktemp("home"))
    engine.fetch("rehearsal", lambda done, total: None)
    return engine


def last(answers):
    *_, final = answers
    return final


def test_the_engine_answers_base_and_tuned_and_tells_them_apart(engine, tuned):
    greedy = Sampling(FREE)

    base, adapted = last(
        engine.answers("rehearsal", [Ask(SHORT, None, greedy), Ask(SHORT, tuned, greedy)], never)
    )
    system = last(
        engine.answers("rehearsal", [Ask((Message("system", "Hm."), *SHORT), None, greedy)], never)
    )[0]

    assert base.text != adapted.text
    assert len({base.fingerprint, adapted.fingerprint, system.fingerprint}) == 3
    assert (
        last(engine.answers("rehearsal", [Ask(SHORT, None, greedy)], never))[0].fingerprint
        == base.fingerprint
    )
    assert engine.loaded().startswith("Rehearsal")


def test_an_adapter_written_anew_is_read_anew(engine, rehearsal_path, tmp_path):
    folder = save_adapter(tmp_path / "adapter", rehearsal_path, seed=1, strength=0.2)
    first = last(engine.answers("rehearsal", [Ask(SHORT, folder, Sampling(FREE))], never))[0]
    save_adapter(folder, rehearsal_path, seed=9, strength=0.2)
    second = last(engine.answers("rehearsal", [Ask(SHORT, folder, Sampling(FREE))], never))[0]

    assert first.fingerprint != second.fingerprint
    assert first.text != second.text


def test_a_second_question_is_told_that_the_first_is_being_answered(engine, monkeypatch):
    monkeypatch.setattr(answering, "PATIENCE", 0.05)
    first = engine.answers("rehearsal", [Ask(SHORT, None, Sampling(FREE))], never)
    next(first)

    with pytest.raises(Busy, match="being answered"):
        next(engine.answers("rehearsal", [Ask(SHORT, None, Sampling(FREE))], never))
    first.close()

    assert last(engine.answers("rehearsal", [Ask(SHORT, None, Sampling(FREE))], never))[0].done


def test_each_token_may_be_asked_for_by_another_thread(engine, tuned):
    """The page's server runs the steps of one generator in whichever of its threads is free."""
    asks = [Ask(LONG, None, Sampling(FREE)), Ask(LONG, tuned, Sampling(FREE))]
    expected = last(engine.answers("rehearsal", asks, never))
    answers, seen = engine.answers("rehearsal", asks, never), []

    def step():
        seen.append(next(answers, None))

    while not seen or seen[-1] is not None:
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()

    assert [each.text for each in seen[-2]] == [each.text for each in expected]
    assert torch.is_inference_mode_enabled() is False


def test_a_question_longer_than_the_model_takes_is_refused_with_numbers(engine):
    with pytest.raises(BadInput, match=r"has [\d,]+ tokens and Rehearsal.* takes 2,048"):
        next(
            engine.answers(
                "rehearsal", [Ask((Message("user", "word " * 3000),), None, Sampling(FREE))], never
            )
        )


def test_an_answer_ends_where_the_model_ends(engine):
    room = 40
    text = "x" * (2048 - room - len(prompt((Message("user", ""),), engine.template("rehearsal"))))
    question = (Message("user", text),)
    used = len(prompt(question, engine.template("rehearsal")))

    answer = last(engine.answers("rehearsal", [Ask(question, None, Sampling(4000))], never))[0]

    assert answer.done
    assert answer.tokens <= 2048 - used


def test_unloading_gives_the_model_back_and_the_next_question_loads_it_again(engine):
    last(engine.answers("rehearsal", [Ask(SHORT, None, Sampling(2))], never))
    engine.unload()

    assert engine.loaded() is None
    assert last(engine.answers("rehearsal", [Ask(SHORT, None, Sampling(2))], never))[0].tokens == 2


def test_a_merged_model_answers_as_base_and_adapter_do(engine, rehearsal_path, tmp_path):
    adapter = save_adapter(tmp_path / "run" / "adapter", rehearsal_path, seed=1, strength=0.2)
    files = engine.merge("rehearsal", adapter, tmp_path / "merged")
    merged, template = loaded(tmp_path / "merged")
    model, _ = loaded(rehearsal_path)
    given = torch.tensor([prompt(LONG, template)])
    with torch.inference_mode(), adapters.over_rows(model, [adapters.read(adapter)]):
        expected = model(given).logits
    with torch.inference_mode():
        difference = (merged(given).logits - expected).abs().max()
        base = (model(given).logits - expected).abs().max()

    assert {path.name for path in files} >= {"model.safetensors", "config.json", "tokenizer.json"}
    assert models.load_tokenizer(tmp_path / "merged").chat_template == template.tokenizer.chat_template
    assert difference < 0.05 * base


# --- on the starter


@pytest.mark.starter
def test_on_the_starter_both_answers_are_token_for_token_those_of_generate(starter_path, tmp_path):
    adapter = save_adapter(tmp_path / "adapter", starter_path, seed=1, strength=0.1, r=8)
    questions = [(Message("user", "What is the capital of France?"),), LONG]
    plain, adapted = peers(starter_path, adapter, questions, new=20)
    model, template = loaded(starter_path)
    held = adapters.read(adapter)

    made = ids(
        model,
        template,
        [row(template, each, who, max_tokens=20) for each in questions for who in (None, held)],
    )

    assert made == [plain[0], adapted[0], plain[1], adapted[1]]
    assert plain != adapted


@pytest.mark.starter
def test_the_starter_answers_in_four_bits(starter_path):
    model, template = loaded(starter_path, "nf4")
    models.pack_for_answers(model, True)
    question = row(template, (Message("user", "What is the capital of France?"),), max_tokens=12)
    ids(model, template, [question])

    assert "Paris" in question.text
