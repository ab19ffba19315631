"""Answers of base and tuned rows in one batch, against transformers' and PEFT's own, in fp32."""

import json
import shutil
import threading
from itertools import pairwise

import pytest
import torch
from answered import FREE, LONG, SHORT, generated, ids, last, loaded, never, peers, row, save_adapter, told
from transformers import LlamaForCausalLM

from studio.core.encode import prompt
from studio.core.errors import BadInput, Busy, ModelNotReady
from studio.core.records import Message, Sampling
from studio.engine import adapters, answering, decode, models, packing
from studio.engine.api import Ask
from studio.engine.kept import Kept
from studio.engine.llama_reader import LlamaReader
from studio.engine.local import LocalEngine
from studio.engine.neutral import NeutralReader
from studio.engine.overlay import Overlay


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


def shift_positions(monkeypatch):
    """Each new token stands one place too far; shifting all of them would change nothing, positions are relative."""
    forward = LlamaForCausalLM.forward

    def wrong(model, *, position_ids, past_key_values, **given):
        late = int(past_key_values.get_seq_length() > 0)
        return forward(model, position_ids=position_ids + late, past_key_values=past_key_values, **given)

    monkeypatch.setattr(LlamaForCausalLM, "forward", wrong)


def swap_rows(monkeypatch):
    deal = Overlay.deal
    monkeypatch.setattr(Overlay, "deal", lambda overlay, rows: deal(overlay, rows[::-1]))


@pytest.mark.parametrize("mistake", [swap_rows, shift_positions])
def test_control_a_row_with_the_wrong_adapter_or_position_is_seen_in_the_answers(
    rehearsal_path, tuned, monkeypatch, mistake
):
    model, template = loaded(rehearsal_path)
    rows = [(LONG, None), (LONG, adapters.read(tuned))]
    expected = ids(model, template, [row(template, *each) for each in rows])

    mistake(monkeypatch)

    assert ids(model, template, [row(template, *each) for each in rows]) != expected


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


def test_stopping_ends_the_answer_within_a_token(rehearsal_path, monkeypatch):
    monkeypatch.setattr(decode, "CHUNK", 1024)  # both prompts are read in the first pass
    model, template = loaded(rehearsal_path)
    asked = []

    def stopping():
        asked.append(True)
        return len(asked) > 4  # once before the prompt, then after each token

    yields = list(told(model, template, [row(template, SHORT), row(template, LONG)], stopping))

    assert [answer.tokens for answer in yields[-1]] == [4, 4]
    assert all(answer.done for answer in yields[-1])
    assert not any(answer.done for answer in yields[-2])


def test_stopping_ends_the_reading_of_a_long_prompt_within_a_chunk(rehearsal_path, monkeypatch):
    monkeypatch.setattr(decode, "CHUNK", 16)
    model, template = loaded(rehearsal_path)
    kept, asked = Kept(2**30), []

    yields = list(
        told(model, template, [row(template, LONG)], lambda: len(asked) > 2 or asked.append(1), kept)
    )

    assert [answer.tokens for (answer,) in yields] == [0]
    assert [len(each.ids) for each in kept.entries] == [3 * 16]


def test_closing_the_answer_leaves_the_model_without_a_trace(rehearsal_path, tuned):
    model, template = loaded(rehearsal_path)
    before = ids(model, template, [row(template, SHORT)])

    answers = told(model, template, [row(template, SHORT, adapters.read(tuned))], never)
    next(answers)
    answers.close()

    assert not any(module._forward_hooks for module in model.modules())
    assert ids(model, template, [row(template, SHORT)]) == before


def test_the_text_grows_only_at_its_end_and_never_shows_half_a_character(rehearsal_path):
    model, template = loaded(rehearsal_path)
    steps = list(
        told(model, template, [row(template, LONG, temperature=1.5, top_p=1.0, max_tokens=80)], never)
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
        made.take(torch.nn.functional.one_hot(torch.tensor(id), 512).float(), template.end_ids, 0.0)
        seen.append(made.answer(template).text)

    assert len(snowman) == 3
    assert seen == ["", "", "\u2603"]


def test_control_tokens_in_an_answer_are_not_shown(rehearsal_path):
    _, template = loaded(rehearsal_path)
    made = row(template, SHORT)
    for id in template.tokenize("Hi<|im_start|> there")[0]:
        made.take(torch.nn.functional.one_hot(torch.tensor(id), 512).float(), template.end_ids, 0.0)

    assert made.answer(template).text == "Hi there"


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


def test_the_engine_answers_base_and_tuned_and_tells_them_apart(engine, tuned):
    greedy = Sampling(FREE)

    base, adapted, shown = last(
        engine.answers(
            "rehearsal",
            [Ask(SHORT, None, greedy), Ask(SHORT, tuned, greedy), Ask(SHORT, None, greedy, "prompt:calm@2")],
            never,
        )
    )
    system = last(
        engine.answers("rehearsal", [Ask((Message("system", "Hm."), *SHORT), None, greedy)], never)
    )[0]

    assert base.text != adapted.text
    assert len({each.fingerprint for each in (base, adapted, shown, system)}) == 4
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


def test_a_second_question_waits_for_the_end_of_the_first_or_until_it_is_left(engine):
    first = engine.answers("rehearsal", [Ask(SHORT, None, Sampling(FREE))], never)
    next(first)

    assert engine.answering_now()
    assert list(engine.answers("rehearsal", [Ask(SHORT, None, Sampling(FREE))], lambda: True)) == []
    threading.Timer(0.3, first.close).start()
    assert last(engine.answers("rehearsal", [Ask(SHORT, None, Sampling(FREE))], never))[0].done
    assert not engine.answering_now()


def test_a_model_that_answers_is_not_put_away(engine, monkeypatch):
    monkeypatch.setattr(answering, "PATIENCE", 0.05)
    first = engine.answers("rehearsal", [Ask(SHORT, None, Sampling(FREE))], never)
    next(first)

    with pytest.raises(Busy, match="cannot be put away"):
        engine.unload()
    first.close()
    engine.unload()


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
    overlay = Overlay(model)
    overlay.deal([overlay.lay(adapters.read(adapter))])
    with torch.inference_mode():
        expected = model(given).logits
        overlay.lift()
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

    def answered(reader):
        return ids(
            reader, template, [row(template, each, who, 20) for each in questions for who in (None, held)]
        )

    expected = [plain[0], adapted[0], plain[1], adapted[1]]
    assert answered(NeutralReader(model)) == expected
    assert answered(LlamaReader(model)) == expected
    packing.pack(model)
    assert answered(NeutralReader(model)) == expected
    assert plain != adapted


@pytest.mark.starter
def test_the_starter_answers_in_four_bits(starter_path):
    model, template = loaded(starter_path, "nf4")
    models.pack_for_answers(model, True)
    question = row(template, (Message("user", "What is the capital of France?"),), max_tokens=12)
    ids(model, template, [question])

    assert "Paris" in question.answer(template).text
