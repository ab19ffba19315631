"""The command that says what blind votes come to."""

from __future__ import annotations

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
