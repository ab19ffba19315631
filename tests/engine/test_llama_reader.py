"""Readers of many architectures against transformers' and PEFT's own answers, token for token in fp32."""

import logging

import pytest
import torch
from answered import (
    FREE,
    LONG,
    SHORT,
    generated,
    ids,
    last,
    loaded,
    never,
    peers,
    row,
    save_adapter,
    tiny,
    told,
)

from studio.core.records import Message, Sampling
from studio.engine import adapters, answering, decode, llama, llama_reader, packing
from studio.engine.api import Ask
from studio.engine.kept import Kept
from studio.engine.llama_reader import LlamaReader, agrees
from studio.engine.neutral import NeutralReader

KIN = {
    "llama": {},
    "llama, long": {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}},
    "llama, biases": {"attention_bias": True, "mlp_bias": True},
    "mistral": {"sliding_window": None},
    "qwen2": {},
    "qwen3": {"head_dim": 32},
}
OTHERS = {
    "gpt_neox": {},
    "gemma2": {"sliding_window": 32},
    "gemma3_text": {"sliding_window": 32},
    "phi3": {},
    "olmo2": {},
    "mistral": {"sliding_window": 32},
    "falcon_h1": {"mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 8},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a tiny model and one with an adapter for it, made once for each architecture."""
    known = {}

    def make(name, changes):
        if name not in known:
            place = tmp_path_factory.mktemp("made")
            base = tiny(place / "base", name.split(",")[0], **changes)
            targets = ["q_proj", "down_proj"] if name.startswith("falcon") else "all-linear"
            known[name] = base, save_adapter(place / "adapter", base, 1, 0.1, target_modules=targets)
        return known[name]

    return make


def rows(template, arms, max_tokens=FREE):
    return [row(template, question, arm, max_tokens) for question in (SHORT, LONG) for arm in arms]


@pytest.mark.parametrize("name", KIN)
@pytest.mark.parametrize("pack", [True, False])
def test_the_llama_reader_answers_as_generate_does(made, monkeypatch, name, pack):
    monkeypatch.setattr(packing, "fits", lambda weights: pack)
    base, folder = made(name, KIN[name])
    model, template = loaded(base)
    assert llama.applies(model)
    reader = LlamaReader(model)
    plain, adapted = peers(base, folder, [SHORT, LONG])

    answered = ids(reader, template, rows(template, [None, adapters.read(folder)]))

    assert agrees(reader)
    assert answered == [plain[0], adapted[0], plain[1], adapted[1]]
    assert plain != adapted


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_architecture_answers_as_generate_does(made, name):
    base, folder = made(f"{name}, other", OTHERS[name])
    model, template = loaded(base)
    assert not llama.applies(model)
    plain, adapted = peers(base, folder, [SHORT, LONG])

    answered = ids(answering.read_by(model), template, rows(template, [None, adapters.read(folder)]))

    assert answered == [plain[0], adapted[0], plain[1], adapted[1]]
    assert plain != adapted


def test_the_weights_stay_where_they_are_unless_they_are_packed(rehearsal_path, monkeypatch):
    monkeypatch.setattr(packing, "fits", lambda weights: False)
    model, template = loaded(rehearsal_path)
    expected = generated(model, template, SHORT)

    LlamaReader(model)
    attention = model.model.layers[0].self_attn

    assert (
        attention.q_proj.weight.untyped_storage().data_ptr()
        == attention.v_proj.weight.untyped_storage().data_ptr()
    )
    assert generated(model, template, SHORT) == expected


@pytest.fixture
def arms_of_both(rehearsal_path, tuned, other):
    model, template = loaded(rehearsal_path)
    return (
        LlamaReader(model),
        NeutralReader(model),
        template,
        [None, adapters.read(tuned), adapters.read(other)],
    )


def test_a_long_prompt_is_read_in_chunks_while_its_neighbour_answers(arms_of_both, monkeypatch):
    reader, neutral, template, arms = arms_of_both
    expected = ids(neutral, template, rows(template, arms))
    monkeypatch.setattr(decode, "CHUNK", 3)
    monkeypatch.setattr(decode, "LEAST", 3)

    steps = list(told(reader, template, chunked := rows(template, arms)))

    assert [each.ids for each in chunked] == expected
    assert any(step[0].tokens and not step[-1].tokens for step in steps)


@pytest.mark.parametrize("room", [0, 2**30])
def test_the_llama_reader_answers_a_list_as_it_answers_one(arms_of_both, room):
    reader, neutral, template, arms = arms_of_both
    lengths = [5, 2, 9, 1, 7, 3, 6, 4]
    questions = [(Message("user", f"{'Please. ' * (each % 3)}What is {each}?"),) for each in range(8)]

    def asked():
        return [
            row(template, question, arms[at % 3], length)
            for at, (question, length) in enumerate(zip(questions, lengths, strict=True))
        ]

    alone = [ids(neutral, template, [each])[0] for each in asked()]
    listed = asked()
    places = [place for place, _ in decode.answer_all(reader, template, listed, 3, Kept(room), never)]

    assert [each.ids for each in listed] == alone
    assert sorted(places) == list(range(8))


def test_the_llama_reader_goes_on_from_what_it_read(arms_of_both):
    reader, neutral, template, arms = arms_of_both
    kept, read = Kept(2**30), []
    forward = reader.forward
    reader.forward = lambda parts: read.append(sum(len(part) for _, part in parts)) or forward(parts)
    *_, first = told(reader, template, [row(template, LONG, arm) for arm in arms], kept=kept)
    second = [(*LONG, Message("assistant", each.text), Message("user", "And then?")) for each in first]
    read.clear()

    made = ids(reader, template, [row(template, *each) for each in zip(second, arms, strict=True)], kept=kept)

    assert made == ids(neutral, template, [row(template, *each) for each in zip(second, arms, strict=True)])
    assert sum(read) < 0.6 * sum(len(row(template, each).prompt) for each in second)


def test_adapters_stay_laid_for_the_next_question_and_no_longer(arms_of_both):
    reader, neutral, template, (base, first, second) = arms_of_both
    for arms in ([base, first], [base, first], [base, second]):
        asked = [row(template, SHORT, arm, 6) for arm in arms]
        assert ids(reader, template, asked) == ids(
            neutral, template, [row(template, SHORT, arm, 6) for arm in arms]
        )

    assert reader.adapters == [second]


def wrong_rows(monkeypatch, reader):
    deal = reader.share.deal
    monkeypatch.setattr(reader.share, "deal", lambda rows: deal(rows[::-1]))


def late_positions(monkeypatch, reader):
    angles = reader.model.model.rotary_emb.forward

    def late(x, position_ids):
        return angles(x, position_ids + (position_ids.shape[1] < 4))

    monkeypatch.setattr(reader.model.model.rotary_emb, "forward", late)


def strangers_keys(monkeypatch, reader):
    past = reader.slots.past
    monkeypatch.setattr(reader.slots, "past", lambda row, length: past(row, length).flip(1))


@pytest.mark.parametrize("mistake", [wrong_rows, late_positions, strangers_keys])
def test_control_a_mistake_of_the_llama_reader_is_seen_in_the_answers(arms_of_both, monkeypatch, mistake):
    reader, neutral, template, arms = arms_of_both
    then = (*LONG, Message("assistant", "On Friday."), Message("user", "And how?"))

    def two_turns(reader, kept):
        return [
            ids(reader, template, [row(template, each, arm) for arm in arms], kept=kept)
            for each in (LONG, then)
        ]

    right = two_turns(neutral, Kept(0))
    assert two_turns(reader, Kept(2**30)) == right
    mistake(monkeypatch, reader)

    assert two_turns(reader, Kept(2**30)) != right


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("llama", {"hidden_act": "gelu"}),
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}),
        ("mistral", {"sliding_window": 32}),
        ("qwen2", {"use_sliding_window": True, "sliding_window": 32, "max_window_layers": 1}),
        ("gemma", {}),
    ],
)
def test_a_model_built_otherwise_is_left_to_its_own_forward(tmp_path, kind, changes):
    model, _ = loaded(tiny(tmp_path / "base", kind, **changes))

    assert not llama.applies(model)
    assert isinstance(answering.read_by(model), NeutralReader)


