"""The server: puts the page behind the gate, takes over the port, says where it is, and ends calmly."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn

import gradio as gr
import uvicorn
from fastapi import FastAPI

from studio.ui import page, theme
from studio.ui.front import PORT, Front
from studio.ui.gate import UPLOAD, Gate
from studio.work import serving
from studio.work.studio import Studio

log = logging.getLogger(__name__)
PAGE_FIRST = 3.0  # seconds
NO_DOCS: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}


def app(studio: Studio, port: int = PORT, behind_proxy: bool = False) -> FastAPI:
    """The studio's web application. It answers to this machine's own names with `port`, or to all behind a proxy."""
    files = serving.use_private_folder(studio)

    @contextlib.asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        studio.jobs.watch()
        yield
        studio.jobs.close()

    parent = FastAPI(title="Studio", lifespan=living, **NO_DOCS)
    hosts = None if behind_proxy else [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    parent.add_middleware(Gate, hosts=hosts, files=files)  # type: ignore[arg-type]
    return mounted(parent, studio)


def mounted(parent: FastAPI, studio: Studio) -> FastAPI:
    built = page.build(studio)
    gr.mount_gradio_app(
        parent,
        built,
        path="/",
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        ssr_mode=False,
        show_error=False,
        max_file_size=UPLOAD,
        allowed_paths=[],
        blocked_paths=[str(each) for each in serving.private_paths(studio)],
        favicon_path=str(serving.asset("icon.svg")),
        app_kwargs=NO_DOCS.copy(),
        theme=theme.look(),
        css=theme.style(),
        head=theme.head(),
        js=serving.asset("shortcuts.js").read_text("utf-8"),
    )
    # Gradio checks which files an event may name only on a page that "has launched", and mounting does not count as that:
    # without this line any event could have any file of this machine copied to where it is served.
    built.has_launched = True
    return parent


def serve(
    studio: Studio, front: Front, behind_proxy: bool = False, say: Callable[[str], None] | None = None
) -> NoReturn:
    """Take over from `front` and serve the page until it is interrupted, then end the process: this does not return.

    `say` gets the lines meant for the person.
    """
    tell = say or told
    config = uvicorn.Config(
        app(studio, front.port, behind_proxy),
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
    )
    server = uvicorn.Server(config)
    logging.getLogger("uvicorn.error").addFilter(
        lambda _: not server.should_exit
    )  # pages that are cut off are no error
    threading.Thread(target=greet, args=(server, front.address, tell), daemon=True, name="greet").start()
    # The browser draws the page first, from this process: imports beside it would make both slower.
    serving.start_warming(lambda: server.started, PAGE_FIRST)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[front.hand_over()])
    tell("The studio has ended. What you wrote is saved; a training that runs goes on.")
    leave()


def leave() -> NoReturn:
    """End the process at once. All that was acknowledged is on the disk; taking torch apart in order would take seconds."""
    logging.shutdown()
    os._exit(0)


def greet(server: uvicorn.Server, address: str, tell: Callable[[str], None]) -> None:
    """Once the first page is answered, say where it is."""
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    if not answers(address):
        log.error("the first page could not be read from %s", address)
    tell(f"The studio is at {address}")


def answers(address: str) -> bool:
    """Whether the first page is there, as a browser would get it."""
    with contextlib.closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)) as asked:
        try:
            asked.request("GET", "/")
            return asked.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def told(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
