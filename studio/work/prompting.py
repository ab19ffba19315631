"""Words before weights: the base model under a system text and a few examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from studio.core.nearest import nearest
from studio.core.prompt import assemble, fitting
from studio.core.records import Answer, Arm, Conversation, Message, Sampling
from studio.work import comparing, planning
from studio.work.studio import Studio


@dataclass(frozen=True)
class Prompted:
    """A prompt as it will be sent: the arm, the examples chosen for this question, and how many had to be dropped."""

    arm: Arm
    examples: tuple[Conversation, ...]
    dropped: int


def prompted(
    studio: Studio,
    project_id: str,
    system: str,
    k: int,
    history: Sequence[Message],
    message: str,
    sampling: Sampling,
) -> Prompted:
    """Choose the `k` learned conversations nearest to the question, never held-out ones, within the model's limit.

    Where they do not fit beside the question and the answer, the farthest are dropped. Raises ModelNotReady.
    """
    chosen = nearest(message, planning.sides(studio, project_id).learned, k)
    return fitted(studio, project_id, Arm(None, system), chosen, history, message, sampling)


def fitted(
    studio: Studio,
    project_id: str,
    arm: Arm,
    chosen: Sequence[Conversation],
    history: Sequence[Message],
    message: str,
    sampling: Sampling,
) -> Prompted:
    """The arm with as many of the `chosen` examples, nearest first, as fit beside the question and the longest answer."""
    base = comparing.base_of(studio, project_id, [arm])
    budget = studio.engine.limit(base) - sampling.max_tokens

    def size(shots: Sequence[Sequence[Message]]) -> int:
        whole = (*assemble(arm.system, shots, history, message), Message("assistant", "."))
        return studio.engine.sizes(base, [whole])[0].tokens

    kept = fitting([each.messages for each in chosen], size, budget)
    shown = replace(arm, shots=tuple(tuple(each) for each in kept))
    return Prompted(shown, tuple(chosen[: len(kept)]), len(chosen) - len(kept))


def arms(
    studio: Studio,
    project_id: str,
    names: Sequence[str],
    system: str,
    k: int,
    message: str,
    sampling: Sampling,
) -> list[Arm]:
    """The arms that names such as "base" and "run:7" mean, all under the same system text and nearest examples."""
    named = [comparing.arm(studio, name.strip()) for name in names]
    if k <= 0:
        return [replace(each, system=system) for each in named]
    under = prompted(studio, project_id, system, k, (), message, sampling).arm
    return [replace(under, run=each.run) for each in named]


def ask(
    studio: Studio,
    project_id: str,
    prompt: Prompted,
    history: Sequence[Message],
    message: str,
    sampling: Sampling,
    stopping: Callable[[], bool],
) -> Iterator[Answer]:
    """Yield the prompt's arm's answer so far, after each token. Raises as comparing.ask does."""
    for (answer,) in comparing.ask(studio, project_id, [prompt.arm], [history], message, sampling, stopping):
        yield answer
