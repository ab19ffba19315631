"""The same message to several arms, answered in one batch, each with its own history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from studio.core.errors import BadInput, NotFound
from studio.core.prompt import assemble
from studio.core.records import Answer, Arm, Message, Run, Sampling
from studio.engine.api import Ask
from studio.store import runs
from studio.work import writing
from studio.work.studio import Studio


def arms(studio: Studio, project_id: str) -> list[Arm]:
    """What can be compared in a project: the base, and every run with an adapter, newest first."""
    return [Arm(), *(Arm(run=each.id) for each in tuned(studio, project_id))]


def tuned(studio: Studio, project_id: str) -> list[Run]:
    return [each for each in runs.load_all(studio.home) if each.card and each.spec["project"] == project_id]


def arm(studio: Studio, name: str) -> Arm:
    """The arm that a name such as "base" or "run:7" means. Raises BadInput or NotFound."""
    if name == "base":
        return Arm()
    kind, _, id = name.partition(":")
    if kind != "run" or not id:
        raise BadInput(f"“{name}” is no arm. Use base, or run:ID with a run from the history.")
    if not runs.load(studio.home, id).card:
        raise NotFound(
            f"Run {id} has no adapter to answer with. Choose a run that finished or was stopped and kept."
        )
    return Arm(run=id)


def ask(
    studio: Studio,
    project_id: str,
    arms: Sequence[Arm],
    histories: Sequence[Sequence[Message]],
    message: str,
    sampling: Sampling,
    stopping: Callable[[], bool],
) -> Iterator[tuple[Answer, ...]]:
    """Yield every arm's answer so far, after each token. Raises BadInput, ModelNotReady, DoesNotFit, Busy."""
    if not message.strip():
        raise BadInput("There is no question yet. Write one and send it again.")
    text = writing.cleaned(message, "The question")
    asks = [
        Ask(assemble(each.system, each.shots, history, text), adapter(studio, each), sampling)
        for each, history in zip(arms, histories, strict=True)
    ]
    yield from studio.engine.answers(base_of(studio, project_id, arms), asks, stopping)


def adapter(studio: Studio, arm: Arm) -> Path | None:
    return studio.home.run(arm.run) / "adapter" if arm.run else None


def base_of(studio: Studio, project_id: str, arms: Sequence[Arm]) -> str:
    """The one base under all arms. Raises BadInput where runs were trained on different ones."""
    trained_on = {str(runs.load(studio.home, each.run).spec["base"]) for each in arms if each.run}
    if len(trained_on) > 1:
        raise BadInput(
            f"These runs were trained on different base models ({', '.join(sorted(trained_on))}). "
            "Compare runs of the same base."
        )
    return trained_on.pop() if trained_on else writing.by_id(studio, project_id).base
