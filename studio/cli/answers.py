"""Commands for models: which there are, what they answer, and taking one home."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from studio.cli.terminal import Here, Home, Json, Name, fetching, here, tell
from studio.core.errors import BadInput
from studio.core.records import Message, Prompt, Sampling

commands = typer.Typer()


@commands.command("models")
def models_(home: Home = None, as_json: Json = False) -> None:
    """The base models the studio knows, and what is on this machine."""
    from studio.work import models
    from studio.work.studio import opened

    studio = opened(home)
    rows = [
        {"id": each.id, "parameters": each.parameters, "licence": each.licence, "ready": each.path is not None,
         "fits": models.fits(studio, each), "path": str(each.path) if each.path else None}
        for each in studio.engine.bases()
    ]  # fmt: skip
    lines = [
        f"{each['id']:<40} {each['licence']:<12} {'here' if each['ready'] else 'to fetch'}" for each in rows
    ]
    tell(as_json, {"models": rows}, "\n".join(lines))


@commands.command()
def ask(
    text: str,
    arms: Annotated[
        str, typer.Option(help="base, run:ID, prompt:NAME, run:ID+prompt:NAME, with commas.")
    ] = "base",
    system: Annotated[str | None, typer.Option(help="System text; default: the project's.")] = None,
    prompt: Annotated[
        str | None, typer.Option(help="A kept prompt for all arms that name none: NAME, or NAME@VERSION.")
    ] = None,
    shots: Annotated[
        int | None,
        typer.Option(
            help="Nearest learned conversations to put before the question; default: the prompt's, or 0."
        ),
    ] = None,
    max_tokens: int = 256,
    greedy: Annotated[bool, typer.Option(help="Always the likeliest token.")] = True,
    seed: int = 0,
    home: Home = None,
    project: Name = "default",
    as_json: Json = False,
) -> None:
    """Put the same message to each arm, in one batch."""
    from studio.work import comparing, models, prompting

    at = here(home, project)
    words, kept = worded(at, system, prompt, shots)
    models.ensure(at.studio, at.project.id, fetching())
    sampling = Sampling(max_tokens, 0.0 if greedy else 0.8, seed=seed)
    chosen = prompting.arms(
        at.studio, at.project.id, arms.split(","), words, shots or 0, text, sampling, kept
    )
    histories: list[tuple[Message, ...]] = [()] * len(chosen)
    *_, answers = comparing.ask(at.studio, at.project.id, chosen, histories, text, sampling, lambda: False)
    rows = [
        {"arm": arm.name, "text": each.text, "tokens": each.tokens, "seconds": round(each.seconds, 3), "fingerprint": each.fingerprint}
        for arm, each in zip(chosen, answers, strict=True)
    ]  # fmt: skip
    tell(as_json, {"answers": rows}, "\n\n".join(f"{each['arm']}:\n{each['text']}" for each in rows))


def worded(at: Here, system: str | None, prompt: str | None, shots: int | None) -> tuple[str, Prompt | None]:
    """The system text of arms without a prompt, and the prompt that is to stand in its place. Raises BadInput."""
    from studio.work import prompts

    if prompt is None:
        return at.project.system if system is None else system, None
    if system is not None:
        raise BadInput("A prompt has a system text of its own. Give --prompt or --system, not both.")
    kept = prompts.called(at.studio, at.project.id, prompt)
    return "", kept if shots is None else replace(kept, shots=shots)


@commands.command()
def bundle(
    run: str,
    format: Annotated[str, typer.Option(help="adapter or merged.")] = "adapter",
    out: Annotated[Path | None, typer.Option(help="A new folder.")] = None,
    home: Home = None,
    project: Name = "default",
    as_json: Json = False,
) -> None:
    """Take a run's result home."""
    from studio.work import exporting

    studio = here(home, project).studio
    files = exporting.bundle(studio, run, format, out)
    proof = exporting.parity(studio, run, format, exporting.folder_of(files))
    said = f"Loaded again, it gave {proof.same} of {proof.asked} answers word for word as the studio does."
    names = [str(each) for each in files]
    tell(
        as_json,
        {"files": names, "parity": {"asked": proof.asked, "same": proof.same}},
        "\n".join([*names, said]),
    )
