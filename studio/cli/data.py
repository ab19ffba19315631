"""Commands for conversations: in, out, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.terminal import Home, Json, Name, fetching, here, say, tell
from studio.core.records import STATUSES, Wanted

commands = typer.Typer()


@commands.command("import")
def import_(
    file: Path,
    format: Annotated[
        str, typer.Option(help="auto, messages, sharegpt, alpaca, prompt, labelstudio, argilla or table.")
    ] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge, but bring nothing in.")] = False,
    home: Home = None,
    project: Name = "default",
    as_json: Json = False,
) -> None:
    """Bring conversations in from a file."""
    from studio.work import importing

    at = here(home, project)
    reading = importing.read_file(at.studio, at.project.id, file, format)
    done = (
        importing.seen_only(reading)
        if dry_run
        else importing.take(at.studio, at.person, at.project.id, reading)
    )
    rejected = [{"row": row, "reason": reason} for row, reason in done.rejected]
    for each in rejected:
        say(f"Row {each['row']}: {each['reason']}")
    result = {"read": done.read, "imported": done.imported, "duplicates": done.duplicates}
    tell(
        as_json,
        {**result, "rejected": rejected, "format": done.format},
        f"Read {done.read} ({done.format}): {done.imported} imported, {done.duplicates} were there already, "
        f"{len(rejected)} refused.",
    )


@commands.command()
def export(
    file: Path,
    status: Annotated[str, typer.Option(help=f"Only these: {', '.join(STATUSES)}.")] = "",
    tag: Annotated[str, typer.Option(help="Only those with this tag.")] = "",
    search: Annotated[str, typer.Option(help="Only those in which this text stands.")] = "",
    format: Annotated[str, typer.Option(help="jsonl, csv, excel (CSV for it) or parquet.")] = "jsonl",
    home: Home = None,
    project: Name = "default",
    as_json: Json = False,
) -> None:
    """Write the conversations to a file, every text as it came."""
    from studio.work import writing

    at = here(home, project)
    wanted = Wanted(at.project.id, search=search, status=status, tag=tag)
    written, unread = writing.export_file(at.studio, wanted, file, format)
    if unread:
        say(f"{unread} left out: a model's draft in there has not been accepted yet. Do it in the Write tab.")
    tell(as_json, {"written": written}, f"{written} conversations written to {file}.")


@commands.command()
def check(home: Home = None, project: Name = "default", as_json: Json = False) -> None:
    """Count the set and say what is wrong with it."""
    from studio.work import checking

    at = here(home, project)
    health = checking.health(at.studio, at.project.id)
    counts = {
        name: getattr(health, name)
        for name in ("conversations", "messages", "tokens", "learned_tokens", "held_out")
    }
    findings = [
        {"rule": each.rule, "severity": each.severity, "conversation": each.conversation, "number": each.number,
         "message": each.message, "text": each.text}
        for each in health.findings
    ]  # fmt: skip
    lines = [f"{each['number']:04d}  {each['rule']}: {each['text']}" for each in findings]
    why = health.trouble or "the base model is not here yet"
    tokens = f"not counted ({why})" if health.tokens is None else f"{health.tokens:,}"
    head = f"{health.conversations} conversations, {health.messages} turns, {tokens} tokens, {len(findings)} findings."
    tell(as_json, {**counts, "findings": findings}, "\n".join([head, *lines]))


@commands.command()
def xray(id: str, home: Home = None, project: Name = "default", as_json: Json = False) -> None:
    """One conversation as the model sees it: its tokens, and which of them are learned."""
    from studio.work import checking, models

    at = here(home, project)
    models.ensure(at.studio, at.project.id, fetching())
    tokens = checking.xray(at.studio, at.project.id, id)
    rows = [{"id": each.id, "text": each.text, "learned": each.learned, "cut": each.cut} for each in tokens]
    lines = [f"{each.id:>7} {'learned' if each.learned else '       '} {each.text!r}" for each in tokens]
    tell(as_json, {"tokens": rows}, "\n".join(lines))
