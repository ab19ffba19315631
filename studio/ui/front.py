"""The port, and a first page on it from the standard library alone: something to see while gradio is being imported."""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import ipaddress
import re
import socket
import threading
import webbrowser
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from studio.core.errors import Busy, NotServedSafely

HOST, PORT = "127.0.0.1", 7860
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Retry-After": "1",
}


class Front:
    """A listening socket that answers every request with one page, until it is handed over to the studio."""

    def __init__(self, listening: socket.socket, host: str, page: bytes) -> None:
        self.listening = listening
        self.port: int = listening.getsockname()[1]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self.server = ThreadingHTTPServer((host, self.port), answering(page), bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = listening
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True, name="front").start()

    def hand_over(self) -> socket.socket:
        """Stop answering and give the socket away. Who asks meanwhile waits in its queue, and no one is refused."""
        self.server.shutdown()
        return self.listening

    def open_browser(self) -> None:
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(self.address)


def answering(page: bytes) -> type[BaseHTTPRequestHandler]:
    """A handler that says, with `page`, that the studio is not ready yet."""
    headers = {**HEADERS, "Content-Security-Policy": policy(page), "Content-Length": str(len(page))}

    class NotReady(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(503)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged: an address may hold what somebody searched for."""

    return NotReady


def policy(page: bytes) -> str:
    """What the page may do: run its own scripts, known by their hash, and ask this server."""
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(each).digest()).decode() for each in scripts]
    sources = " ".join(f"'sha256-{each}'" for each in hashes) or "'none'"
    return f"default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src {sources}; frame-ancestors 'none'"


@contextlib.contextmanager
def opened(page: bytes, host: str = HOST, port: int = PORT, behind_proxy: bool = False) -> Iterator[Front]:
    """Listen, and show `page` until the studio takes over. `port` 0 takes a free one.

    Raises NotServedSafely for a host that others can reach, Busy where the port is taken.
    """
    require_safe(host, behind_proxy)
    with bound(host, port) as listening:
        front = Front(listening, host, page)
        try:
            yield front
        finally:  # before its socket is closed: it would look at it without end, and as fast as it can
            front.hand_over()


def require_safe(host: str, behind_proxy: bool) -> None:
    """Raise NotServedSafely where strangers could reach the page and nothing would ask them who they are."""
    if behind_proxy or is_loopback(host):
        return
    raise NotServedSafely(
        f"The studio has no passwords yet, so it does not listen on {host}, where others could reach it. "
        "Leave out --host, and reach it from elsewhere through an SSH tunnel. "
        "If a proxy in front of it asks for passwords, say so with --behind-proxy."
    )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises Busy where the port is taken, NotServedSafely where the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        raise refused(host, port, error) from error
    return listening


def refused(host: str, port: int, error: Exception) -> Busy | NotServedSafely:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return Busy(
            f"Port {port} is taken, perhaps by a studio that runs already: look at http://{host}:{port}. "
            "To start this one beside it, choose another port with --port, or let it find one with --port 0."
        )
    return NotServedSafely(
        f"The studio cannot listen on {host}, port {port} ({error}). Leave out --host, or choose a port from 1024 to 65535."
    )
