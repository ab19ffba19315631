"""What a model in training answers is what it would answer, and the training goes on as before."""

import pytest
import torch
from architectures import row, with_trained_adapter

from studio.core.encode import prompt
from studio.core.records import Message
from studio.engine import kernels, models
from studio.engine.watching import LONGEST, Watch

QUESTIONS = [
    (Message("user", "Hello"),),
    (Message("system", "Be short."), Message("user", "Where is my parcel?")),
]


@pytest.fixture
def template(rehearsal_path):
    return models.ChatTemplate(models.load_tokenizer(rehearsal_path))


@pytest.fixture
def model(rehearsal_path):
    return with_trained_adapter(models.load(rehearsal_path, "fp32", "cpu"))


def alone(model, template, question):
    """The greedy answer, read anew for every token through PEFT's own forward."""
    ids, answer = prompt(question, template), []
    with torch.no_grad():
        while len(answer) < LONGEST:
            token = int(model(input_ids=torch.tensor([ids + answer])).logits[0, -1].argmax())
            if token in template.end_ids:
                break
            answer.append(token)
    return template.decode(answer).strip()


def test_the_answers_are_the_models_own_in_whatever_form_it_trains(model, template):
    wanted = tuple(alone(model, template, each) for each in QUESTIONS)
    assert any(wanted)
    talks = row(vocabulary=model.config.vocab_size)
    for form in kernels.forms(model):
        form.put_on(model, False)
        before = kernels.fast_loss(model, talks).item()

        assert Watch(model, template, QUESTIONS).answers() == wanted
        assert kernels.fast_loss(model, talks).item() == before
        kernels.restore(model, "sdpa")


def test_each_update_may_change_them(model, template):
    watch = Watch(model, template, QUESTIONS)
    before = watch.answers()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.zero_()

    assert watch.answers() != before