def test_a_four_bit_model_is_left_to_its_own_forward(rehearsal_path):
    model, _ = loaded(rehearsal_path, "nf4")

    assert isinstance(answering.read_by(model), NeutralReader)


def test_a_forward_that_does_not_agree_is_not_used(rehearsal_path, monkeypatch, caplog):
    model, template = loaded(rehearsal_path)
    expected = generated(model, template, SHORT)
    assert isinstance(answering.read_by(model), LlamaReader)

    monkeypatch.setattr(llama_reader, "turn", lambda x, plan: None)
    with caplog.at_level(logging.WARNING):
        reader = answering.read_by(model)

    assert isinstance(reader, NeutralReader)
    assert "does not agree" in caplog.text
    assert ids(reader, template, [row(template, SHORT)]) == [expected]


@pytest.fixture(scope="module")
def starter_in_bf16(starter_path):
    """The starter's fast reader, in the precision in which it answers."""
    model, _ = loaded(starter_path, "bf16")
    reader = answering.read_by(model)
    assert isinstance(reader, LlamaReader), "the rounding of 16 bits was taken for a mistake"
    return reader


def no_positions(monkeypatch, reader):
    monkeypatch.setattr(llama_reader, "turn", lambda x, plan: None)


def later_tokens_seen(monkeypatch, reader):
    monkeypatch.setattr(reader, "hiding", lambda hidden: torch.zeros(hidden.shape, dtype=torch.bfloat16))


def a_layer_left_out(monkeypatch, reader):
    left_out, through = reader.layers[15], reader.through
    monkeypatch.setattr(
        reader,
        "through",
        lambda layer, held, x, plan: x if layer is left_out else through(layer, held, x, plan),
    )


@pytest.mark.parametrize("mistake", [no_positions, later_tokens_seen, a_layer_left_out])
def test_rounding_is_told_from_a_mistake(starter_in_bf16, monkeypatch, mistake):
    assert agrees(starter_in_bf16)
    mistake(monkeypatch, starter_in_bf16)

    assert not agrees(starter_in_bf16)


def test_a_packed_weight_gives_the_plain_product_and_one_that_would_not_is_left(monkeypatch):
    weight, bias, x = torch.randn(96, 64), torch.randn(96), torch.randn(3, 5, 64)
    usual = packing.plain(weight, bias)(x)

    assert torch.allclose(packing.packed(weight, bias)(x), usual, atol=1e-5)
    monkeypatch.setattr(packing, "agree", lambda one, other, weight: False)
    assert torch.equal(packing.packed(weight, bias)(x), usual)


def test_the_engine_reads_a_llama_by_its_reader_and_both_arms_are_right(engine_in_fp32, tuned):
    engine = engine_in_fp32
    asks = [Ask(LONG, arm, Sampling(8)) for arm in (None, tuned)]

    both = last(engine.answers("rehearsal", asks, never))

    assert isinstance(engine.answering.loaded.reader, LlamaReader)
    assert both[0].text != both[1].text
    assert engine.answering.loaded.reader.slots.rows == 0
