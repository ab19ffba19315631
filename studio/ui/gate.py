"""The gate before the page: who may ask, for what, how much at once, and with which headers every answer leaves.

A page in another browser tab can send requests to this machine, and a name that it controls can be made to point here.
So the gate knows the hosts it answers to and the one origin it trusts, opens only the paths that the page needs, and lets
no path to a file through that does not lie in the folder made for passing files.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.ui.bodies import Counted, Started, TooLarge, again, files_inside, is_inside

UPLOAD = 64 * 2**20  # bytes that one request may carry
VALUES = 16 * 2**20  # bytes of one event's inputs
API = "/gradio_api"
WHOLE = {"/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json"}
WHOLE |= {
    f"{API}/{each}" for each in ("queue/join", "queue/data", "cancel", "reset", "upload", "upload_progress")
}
WHOLE |= {
    f"{API}/{each}"
    for each in ("component_server", "component_server/", "startup-events", "app_id", "run/predict")
}
UNDER = ("/assets/", "/static/", "/svelte/", f"{API}/heartbeat/")
FILE = f"{API}/file="
# What the page may do in the browser. Its scripts carry a nonce, so a script that slipped into stored text does not run.
# 'unsafe-eval': gradio makes a function of each component's script. Inline styles: its components set them.
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-src 'none'; object-src 'none'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Refusal:
    status: int
    sentence: str


@dataclass(frozen=True)
class Gate:
    """ASGI middleware. `hosts` are the Host headers it answers to (None: a proxy has checked); `files` may be passed."""

    app: ASGIApp
    hosts: Collection[str] | None
    files: Path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        nonce = secrets.token_urlsafe(16)
        leaving = with_headers(send, nonce, scope)
        if refused := self.refused(scope):
            return await answer(leaving, refused)
        return await self.passed(plain(scope), receive, in_page(leaving, nonce, scope))

    def refused(self, scope: Scope) -> Refusal | None:
        """Why a request is turned away by its head alone; None if it may pass."""
        headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
        host = headers.get("host", "")
        if self.hosts is not None and host.lower() not in self.hosts:
            return Refusal(
                403, f"The studio answers only to {', '.join(sorted(self.hosts))}. Open one of these."
            )
        if is_foreign(headers, path, method, proxied=self.hosts is None):
            return Refusal(403, "Another site's page asked for this. Open the studio in a tab of its own.")
        if method not in ("GET", "HEAD", "POST"):
            return Refusal(405, "The studio does not answer to this method.")
        if carries_values(scope) and not headers.get("content-type", "").startswith("application/json"):
            return Refusal(415, "The studio takes values as JSON and files by upload only.")
        if path.startswith(FILE):
            inside = is_inside(path.removeprefix(FILE), self.files)
            return None if inside else Refusal(403, "This file is not one that the studio gave out.")
        if path not in WHOLE and not path.startswith(UNDER):
            return Refusal(404, "There is nothing here. Open the studio's first page.")
        if declared(headers) > allowed(path):
            return too_large(path)
        return None

    async def passed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, its body counted while it comes: a length may be left out, or be a lie."""
        counted = Counted(receive, allowed(scope["path"]))
        started = Started(send, counted)
        try:
            if carries_values(scope):
                body = await counted.whole()
                await self.opened(scope, body, counted, started)
            else:
                await self.app(scope, counted, started)
        except TooLarge:
            pass
        except Exception:
            if not counted.exceeded:
                raise
        if counted.exceeded and not started.done:
            await answer(send, too_large(scope["path"]))

    async def opened(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Hand on an event's inputs, unless they name a file that was not given to the studio."""
        if files_inside(body, self.files):
            await self.app(scope, again(body, receive), send)
        else:
            await answer(send, Refusal(403, "This file is not one that was given to the studio."))


def is_foreign(headers: Headers, path: str, method: str, proxied: bool) -> bool:
    """Whether another site's page sent this. Following a link to the first page is not foreign."""
    origin = headers.get("origin")
    own = {headers.get("host", "").lower()}
    if proxied:
        own |= {headers.get("x-forwarded-host", "").lower()}
    if origin is not None and urlsplit(origin).netloc.lower() not in own - {""}:
        return True
    site = headers.get("sec-fetch-site", "none")
    followed = method == "GET" and path == "/" and headers.get("sec-fetch-mode") == "navigate"
    return site not in ("none", "same-origin") and not followed


def carries_values(scope: Scope) -> bool:
    return scope["method"] == "POST" and scope["path"] != f"{API}/upload"


def allowed(path: str) -> int:
    return UPLOAD if path == f"{API}/upload" else VALUES


def declared(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def too_large(path: str) -> Refusal:
    return Refusal(
        413,
        f"This is larger than {allowed(path) // 2**20} MB, the most that the page takes at once. "
        "Import it from a terminal with: sft-studio import FILE",
    )


def plain(scope: Scope) -> Scope:
    """The first page is asked for uncompressed, since its scripts are given their nonce on the way out."""
    if scope["path"] != "/":
        return scope
    return {**scope, "headers": [each for each in scope["headers"] if each[0] != b"accept-encoding"]}


def in_page(send: Send, nonce: str, scope: Scope) -> Send:
    """Give the first page's own scripts the nonce. Text in it cannot pose as a script: gradio escapes every "<" there."""
    if scope["path"] != "/" or scope["method"] != "GET":
        return send
    head: list[Message] = []
    parts: list[bytes] = []

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            return head.append(message)
        if message["type"] != "http.response.body":
            return await send(message)
        parts.append(message.get("body", b""))
        if message.get("more_body", False):
            return None
        body = b"".join(parts).replace(b"<script", f'<script nonce="{nonce}"'.encode())
        MutableHeaders(scope=head[0])["content-length"] = str(len(body))
        await send(head[0])
        return await send({"type": "http.response.body", "body": body})

    return collect


def with_headers(send: Send, nonce: str, scope: Scope) -> Send:
    """Put the security headers on an answer, and take away every grant to other origins."""
    lasting = scope["path"].startswith(("/assets/", "/static/"))

    async def leave(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name in [each for each in headers if each.startswith("access-control-")]:
                del headers[name]
            headers.update(HEADERS)
            headers["content-security-policy"] = POLICY.format(nonce=nonce)
            if not lasting:
                headers["cache-control"] = "no-store"
        await send(message)

    return leave


async def answer(send: Send, refused: Refusal) -> None:
    body = refused.sentence.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if refused.status == 413:
        headers.append((b"connection", b"close"))  # what is still coming is not waited for
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
