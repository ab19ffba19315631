"""The command line: the page's verbs for a terminal, a script or a test. Names and JSON keys are a contract."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from studio import __version__
from studio.cli import answers, data, evaluating, serving, training
from studio.cli.terminal import Home
from studio.core.errors import StudioError, foreseen
from studio.store import environment

app = typer.Typer(
    name="sft-studio",
    help="Write example conversations, fine-tune a model on them, and see honestly what changed.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (serving.commands, data.commands, training.commands, answers.commands, evaluating.commands):
    app.add_typer(commands)


def main() -> None:
    """Run a command; a foreseen failure is one sentence on standard error (or JSON) and exit status 1."""
    environment.prepare()
    try:
        app()
    except (StudioError, OSError) as error:
        said = foreseen(error)
        if said is None:
            raise
        if "--json" in sys.argv:
            print(json.dumps({"error": {"title": said.title, "message": str(said)}}))
        print(f"{said.title}. {said}", file=sys.stderr)
        sys.exit(1)


@app.callback()
def root(
    context: typer.Context,
    home: Home = None,
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        serving.serve(home)
