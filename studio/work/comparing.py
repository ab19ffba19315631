"""The same message to several arms, each with its own history: in one batch, and beside it by a model elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.core.errors import BadInput, DoesNotFit, NotFound
from studio.core.judging import titled
from studio.core.prompt import assemble
from studio.core.records import Answer, Arm, Message, Run, Sampling
from studio.engine import checkpoint
from studio.engine.api import Ask
from studio.store import runs
from studio.work import elsewhere, occupied, prompts, writing
from studio.work.beside import Source, grown
from studio.work.studio import Studio

WEIGHTS = "adapter_model.safetensors"


def arms(studio: Studio, project_id: str) -> list[Arm]:
    """What can be compared in a project: the base, and every run with an adapter, newest first."""
    return [Arm(), *(Arm(run=each.id) for each in tuned(studio, project_id))]


def tuned(studio: Studio, project_id: str) -> list[Run]:
    return [each for each in runs.load_all(studio.home) if each.card and each.spec["project"] == project_id]


def points(studio: Studio, run: Run) -> list[dict[str, Any]]:
    """What a run keeps beside its best, the earliest first: "update", "held_out_loss", "general_loss" and "sha256" of each."""
    card: dict[str, Any] = run.card or {}
    kept = card.get("points", ())
    return [each for each in kept if (studio.home.adapter(run.id, each["update"]) / WEIGHTS).is_file()]


def arm(studio: Studio, project_id: str, name: str, anywhere: bool = False) -> Arm:
    """The arm that a name means: "base", "run:7", "prompt:calm" (the base under it) or "run:7+prompt:calm".

    "run:7@40" is what run 7 was after 40 updates, "prompt:calm@2" an older version. Only where it may be `anywhere` is a model
    elsewhere an arm, "endpoint", or "endpoint:MODEL@HOST". Raises BadInput or NotFound.
    """
    model, _, words = name.partition("+") if not name.startswith("prompt:") else ("base", "", name)
    if model.partition(":")[0] == "endpoint":
        if not anywhere:
            raise BadInput(elsewhere.ONLY_COMPARE)
        tuned = Arm(endpoint=elsewhere.known(studio, model).arm)
    else:
        tuned = tuned_arm(studio, model, name)
    if not words:
        return tuned
    kind, _, called = words.partition(":")
    if kind != "prompt":
        raise no_arm(name)
    prompt = prompts.called(studio, project_id, called)
    return replace(tuned, system=prompt.system, prompt=prompt)


def no_arm(name: str) -> BadInput:
    return BadInput(
        f"“{name}” is no arm. Use base, run:ID with a run from the history, run:ID@UPDATE with a point that it keeps, "
        "prompt:NAME with a kept prompt, or run:ID+prompt:NAME."
    )


def tuned_arm(studio: Studio, model: str, name: str) -> Arm:
    if model == "base":
        return Arm()
    kind, _, called = model.partition(":")
    id, at, update = called.partition("@")
    if kind != "run" or not id:
        raise no_arm(name)
    run = runs.load(studio.home, id)
    if not run.card:
        raise NotFound(
            f"Run {id} has no adapter to answer with. Choose a run that finished or was stopped and kept."
        )
    return Arm(run=id, point=point(studio, run, update) if at else None)


def point(studio: Studio, run: Run, update: str) -> int:
    """The point that a run keeps after so many updates. Raises NotFound, naming those that there are."""
    card: dict[str, Any] = run.card or {}
    kept = [str(each["update"]) for each in points(studio, run)]
    if update not in kept:  # nor is the best, which has one name only: votes are counted by names
        others = "".join(f"run:{run.id}@{each}, " for each in kept)
        raise NotFound(
            f"Run {run.id} keeps no point “{update}” beside its best. Choose {others and f'{others}or '}run:{run.id}, which is "
            f"its best, after {card['best_step']:,} updates."
        )
    return int(update)


def ask(
    studio: Studio,
    project_id: str,
    arms: Sequence[Arm],
    histories: Sequence[Sequence[Message]],
    message: str,
    sampling: Sampling,
    stopping: Callable[[], bool],
) -> Iterator[tuple[Answer, ...]]:
    """Yield every arm's answer so far, after each token. Raises BadInput, ModelNotReady, DoesNotFit, Busy.

    What goes wrong elsewhere stands in that arm's answer, and the others are answered all the same.
    """
    if not message.strip():
        raise BadInput("There is no question yet. Write one and send it again.")
    text = writing.cleaned(message, "The question")
    asks = [
        Ask(assemble(each.system, each.shots, history, text), adapter(studio, each), sampling, each.name)
        for each, history in zip(arms, histories, strict=True)
    ]
    here = [place for place, each in enumerate(arms) if not each.endpoint]
    trained = [(each, runs.load(studio.home, each.run)) for each in arms if each.run]
    refuse_changed(studio, trained)
    base = base_under(studio, project_id, [run for _, run in trained]) if here else ""

    def local(ended: Callable[[], bool]) -> Iterator[tuple[Answer, ...]]:
        return studio.engine.answers(base, [asks[place] for place in here], ended)

    def batch(tell: Callable[[tuple[Answer, ...]], None], ended: Callable[[], bool]) -> None:
        for rows in local(ended):
            tell(rows)

    sources: list[tuple[Sequence[int], Source]] = [(here, batch)] if here else []
    for place, each in enumerate(arms):
        if each.endpoint:  # all of them are looked up before the first question leaves
            sources.append(([place], elsewhere.source(studio, each.endpoint, asks[place])))
    try:
        yield from local(stopping) if len(here) == len(arms) else grown(len(arms), sources, stopping)
    except DoesNotFit as error:
        raise occupied.explained(studio, error) from None


def adapter(studio: Studio, arm: Arm) -> Path | None:
    """The folder of what an arm adds to its base; None for the base itself."""
    return studio.home.adapter(arm.run, arm.point) if arm.run else None


def refuse_changed(studio: Studio, trained: Sequence[tuple[Arm, Run]]) -> None:
    """Raises BadInput where an adapter is not the one that its run made: it would answer under a wrong name."""
    for arm, run in trained:
        if is_unchanged(studio, arm, run, checkpoint.fingerprint_once) is False:
            raise BadInput(
                f"The adapter of {titled(replace(arm, prompt=None).name)} is gone, or not the one that was trained and "
                "measured, so it is not asked. Put the file back, train again, or choose another run."
            )


def is_unchanged(
    studio: Studio, arm: Arm, run: Run, fingerprint: Callable[[Path], str] = checkpoint.fingerprint
) -> bool | None:
    """Whether a run's adapter is, byte for byte, the one that was trained and measured; None where its card does not tell."""
    card: dict[str, Any] = run.card or {}
    hashes = {each["update"]: each["sha256"] for each in card.get("points", ())}
    known = hashes.get(arm.point) if arm.point else card.get("adapter_sha256")
    weights = studio.home.adapter(run.id, arm.point) / WEIGHTS
    return (weights.is_file() and fingerprint(weights) == known) if known else None


def base_of(studio: Studio, project_id: str, arms: Sequence[Arm]) -> str:
    """The one base under all arms. Raises BadInput where runs were trained on different ones."""
    return base_under(studio, project_id, [runs.load(studio.home, each.run) for each in arms if each.run])


def base_under(studio: Studio, project_id: str, trained: Sequence[Run]) -> str:
    """The one base of these runs, the project's where there are none. Raises BadInput where they are of different ones."""
    bases = {str(each.spec["base"]) for each in trained}
    if len(bases) > 1:
        raise BadInput(
            f"These runs were trained on different base models ({', '.join(sorted(bases))}). "
            "Compare runs of the same base."
        )
    return bases.pop() if bases else writing.by_id(studio, project_id).base
