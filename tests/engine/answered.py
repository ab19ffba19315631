"""What the tests of answers share: questions, adapters, rows, and the answers of transformers and PEFT themselves."""

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from studio.core.encode import prompt
from studio.core.records import Message, Sampling
from studio.engine import decode, models, rehearsal
from studio.engine.kept import Kept
from studio.engine.neutral import NeutralReader

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


def row(template, messages, adapter=None, max_tokens=FREE, **sampling):
    return decode.Row(prompt(messages, template), adapter, Sampling(max_tokens, **sampling), max_tokens, "")


def told(reader, template, rows, stopping=never, kept=None):
    """The answers of a reader, or of a model through the neutral one."""
    reader = NeutralReader(reader) if isinstance(reader, torch.nn.Module) else reader
    return decode.answers(reader, template, rows, kept or Kept(0), stopping)


def ids(reader, template, rows, stopping=never, kept=None):
    for _ in told(reader, template, rows, stopping, kept):
        pass
    return [each.ids for each in rows]


def last(answers):
    *_, final = answers
    return final


def tiny(folder, kind, **changes):
    """A random model of two layers of any architecture that transformers knows, with the rehearsal model's tokenizer.

    Its weights are larger than usual, so that it prefers some tokens clearly.
    """
    rehearsal.make(folder)
    settings = {
        "vocab_size": rehearsal.VOCABULARY,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": rehearsal.CONTEXT,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
        "initializer_range": 0.2,
        **changes,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **settings))
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(
                    weight, std=0.2
                )  # they begin as nought, which would hide a forgotten one
            if name.endswith("norm.weight"):
                torch.nn.init.normal_(weight, mean=1.0, std=0.2)
    model.save_pretrained(folder)
    return folder


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
