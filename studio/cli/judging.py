"""The commands that say what blind votes come to, and whether a run did what it should."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from studio.cli.terminal import Home, Json, Name, here, tell

commands = typer.Typer()


@commands.command()
def votes(
    out: Annotated[
        Path | None, typer.Option(help="Write every vote to this .jsonl, .csv or .parquet file, too.")
    ] = None,
    home: Home = None,
    project: Name = "default",
    as_json: Json = False,
) -> None:
    """The tally of blind votes, with what may be said of it."""
    from studio.work import standing

    at = here(home, project)
    found = standing.standing(at.studio, at.project.id)
    if out:
        standing.save(at.studio, at.project.id, out)
    pairs = [
        {"a": each.a, "b": each.b, "a_wins": each.a_wins, "b_wins": each.b_wins, "ties": each.ties, "both_bad": each.both_bad,
         "share": each.share.value, "low": each.share.low, "high": each.share.high, "sentence": said}
        for each, said in found.pairs
    ]  # fmt: skip
    lines = [said for _, said in found.pairs] or ["Nobody has voted yet. Judge blind in the Compare tab."]
    tell(as_json, {"pairs": pairs}, "\n".join(lines))


@commands.command()
def verdict(
    run: str,
    measure: Annotated[
        bool, typer.Option("--measure", help="First ask general questions, where that was not done.")
    ] = False,
    home: Home = None,
    project: Name = "default",
    as_json: Json = False,
) -> None:
    """Whether a run's style transferred, what that cost, and what to do next."""
    from studio.work import score_card

    at = here(home, project)
    if measure:
        score_card.measure(at.studio, at.project.id, run)
    found = score_card.score_card(at.studio, at.person, at.project.id, run).verdict
    result = {"run": run, **asdict(found), "sentence": found.sentence}
    steps = [f"Next: {each}" for each in found.next]
    tell(as_json, result, "\n".join([found.sentence, *found.for_style, *found.for_effects, *steps]))
