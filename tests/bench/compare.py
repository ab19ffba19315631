"""The Compare tab beside transformers' and PEFT's `generate`: python -m studio bench compare.

What is timed of the studio is the tab's own handler, from the message to the last drawing of all panes: arms looked up in the
database and in the runs' folders, answers streamed, and each drawn as often as the page gets it. STUDIO_BENCH_ROUNDS sets the
rounds (5). Peers, questions and rows are those of `bench answer`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.answer import NEW, ROUNDS, Case, Ours, Peer, measured, question

SYSTEM = "Answer in the manner of an old sailor."  # the fourth model is the base under these words
Arm = tuple[str, str]  # what the page calls a model, and its system text
ARMS: tuple[Arm, ...] = (("base", ""), ("run:1", ""), ("run:2", ""), ("base", SYSTEM))
PEERS = {"base": None, "run:1": "first", "run:2": "second"}  # what the peer calls the same


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    return measured(cases, rounds)


def cases(place: Path, precision: str) -> Iterator[Case]:
    """The fp32 answers must be the same; in 16 bits near ties turn with the number of rows, for generate as well."""
    peer = Peer(place, precision)
    engine = Ours(precision, peer.adapters)
    screen = Screen(place / f"home-{precision}", engine, peer.adapters)
    for count, called in ((2, "two"), (4, "four")):
        arms, what = ARMS[:count], f"{called} models in Compare, {precision}"
        same = precision == "fp32"
        yield Case(what, partial(screen.answers, arms), partial(one_after_another, peer, arms), same)
        for side in (0, count - 1) if precision == "bf16" else ():
            ours, theirs = partial(screen.first, arms, side), partial(first_in_turn, peer, arms[: side + 1])
            yield Case(f"{what}, first token of number {side + 1}", ours, theirs)
    if precision == "bf16":
        yield Case("two models in Compare, against the engine without a page, bf16", partial(screen.answers, ARMS[:2]), engine.both)  # fmt: skip
        arms, what = ARMS[:2], f"two models in Compare, against adapter_names, {precision}"
        yield Case(what, partial(screen.answers, arms), peer.mixed)
        for side in (0, 1):
            ours, theirs = partial(screen.first, arms, side), partial(peer.mixed, 1)
            yield Case(f"{what}, first token of number {side + 1}", ours, theirs)


class Screen:
    """A studio whose project has a run for each adapter, asked through the Compare tab's handler."""

    def __init__(self, place: Path, ours: Ours, adapters: Sequence[Path]) -> None:
        from studio.store.database import Database
        from studio.store.home import open_home
        from studio.work import writing
        from studio.work.jobs import Jobs
        from studio.work.studio import Studio, owner
        from tests.ui.made import finish, freeze

        home = open_home(place)
        self.ours, self.person = ours, owner()
        self.studio = Studio(home, Database.open(home.database), ours.engine, Jobs(home))
        self.project = writing.project(self.studio, "default").id
        for adapter in adapters:
            folder = freeze(self.studio, self.project)
            finish(folder)
            shutil.copytree(adapter, folder / "adapter", dirs_exist_ok=True)

    def steps(self, arms: Sequence[Arm]) -> Iterator[tuple[Any, ...]]:
        """All that the page gets of one message's answers, of models that have read nothing before."""
        from studio.ui import compare_talk
        from studio.ui.compare_arms import SIDES

        self.ours.held.kept.entries.clear()
        none = [""] * len(SIDES)
        models, systems = ([each[part] for each in arms] + none[len(arms) :] for part in (0, 1))
        message = question()[-1].content
        return compare_talk.on_ask(
            self.studio, self.person, lambda: False, self.project, message, len(arms), [], NEW, False, 0, *models, *none, *systems
        )  # fmt: skip

    def answers(self, arms: Sequence[Arm]) -> list[str]:
        *_, (*_, talks, _) = self.steps(arms)
        told = [each[-1] for each in talks]
        if any(each["tokens"] != NEW for each in told):
            raise RuntimeError(
                f"The answers have {[each['tokens'] for each in told]} tokens, not {NEW} each."
            )
        return [each["answer"] for each in told]

    def first(self, arms: Sequence[Arm], side: int) -> None:
        """Until the first word of one side is drawn."""
        with contextlib.closing(self.steps(arms)) as steps:  # type: ignore[type-var]
            next(step for step in steps if step[-2][side][-1]["answer"])


def one_after_another(peer: Peer, arms: Sequence[Arm]) -> list[str]:
    made = [peer.generate(asked(system), NEW, PEERS[model]) for model, system in arms]
    if any(len(each) != NEW for each in made):
        raise RuntimeError(f"generate's answers have {[len(each) for each in made]} tokens, not {NEW} each.")
    return [peer.template.decode(each) for each in made]


def first_in_turn(peer: Peer, arms: Sequence[Arm]) -> None:
    """All but the last answer as a whole, then the last one's first token."""
    *before, (model, system) = arms
    one_after_another(peer, before)
    peer.generate(asked(system), 1, PEERS[model])


def asked(system: str) -> tuple[Any, ...]:
    from studio.core.records import Message

    return (*([Message("system", system)] if system else []), *question())


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
