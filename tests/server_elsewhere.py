"""A model elsewhere for tests: a real little HTTP server on this machine that answers as a test tells it to."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOOD = ("It ", "sails ", "at ", "six.")


class Elsewhere:
    """`says(handler)` answers a question; `asked` keeps each as (path, headers, body). `left`: the asker has hung up."""

    def __init__(self, says=None):
        self.says = says or streamed()
        self.asked = []
        self.left = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def host(self):
        return f"127.0.0.1:{self.server.server_port}"

    @property
    def url(self):
        return f"http://{self.host}/v1"

    def handler(self):
        mine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                mine.asked.append((self.path, dict(self.headers), body))
                self.close_connection = True
                try:
                    mine.says(self)
                except OSError:
                    mine.left.set()

            def log_message(self, *_):
                return None

        return Handler

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def running(says=None):
    server = Elsewhere(says)
    try:
        yield server
    finally:
        server.close()


def head(handler, status=200, kind="text/event-stream", **headers):
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.send_header("connection", "close")
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def piece(words, reason=None, **more):
    delta = {"content": words} if words is not None else {}
    return {"model": "harbour-1", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}


def event(found):
    return f"data: {found if isinstance(found, str) else json.dumps(found)}\n\n".encode()


def streamed(*words, pause=0.0, reason="stop"):
    """A good stream, as most servers write it: a piece with the role, words, an end, and usage after it."""

    def says(handler):
        head(handler)
        role = {
            "model": "harbour-1",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}],
        }
        handler.wfile.write(b": hello\n\n" + event(role))
        for each in words or GOOD:
            handler.wfile.write(event(piece(each)))
            time.sleep(pause)
        handler.wfile.write(
            event(piece(None, reason)) + event({"choices": [], "usage": {}}) + event("[DONE]")
        )

    return says


def sent(*parts, status=200, kind="text/event-stream", pause=0.0, **headers):
    """These bytes, and then the end of the connection."""

    def says(handler):
        head(handler, status, kind, **headers)
        for each in parts:
            handler.wfile.write(each)
            time.sleep(pause)

    return says


def endless(part, pause=0.0):
    """The same bytes without end, or until nobody listens any more."""

    def says(handler):
        head(handler)
        while True:
            handler.wfile.write(part)
            time.sleep(pause)

    return says


def failed(status, message="", **headers):
    """An error as OpenAI's own server words it."""
    return sent(json.dumps({"error": {"message": message}}).encode(), status=status, kind="application/json", **headers)  # fmt: skip
