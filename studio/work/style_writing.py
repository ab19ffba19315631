"""A model drafts the description of a style from a few of the project's own answers: a proposal, for a person to take."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from studio.core.copied import Learned
from studio.core.errors import BadInput, ModelNotReady
from studio.core.nearest import asked
from studio.core.prompt import fitting
from studio.core.records import Answer, Arm, Conversation, Message, Sampling
from studio.core.style_description import FEWEST
from studio.core.text import made, unlooped
from studio.work import comparing, models, style
from studio.work.studio import Studio

SHOWN = 6  # conversations
ABLE = 10**9  # weights, from which on a model mostly does what such a question asks
WRITTEN = Sampling(max_tokens=220, temperature=0.6, top_p=0.9)
QUESTION = (
    "Here are questions, and how one writer answered them.\n\n{shown}\n\nWrite instructions for somebody who has to answer in "
    "exactly this writer's manner: how long, in which tone, in which order of words, how an answer begins and how it ends. "
    "Speak of the manner only, not of the subjects, and quote no answer. At most six short sentences, each of them an order, "
    "such as “Be brief.”"
)


@dataclass(frozen=True)
class Proposal:
    """A description so far. `numbers`: the conversations that the model was shown; `remark`: what is wrong with the text."""

    text: str
    numbers: tuple[int, ...]
    done: bool = False
    remark: str = ""


def able(studio: Studio, project_id: str) -> bool:
    """Whether the project's base was taught to follow instructions: one that only continues texts cannot be asked."""
    return models.base(studio, project_id).template == "own"


def caution(studio: Studio, project_id: str) -> str:
    """What to expect of a base this small; "" for larger ones."""
    parameters = models.base(studio, project_id).parameters
    if parameters is None or parameters >= ABLE:
        return ""
    size = f"{parameters / 10**6:,.0f} million" if parameters >= 10**6 else f"{parameters:,}"
    return (
        f"This model has {size} weights. So small a model often describes a manner wrongly, or writes one more answer "
        "instead. Keep what is true."
    )


def write(
    studio: Studio, project_id: str, seed: int | None, stopping: Callable[[], bool]
) -> Iterator[Proposal]:
    """Yield the model's description as it grows. Raises BadInput with too few answers, ModelNotReady, DoesNotFit, Busy.

    It is shown a few answers drawn by `seed`, or by chance: approved ones where there are enough, never held-out ones.
    """
    if not able(studio, project_id):
        raise ModelNotReady(
            "This model only continues texts and cannot follow an instruction, so it cannot describe a style. “Describe my "
            "style” measures it instead."
        )
    taken = style.measured(studio, project_id)
    if len(taken) < FEWEST:
        raise BadInput(style.TOO_FEW)
    sampling = Sampling(WRITTEN.max_tokens, WRITTEN.temperature, WRITTEN.top_p, random.getrandbits(31) if seed is None else seed)  # fmt: skip
    shown = fitted(studio, project_id, random.Random(sampling.seed).sample(taken, min(SHOWN, len(taken))))
    numbers, index = tuple(each.number for each in shown), Learned.of(answers_of(shown))
    asking = comparing.ask(studio, project_id, [Arm()], [()], question(shown), sampling, stopping)
    for (answer,) in asking:
        text = made(answer.text)
        if (once := unlooped(text)) is not None:
            yield Proposal(once, numbers, True, "The model began to repeat itself and was stopped.")
            return
        yield Proposal(text, numbers, answer.done, remark(text, answer, index) if answer.done else "")


def remark(text: str, answer: Answer, index: Learned) -> str:
    if not text:
        return "The model had nothing to say. Let it write another one."
    if index.copied(text).mostly:
        return "Most of this stands word for word in your answers: the model copied instead of describing."
    return "It was cut off at its longest length." if answer.cut else ""


def fitted(studio: Studio, project_id: str, chosen: Sequence[Conversation]) -> list[Conversation]:
    """As many as fit beside the question and the description. Raises BadInput where not one does."""
    base = comparing.base_of(studio, project_id, [])
    room = studio.engine.limit(base) - WRITTEN.max_tokens

    def size(shown: Sequence[Conversation]) -> int:
        return studio.engine.sizes(base, [(Message("user", question(shown)),)])[0].tokens

    kept = fitting(sorted(chosen, key=lambda each: sum(len(turn.content) for turn in each.messages)), size, room)  # fmt: skip
    if not kept:
        raise BadInput(
            "Not one of your answers fits into this model beside the question. “Describe my style” reads them all."
        )
    return kept


def question(shown: Sequence[Conversation]) -> str:
    pairs = (f"Question: {asked(each.messages)}\nAnswer: {answers_of([each])[0]}" for each in shown)
    return QUESTION.format(shown="\n\n".join(pairs))


def answers_of(conversations: Sequence[Conversation]) -> list[str]:
    return [turn.content for each in conversations for turn in each.messages if turn.learned]
