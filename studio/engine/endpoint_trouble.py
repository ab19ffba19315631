"""What goes wrong with a model elsewhere, each in a sentence that names the host and the next step."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from studio.core.endpoint import Endpoint
from studio.core.errors import NoAnswer
from studio.core.text import made, one_line

SAID = 200  # characters of what the server says of an error


def rubbish(
    to: Endpoint, what: str, then: str = "Check that an OpenAI-compatible server runs there."
) -> NoAnswer:
    return NoAnswer(f"{to.host} answers {what}. {then}")


def broke(to: Endpoint, amid: bool) -> NoAnswer:
    """The stream ended before the answer did."""
    if amid:
        return NoAnswer(
            f"{to.host} broke off in the middle of its answer. Ask once more, or look at its log."
        )
    return NoAnswer(
        f"{to.host} closed the connection without an answer. Check that an OpenAI-compatible server runs there, and "
        "look at its log."
    )


def explained(to: Endpoint, error: Exception, waited: tuple[float, float], amid: bool) -> NoAnswer:
    """What an error of the connection means; `waited`: seconds for a connection, and for a byte.

    The error's own words are not shown: they may hold what was sent.
    """
    import httpx

    connect, silence = waited
    if isinstance(error, httpx.ConnectTimeout):
        return NoAnswer(
            f"{to.host} could not be reached within {connect:g} seconds. Check the address, and that the server runs."
        )
    if isinstance(error, httpx.TimeoutException):
        what = "next" if amid else "first"
        return NoAnswer(
            f"{to.host} sent nothing for {silence:g} seconds; the {what} word of its answer was waited for. "
            "Ask again, or look whether it is overloaded."
        )
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error).upper():
        return NoAnswer(
            f"{to.host} shows a certificate that this machine does not trust, so nothing was sent. "
            "Have whoever runs it mend that."
        )
    if isinstance(error, httpx.RemoteProtocolError | httpx.NetworkError) and not isinstance(
        error, httpx.ConnectError
    ):
        return broke(to, amid)
    return NoAnswer(f"{to.host} could not be reached. Check the address, and that the server runs.")


def refused(to: Endpoint, status: int, location: str, body: bytes) -> NoAnswer:
    """What a status means, with what the server says of it."""
    try:
        said = f"({status}){quoted(to, json.loads(body))}"
    except (ValueError, RecursionError):
        said = f"({status})"
    if 300 <= status < 400:
        other = urlsplit(location).netloc[:SAID] or "another address"
        words = f"sends one on to {other}, where the studio does not follow: your question would go there. Enter that address if you trust it."
    elif status in (401, 403):
        wants = "does not take this key" if to.key else "wants a key"
        words = f"{wants} {said}. Enter the right one under “A model elsewhere”."
    elif status == 404:
        words = (
            f"has no model “{to.model}” at this address {said}. Check both: the address usually ends in /v1."
        )
    elif status == 429:
        words = f"takes no more questions just now {said}. Wait a while, then ask again."
    elif status >= 500:
        words = f"failed {said}. Look at its log, or ask again later."
    else:
        words = f"refuses the question {said}. Ask less at once, or check the model's name."
    return NoAnswer(f"{to.host} {words}")


def quoted(to: Endpoint, found: Any) -> str:
    """The server's own words of an error, cut, and without the key, which some repeat."""
    told = found if isinstance(found, dict) else {}
    error = told.get("error") or told.get("message") or told.get("detail")  # OpenAI, vLLM, FastAPI
    words = error.get("message") if isinstance(error, dict) else error
    if not isinstance(words, str) or not words.strip():
        return ""
    hidden = words.replace(to.key, "…") if to.key else words
    return f": “{one_line(made(hidden), SAID).rstrip('.')}”"
