"""Commands for models: which there are, what they answer, and taking one home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.terminal import Home, Json, Name, fetching, here, tell
from studio.core.records import Message, Sampling

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
    arms: Annotated[str, typer.Option(help="base and run:ID, with commas.")] = "base",
    system: Annotated[str | None, typer.Option(help="System text; default: the project's.")] = None,
    shots: Annotated[int, typer.Option(help="Nearest learned conversations to put before the question.")] = 0,
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
    models.ensure(at.studio, at.project.id, fetching())
    sampling = Sampling(max_tokens, 0.0 if greedy else 0.8, seed=seed)
    text_of_system = at.project.system if system is None else system
    chosen = prompting.arms(at.studio, at.project.id, arms.split(","), text_of_system, shots, text, sampling)
    histories: list[tuple[Message, ...]] = [()] * len(chosen)
    *_, answers = comparing.ask(at.studio, at.project.id, chosen, histories, text, sampling, lambda: False)
    rows = [
        {"arm": arm.name, "text": each.text, "tokens": each.tokens, "seconds": round(each.seconds, 3), "fingerprint": each.fingerprint}
        for arm, each in zip(chosen, answers, strict=True)
    ]  # fmt: skip
    tell(as_json, {"answers": rows}, "\n\n".join(f"{each['arm']}:\n{each['text']}" for each in rows))


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
