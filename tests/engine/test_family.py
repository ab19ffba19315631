"""Every fast form against one conversation at a time through plain PEFT, on tiny models of many architectures."""

from dataclasses import replace

import pytest
import torch

from studio.engine import attention, elementwise, family, kernels
from tests.engine.architectures import WITH_FAMILY, WITHOUT_FAMILY, gradients, model, relative, row

LONGEST = 23
FUSED, NEUTRAL = "fused Llama-type layers", "fused LoRA"


@pytest.mark.parametrize(
    ("kind", "form"), [(each, FUSED) for each in WITH_FAMILY] + [(each, NEUTRAL) for each in WITHOUT_FAMILY]
)
def test_the_form_that_is_chosen_gives_the_gradients_of_one_conversation_at_a_time(kind, form):
    peft, packed = model(kind), row()
    plain = kernels.plain_loss(peft, packed).item()
    expected = gradients(peft, kernels.plain_loss, packed)
    loss, why = kernels.choose_loss(peft, packed, LONGEST)
    found = gradients(peft, loss, packed)

    assert form in why
    assert loss(peft, packed).item() == pytest.approx(plain, rel=1e-6)
    assert relative(found, expected) < 1e-5
    assert max(relative(found[name], expected[name]) for name in expected) < 1e-4


@pytest.mark.parametrize("kind", WITH_FAMILY)
def test_in_bf16_the_fused_layers_are_no_noisier_than_the_plain_form(kind):
    packed = row()
    exact = gradients(model(kind), kernels.plain_loss, packed)
    peft = model(kind, torch.bfloat16)
    plain = relative(gradients(peft, kernels.plain_loss, packed), exact)
    loss, why = kernels.choose_loss(peft, packed, LONGEST)

    assert FUSED in why
    assert relative(gradients(peft, loss, packed), exact) < 1.5 * plain + 0.01


@pytest.mark.parametrize("kind", ["llama", "olmo2"])
def test_conversations_of_several_blocks_and_beyond_what_is_kept_are_exact_too(kind, monkeypatch):
    monkeypatch.setattr(attention, "BLOCK", 8)
    monkeypatch.setattr(attention, "KEPT", 16)
    peft, packed = model(kind), row((40, 5, 17))
    expected = gradients(peft, kernels.plain_loss, packed)
    loss, _ = kernels.choose_loss(peft, packed, 40)

    assert loss is kernels.fast_loss
    assert relative(gradients(peft, loss, packed), expected) < 1e-5


def test_a_refused_form_leaves_the_model_as_it_was():
    peft, packed = model("llama"), row()
    before = gradients(peft, kernels.plain_loss, packed)
    implementation = peft.get_base_model().config._attn_implementation
    family.put_on(peft, keep=False)
    kernels.restore(peft, implementation)

    assert relative(gradients(peft, kernels.plain_loss, packed), before) == 0.0


# --- wrong on purpose: each of these must be found out


def test_attention_across_conversations_is_found_out(monkeypatch):
    monkeypatch.setattr(
        attention, "spans", lambda lengths, start=0: iter([slice(start, start + sum(lengths))])
    )

    assert chosen(model("llama"))[0] is kernels.plain_loss


def test_wrong_rotary_positions_are_found_out(monkeypatch):
    right = elementwise.turned
    monkeypatch.setattr(elementwise, "turned", lambda x, cos, sin: right(x, cos.flip(0), sin.flip(0)))
    loss, why = chosen(model("llama"))

    assert loss is kernels.fast_loss
    assert NEUTRAL in why
    assert "differs from the model's own" in why


def test_wrong_positions_are_found_out_in_the_neutral_form():
    """Twice the distance between tokens. That each conversation starts at 0 matters less: only distances count."""
    peft, packed = model("gpt_neox"), row()
    own = kernels.measured(peft, packed, kernels.plain_hidden, kernels.plain_loss)
    kernels.put_on_any(peft, keep=False)
    wrong = replace(packed, positions=2 * packed.positions)

    assert not kernels.differs(own, kernels.measured(peft, packed, kernels.fast_hidden, kernels.fast_loss))
    assert kernels.differs(own, kernels.measured(peft, wrong, kernels.fast_hidden, kernels.fast_loss))


def test_labels_shifted_by_one_change_the_gradient():
    peft, packed = model("llama"), row()
    expected = gradients(peft, kernels.plain_loss, packed)
    loss, _ = kernels.choose_loss(peft, packed, LONGEST)
    shifted = replace(packed, targets=packed.targets.roll(1))

    assert relative(gradients(peft, loss, shifted), expected) > 0.5


# --- what the fused layers must not be put on


def chosen(peft, longest=LONGEST):
    return kernels.choose_loss(peft, row(), longest)


@pytest.mark.parametrize("kind", ["mistral", "qwen2", "qwen3"])
def test_a_window_shorter_than_the_data_is_refused_and_one_that_holds_it_is_not(kind):
    peft = model(kind, sliding_window=LONGEST, use_sliding_window=True, max_window_layers=0)

    assert family.against(peft, LONGEST + 1) == f"the model attends within {LONGEST} tokens"
    assert chosen(peft, LONGEST + 1)[0] is kernels.plain_loss
    assert FUSED in chosen(peft)[1]


def test_capped_scores_are_refused():
    peft = model("gemma2", sliding_window=4096)
    peft.get_base_model().config.model_type = "gemma"  # even if it says that it is another

    assert family.against(peft, LONGEST) == "capped scores"
    assert chosen(peft)[0] is kernels.plain_loss


def test_a_changed_module_is_refused():
    peft = model("llama")

    class Louder(type(peft.get_base_model().model.layers[0].mlp)):
        def forward(self, x):
            return 2 * super().forward(x)

    peft.get_base_model().model.layers[1].mlp.__class__ = Louder
    assert "Louder is not the family's own" in chosen(peft)[1]


def test_a_hook_on_a_layer_is_refused():
    peft = model("llama")
    peft.get_base_model().model.layers[1].register_forward_hook(lambda *_: None)

    assert family.against(peft, LONGEST) == "LlamaDecoderLayer is not the family's own"


def test_dropout_and_unknown_activations_are_refused():
    assert "dropout" in family.against(model("llama", attention_dropout=0.1), LONGEST)
    assert "GELU" in family.against(model("llama", hidden_act="gelu"), LONGEST)


def test_a_linear_without_an_adapter_is_refused():
    peft = model("llama")
    mlp = peft.get_base_model().model.layers[0].mlp
    mlp.up_proj = mlp.up_proj.get_base_layer()

    assert family.against(peft, LONGEST) == "a linear without a LoRA that is known"
    assert NEUTRAL in chosen(peft)[1]
