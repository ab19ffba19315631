"""Words before weights: the base model under a system text and a few examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from studio.core.errors import BadInput
from studio.core.prompt import assemble, fitting
from studio.core.records import Answer, Arm, Message, Prompt, Sampling, Token
from studio.work import comparing, examples
from studio.work.examples import Example
from studio.work.studio import Studio


@dataclass(frozen=True)
class Prompted:
    """A prompt as it will be sent: the arm with the examples chosen for this question, the pinned ones first.

    `dropped`: how many more had been chosen and found no room. `left_out` says of pinned ones why they are not shown.
    """

    arm: Arm
    examples: tuple[Example, ...]
    dropped: int
    left_out: tuple[str, ...] = ()


def prompted(
    studio: Studio,
    project_id: str,
    arm: Arm,
    k: int,
    pinned: Sequence[str],
    history: Sequence[Message],
    message: str,
    sampling: Sampling,
) -> Prompted:
    """Show the arm the `pinned` conversations and the `k` nearest to the question, never held-out ones.

    Where they do not fit beside the question and the longest answer, the farthest are dropped, then the pinned ones, the
    last first. Raises ModelNotReady, BadInput.
    """
    always, left_out = examples.pinned(studio, project_id, pinned)
    chosen = examples.nearest(studio, project_id, message, k, {each.conversation.id for each in always})
    found = fitted(studio, project_id, arm, [*always, *chosen], history, message, sampling)
    return replace(found, left_out=tuple(left_out))


def under(
    studio: Studio,
    project_id: str,
    arm: Arm,
    history: Sequence[Message],
    message: str,
    sampling: Sampling,
) -> Prompted:
    """An arm as it is asked this question: one under a kept prompt is shown its examples. Raises as `prompted` does."""
    if arm.prompt is None:
        return Prompted(arm, (), 0)
    kept = arm.prompt
    return prompted(studio, project_id, arm, kept.shots, kept.pinned, history, message, sampling)


def fitted(
    studio: Studio,
    project_id: str,
    arm: Arm,
    chosen: Sequence[Example],
    history: Sequence[Message],
    message: str,
    sampling: Sampling,
) -> Prompted:
    """The arm with as many of the `chosen` examples, the first first, as fit beside the question and the longest answer."""
    base = comparing.base_of(studio, project_id, [arm])
    limit = studio.engine.limit(base)

    def size(shown: Sequence[Example]) -> int:
        whole = (*assemble(arm.system, examples.shots(shown), history, message), Message("assistant", "."))
        return studio.engine.sizes(base, [whole])[0].tokens

    kept = fitting(chosen, size, limit - sampling.max_tokens)
    if not kept and arm.system.strip():
        (words,) = studio.engine.counts(base, [arm.system])
        if words > limit - sampling.max_tokens:
            raise BadInput(
                f"The system text has {words:,} tokens, and the model takes {limit:,} with an answer of up to "
                f"{sampling.max_tokens:,}. Shorten the text, or allow shorter answers."
            )
    shown = replace(arm, shots=examples.shots(kept))
    return Prompted(shown, tuple(kept), len(chosen) - len(kept))


def seen(
    studio: Studio, project_id: str, prompt: Prompted, history: Sequence[Message], message: str
) -> list[Token]:
    """The exact prompt, token by token, as the model reads it before the answer. Raises ModelNotReady, BadInput."""
    base = comparing.base_of(studio, project_id, [prompt.arm])
    return studio.engine.seen(base, assemble(prompt.arm.system, prompt.arm.shots, history, message))


def arms(
    studio: Studio,
    project_id: str,
    names: Sequence[str],
    system: str,
    k: int,
    message: str,
    sampling: Sampling,
    prompt: Prompt | None = None,
) -> list[Arm]:
    """The arms that names such as "base", "run:7" and "prompt:calm" mean, ready for this question.

    Those without a prompt of their own stand under `prompt`, or else under `system` and the `k` nearest examples.
    """
    found = []
    for name in names:
        arm = comparing.arm(studio, project_id, name.strip())
        if prompt and not arm.prompt:
            arm = replace(arm, system=prompt.system, prompt=prompt)
        if arm.prompt:
            found.append(under(studio, project_id, arm, (), message, sampling))
        else:
            plain = replace(arm, system=system)
            found.append(prompted(studio, project_id, plain, k, (), (), message, sampling))
    return [each.arm for each in found]


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
