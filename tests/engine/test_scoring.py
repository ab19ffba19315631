"""The loss of given answers: what plain transformers and PEFT compute, one conversation at a time."""

import threading
import time

import pytest
import torch
from answered import LONG, SHORT, never
from peft import PeftModel
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

from studio.core.encode import IGNORED, encode
from studio.core.records import Message, Sampling
from studio.engine.api import Ask, Said

TWO = (
    *SHORT,
    Message("assistant", "Good day."),
    Message("user", "And now?"),
    Message("assistant", "It sails."),
)
ONE = (*LONG, Message("assistant", "On Monday, if the weather is kind."))
SHOWN = (Message("user", "Hi"), Message("assistant", "Not learned.", weight=0), *TWO)


def expected(model, template, messages):
    """The summed loss of all learned tokens, by the model alone."""
    encoded = encode(messages, template)
    with torch.no_grad():
        scores = model(torch.tensor([encoded.ids])).logits[0, :-1]
    return cross_entropy(
        scores, torch.tensor(encoded.labels[1:]), ignore_index=IGNORED, reduction="sum"
    ).item()


def test_base_and_adapter_have_the_losses_that_they_have_alone(engine_in_fp32, rehearsal_path, tuned):
    template = engine_in_fp32.template("rehearsal")
    plain = AutoModelForCausalLM.from_pretrained(rehearsal_path, dtype=torch.float32)
    conversations = [TWO, ONE, SHOWN]
    said = [Said(each, adapter) for adapter in (None, tuned) for each in conversations]
    wanted = [expected(plain, template, each) for each in conversations]
    under = PeftModel.from_pretrained(plain, tuned)
    wanted += [expected(under, template, each) for each in conversations]

    made = dict(engine_in_fp32.losses("rehearsal", said, never))

    assert [sum(each.nats for each in made[at]) for at in range(6)] == pytest.approx(wanted, rel=1e-4)
    assert wanted[0] != pytest.approx(wanted[3], rel=1e-2)
    assert [len(made[at]) for at in range(3)] == [2, 1, 2]
    assert sum(each.tokens for each in made[0]) == encode(TWO, template).learned


def test_the_end_of_an_answer_that_was_cut_off_does_not_count(engine_in_fp32):
    made = dict(engine_in_fp32.losses("rehearsal", [Said(TWO, None), Said(TWO, None, ended=False)], never))

    whole, cut = made[0], made[1]
    assert (cut[0].tokens, cut[1].tokens) == (whole[0].tokens, whole[1].tokens - 1)
    assert cut[1].nats < whole[1].nats


def test_the_model_answers_as_before_when_losses_were_measured(engine_in_fp32, tuned):
    asks = [Ask(SHORT, None, Sampling(12)), Ask(SHORT, tuned, Sampling(12))]
    before = dict(engine_in_fp32.answer_all("rehearsal", asks, 2, never))
    list(engine_in_fp32.losses("rehearsal", [Said(ONE, tuned)], never))
    after = dict(engine_in_fp32.answer_all("rehearsal", asks, 2, never))

    assert [before[at].text for at in (0, 1)] == [after[at].text for at in (0, 1)]


def test_a_list_hears_that_a_person_waits(engine_in_fp32):
    asks = [Ask(LONG, None, Sampling(400, 1.0)) for _ in range(64)]
    answering = engine_in_fp32.answer_all("rehearsal", asks, 4, engine_in_fp32.wanted)
    next(answering)
    assert not engine_in_fp32.wanted()
    got = []

    def ask():
        got.extend(engine_in_fp32.answers("rehearsal", [Ask(SHORT, None, Sampling(4))], never))

    person = threading.Thread(target=ask)
    person.start()
    while not engine_in_fp32.wanted():
        time.sleep(0.01)
    rest = list(answering)  # ends, for somebody waits
    person.join(20)

    assert len(rest) < 63
    assert got[-1][0].done
