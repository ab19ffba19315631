"""The command that puts held-out questions to arms, and says what their answers show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studio.cli.terminal import Home, Json, Name, fetching, here, say, tell
from studio.core.errors import Stopped
from studio.core.evaluation import Evaluation

if TYPE_CHECKING:
    from studio.cli.terminal import Here

commands = typer.Typer()


@commands.command()
def evaluate(
    arms: Annotated[
        str,
        typer.Option(
            help="base, prompt (--system, --shots), prompt:NAME, run:ID and run:ID+prompt:NAME, with commas."
        ),
    ] = "base",
    limit: Annotated[
        int | None, typer.Option(help="How many held-out questions.", show_default="all, up to 100")
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="System text of the arm prompt; default: the project's.")
    ] = None,
    shots: Annotated[int, typer.Option(help="Nearest learned conversations that the arm prompt shows.")] = 0,
    home: Home = None,
    project: Name = "default",
    as_json: Json = False,
) -> None:
    """Put held-out questions to each arm, and say whether words are enough. Ctrl-C keeps the answers; the next call goes on."""
    from studio.work import evaluating, evaluation_plan, models

    at = here(home, project)
    models.ensure(at.studio, at.project.id, fetching())
    words = evaluation_plan.typed(at.project.system if system is None else system, shots)
    begun = evaluating.begin(at.studio, at.person, at.project.id, arms.split(","), words, limit)
    told = follow(at, begun).result
    if told is None:
        raise Stopped("The answers so far are kept. The same command goes on from there.")
    tell(as_json, told, "\n".join([*map(line, told["arms"]), told["sentence"], *told["evidence"]]))


def follow(at: Here, evaluation: Evaluation) -> Evaluation:
    """Say how far it is until it is over. Raises Stopped where it ended without a result, with the reason."""
    from studio.work import evaluating

    said = -1
    while evaluation.state == "going":
        try:
            if (tenth := 10 * evaluation.done // max(evaluation.spec["rows"], 1)) > said:
                said = tenth
                left = evaluation.seconds_left
                say(
                    f"{evaluation.done} of {evaluation.spec['rows']} steps{f', about {left:.0f} s left' if left else ''}"
                )
            time.sleep(0.3)
        except KeyboardInterrupt:
            say("Stopping; the answers so far are kept.")
            evaluating.stop(at.studio, at.project.id, evaluation.id)
        evaluation = evaluating.read(at.studio, at.project.id, evaluation.id)
    if evaluation.trouble:
        raise Stopped(evaluation.trouble)
    return evaluation


def line(arm: dict[str, Any]) -> str:
    style = arm["style"]
    score = "no style score" if style["score"] is None else f"style {style['score']:.2f} [{style['low']:.2f} to {style['high']:.2f}]"  # fmt: skip
    figures = [score, f"held-out loss {arm['held_out_loss']:.3f}", f"length x{arm['length_ratio']:.2f}"]
    return f"{arm['arm']:<12} {', '.join(figures)}, copied {arm['copied']:.0%}"
