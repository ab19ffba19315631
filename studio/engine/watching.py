"""A few questions that the model in training answers at each evaluation: what it would say now."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from studio.core.encode import prompt
from studio.core.records import Message, Sampling
from studio.engine.attention import NAME
from studio.engine.models import ChatTemplate

LONGEST = 64  # tokens of an answer: enough to hear the voice, and seconds for five of them


@dataclass(frozen=True)
class Watch:
    """`questions`: conversations that end with a user's turn. A PEFT `model`, whatever form it trains in."""

    model: Any
    template: ChatTemplate
    questions: Sequence[Sequence[Message]]

    def answers(self) -> tuple[str, ...]:
        """The model's greedy answers as it is now, all in one batch, cut at LONGEST tokens."""
        from studio.engine.decode import Row, answer_all
        from studio.engine.kept import Kept
        from studio.engine.neutral import NeutralReader

        greedy = Sampling(max_tokens=LONGEST)
        rows = [Row(prompt(each, self.template), None, greedy, LONGEST, "") for each in self.questions]
        self.model.eval()
        with own_forward(self.model):
            reader = NeutralReader(self.model.get_base_model())
            done = dict(answer_all(reader, self.template, rows, len(rows), Kept(0), lambda: False))
        return tuple(done[at].text.strip() for at in range(len(rows)))


@contextlib.contextmanager
def own_forward(model: Any) -> Iterator[None]:
    """Let a PEFT model compute as transformers and PEFT do for a while: the fast forms know rows, but no cache."""
    base = model.get_base_model()
    attention = base.config._attn_implementation
    fast = [(module, vars(module).pop("forward")) for module in model.modules() if "forward" in vars(module)]
    if attention == NAME:
        base.set_attn_implementation("sdpa" if base._supports_sdpa else "eager")
    try:
        yield
    finally:
        base.set_attn_implementation(attention)
        for module, forward in fast:
            module.forward = forward
