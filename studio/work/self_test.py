"""Whether each side of a comparison is what it says it is, tried before anybody judges by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from studio.core.judging import titled
from studio.core.records import Arm, Sampling
from studio.engine import folders
from studio.engine.api import Ask
from studio.store import runs
from studio.work import comparing
from studio.work.judging import Match
from studio.work.studio import Studio

ASKED = 2  # questions
SHORT = Sampling(max_tokens=24)
FAILED = "Do not judge by these answers."


@dataclass(frozen=True)
class Check:
    """`ok` None: nothing is wrong, but whoever judges should know it."""

    name: str
    ok: bool | None
    detail: str


def self_test(studio: Studio, match: Match) -> list[Check]:
    """Files first, then answers: the base's in one batch with the others, against the base's by itself, token by token.

    A model elsewhere is not asked: nothing that it says could prove what it is. Raises as `engine.answers` does.
    """
    tuned = [each.tuned for each in match.pair if each.run]
    found = [check for arm in tuned for check in files(studio, match.base, arm)]
    here = [each for each in match.pair if not each.endpoint]
    away = {each.endpoint for each in match.pair if each.endpoint}
    if here:  # one of them stands on both sides, where it can only be the same
        tried = answers(studio, replace(match, pair=(here[0], here[-1])))
        found += [each for each in tried if not away or each.name != "apart"]
    return [*found, *(moved(studio, match.base, each) for each in tuned), *map(unproved, away)]


def unproved(arm: str) -> Check:
    said = "is asked besides: questions go there, and which model answers cannot be proved."
    return Check("elsewhere", None, f"{titled(arm)} {said}")


def files(studio: Studio, base: str, arm: Arm) -> Iterator[Check]:
    """Whether a run's adapter, and the base under it, are those that were trained and measured."""
    loaded = runs.load(studio.home, str(arm.run))
    ok = comparing.is_unchanged(studio, arm, loaded) is True
    said = (
        "is the one that was trained and measured."
        if ok
        else f"is gone, or not the one that was trained and measured. {FAILED} Train again."
    )
    yield Check("adapter", ok, f"The adapter of {titled(arm.name)} {said}")
    path, known = studio.engine.base(base).path, loaded.spec.get("base_revision")
    if path and known:
        ok = folders.revision(path) == known
        said = "is the one that" if ok else f"was changed since. {FAILED} It is not the one that"
        yield Check("base", ok, f"The base {said} run {loaded.id} was trained on.")


def moved(studio: Studio, base: str, arm: Arm) -> Check:
    """Whether a run answers its watch-prompts otherwise than its base: the same words, with the adapter on and off."""
    watched = runs.frozen(studio.home.run(str(arm.run)), "watch")
    adapter = comparing.adapter(studio, arm)
    asks = [Ask(each, side, SHORT) for each in watched for side in (adapter, None)]
    said = ends(studio, base, asks)
    differ = sum(on != off for on, off in zip(said[::2], said[1::2], strict=True))
    if differ:
        which = f"{differ} of {len(watched)} watch-prompts otherwise than the base"
    else:
        which = f"all {len(watched)} watch-prompts as the base does, word for word: training may have changed nothing"
    return Check(
        "moved", differ > 0 or None, f"{titled(arm.name).capitalize()} begins its answers to {which}."
    )


def answers(studio: Studio, match: Match) -> Iterator[Check]:
    """Whether the base's pane is the base, whether it is the same twice, and whether the sides differ at all."""
    questions = match.questions[:ASKED]
    alone, twice, apart = True, True, False
    for held in questions:
        one, two = (match.ask(each, held, SHORT) for each in match.pair)
        plain, off = Ask(one.messages, None, SHORT), Ask(two.messages, None, SHORT)
        beside = list(streamed(studio, match.base, [plain, two]))
        # The same shape: in 16 bits a batch of other lengths may round to another word.
        bare = list(streamed(studio, match.base, [plain, off]))
        alone &= all(mixed[0] == by_itself[0] for mixed, by_itself in zip(beside, bare, strict=False))
        twice &= all(left == right for left, right in streamed(studio, match.base, [plain, plain]))
        first, second = ends(studio, match.base, [one, two])
        apart |= first != second
    names = " and ".join(titled(each.arm) for each in match.pair)
    yield Check(
        "same twice",
        twice,
        "The base answers the same on both sides."
        if twice
        else f"The base does not answer the same on both sides. {FAILED}",
    )
    yield Check(
        "base alone",
        alone,
        "The base's pane is the base with no adapter on, token by token."
        if alone
        else f"The base's pane is not the base with no adapter on. {FAILED}",
    )
    yield Check(
        "apart",
        apart or None,
        f"{names[0].upper()}{names[1:]} answer differently."
        if apart
        else f"{names[0].upper()}{names[1:]} answered {len(questions)} questions alike, word for word: there may be nothing to judge.",
    )


def streamed(studio: Studio, base: str, asks: Sequence[Ask]) -> Iterator[tuple[str, ...]]:
    """Every row's text after each token, for as long as all rows go on: what comes later is computed in another shape."""
    for now in studio.engine.answers(base, asks, lambda: False):
        if any(each.done for each in now):
            return
        yield tuple(each.text for each in now)


def ends(studio: Studio, base: str, asks: Sequence[Ask]) -> tuple[str, ...]:
    *_, last = studio.engine.answers(base, asks, lambda: False)
    return tuple(each.text for each in last)
