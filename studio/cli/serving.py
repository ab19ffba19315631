"""Commands that serve the page and measure the studio."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from studio.cli.terminal import Home, Json, opened, tell
from studio.core.errors import NotFound

commands = typer.Typer()


@commands.command()
def serve(
    home: Home = None,
    host: str = "127.0.0.1",
    port: int = 7860,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    behind_proxy: Annotated[
        bool,
        typer.Option(help="A proxy in front checks who may come in; only then listen beyond this machine."),
    ] = False,
) -> None:
    """Serve the page."""
    from studio.store.home import assets
    from studio.ui import front, quick

    with front.opened((assets() / "front.html").read_bytes(), host, port, behind_proxy) as first:
        if browser:
            first.open_browser()
        with quick.imports():  # only now: it takes seconds, and there is something to see already
            from studio.ui import server

        server.serve(opened(home), first, behind_proxy)


@commands.command()
def bench(
    name: Annotated[str, typer.Argument(help="One of those in tests/bench.")],
    as_json: Json = False,
) -> None:
    """Measure the studio beside its peers, in one run. Only from a checkout: the benchmarks lie with the tests."""
    checkout = Path(__file__).parents[2]
    known = sorted(each.stem for each in (checkout / "tests" / "bench").glob("[a-z]*.py"))
    if name not in known:
        raise NotFound(
            f"There is no benchmark {name} here. Those of a checkout are: {', '.join(known) or 'none'}."
        )
    sys.path.insert(0, str(checkout))
    told = importlib.import_module(f"tests.bench.{name}").run()
    lines = [
        f"{each['what']:<40} {each['ours']} against {each['peer']}: {each['ratio']}" for each in told["rows"]
    ]
    tell(as_json, told, "\n".join(lines))
