"""The client of a model elsewhere: one question to an OpenAI-compatible server, and its answer as it comes.

What comes from there is a stranger's: each line of it is checked, sizes and times are limited, no redirect is followed and
nothing is asked twice. Proxies of the environment are not used: the question goes to the host that the page names.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from studio.core.endpoint import PATH, Endpoint
from studio.core.errors import NoAnswer
from studio.core.prompt import system_text
from studio.core.records import Answer
from studio.core.text import FORBIDDEN, made, one_line
from studio.engine.api import Ask
from studio.engine.endpoint_trouble import broke, explained, quoted, refused, rubbish

if TYPE_CHECKING:
    import httpx

LINE = 2**18  # bytes of one line, and of an error's text
NAME = 200  # characters of what the server calls its model
CHARACTERS = 20  # of an answer, for each token that it may have
STREAM = 4096  # bytes, for each token that an answer may have: a token comes wrapped in some 300
GLANCE = 0.05  # seconds between two looks at whether to stop

Tell = Callable[[Answer], None]
Stopping = Callable[[], bool]


@dataclass(frozen=True)
class Patience:
    """Seconds: until there is a connection, without a new byte, and for the whole answer."""

    connect: float = 5.0
    silence: float = 30.0
    whole: float = 600.0


def ask(to: Endpoint, asked: Ask, tell: Tell, stopping: Stopping, patience: Patience | None = None) -> None:
    """Put a conversation to the server and `tell` the answer so far as often as there is more of it.

    The last one told is done, unless `stopping()` ended it: the connection is closed then, within GLANCE. Raises NoAnswer.
    """
    heard = watched(Heard(to, asked, tell), stopping, patience or Patience())
    with ThreadPoolExecutor(1) as alone:  # whoever asks may have an event loop going already
        alone.submit(asyncio.run, heard).result()


async def watched(heard: Heard, stopping: Stopping, patience: Patience) -> None:
    """Read until the answer is over, nobody wants it any more, or it has taken too long."""
    reading, watching = asyncio.create_task(read(heard, patience)), asyncio.create_task(until(stopping))
    both = {reading, watching}
    over, left = await asyncio.wait(both, timeout=patience.whole, return_when=asyncio.FIRST_COMPLETED)
    for each in left:
        each.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    if reading in over:
        reading.result()
    elif not over:
        raise NoAnswer(
            f"{heard.to.host} was not done after {patience.whole:.0f} seconds. Ask for a shorter answer, or see what it is doing."
        )


async def until(stopping: Stopping) -> None:
    while not stopping():
        await asyncio.sleep(GLANCE)


async def read(heard: Heard, patience: Patience) -> None:
    import httpx

    to = heard.to
    headers = {"accept": "text/event-stream, application/json", "accept-encoding": "identity"}
    if to.key:
        headers["authorization"] = f"Bearer {to.key}"
    limits = httpx.Timeout(patience.silence, connect=patience.connect)
    try:
        async with (
            httpx.AsyncClient(timeout=limits, verify=trusted(), trust_env=False) as client,
            client.stream("POST", to.url + PATH, json=heard.question, headers=headers) as response,
        ):
            if response.status_code != 200:
                elsewhere = response.headers.get("location", "")
                raise refused(to, response.status_code, elsewhere, await beginning(response))
            async for line in lines(response, to, LINE + STREAM * heard.asked.sampling.max_tokens):
                if heard.line(line):
                    return
            heard.end()
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise explained(to, error, (patience.connect, patience.silence), bool(heard.text)) from None


def trusted() -> ssl.SSLContext:
    """The usual certificates, and those that this machine trusts besides, as of a network of one's own."""
    import httpx

    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


async def lines(response: httpx.Response, to: Endpoint, most: int) -> AsyncIterator[str]:
    """The lines as they come, raw: what was packed although nobody asked for that is not unpacked."""
    held, size = b"", 0
    async for chunk in response.aiter_raw():
        *whole, held = (held + chunk).split(b"\n")
        size += len(chunk)
        for each in whole:
            yield decoded(to, each)
        if len(held) > LINE or size > most:
            raise rubbish(to, "far more than an answer")
    yield decoded(to, held)


def decoded(to: Endpoint, line: bytes) -> str:
    try:
        return line.decode().strip()
    except UnicodeDecodeError:
        raise rubbish(to, "bytes that are no text in UTF-8") from None


async def beginning(response: httpx.Response) -> bytes:
    """The first bytes of an error's text."""
    found = b""
    async for chunk in response.aiter_raw():
        found += chunk
        if len(found) > LINE:
            break
    return found[:LINE]


class Heard:
    """What was heard of one answer so far."""

    def __init__(self, to: Endpoint, asked: Ask, tell: Tell) -> None:
        self.to, self.asked, self.tell = to, asked, tell
        sampling = asked.sampling
        self.question = {
            "model": to.model, "messages": [{"role": each.role, "content": each.content} for each in asked.messages], "stream": True,
            "max_tokens": sampling.max_tokens, "temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed,
        }  # fmt: skip
        self.model = to.model  # as the server calls it, once it has said so
        self.text, self.tokens, self.began = "", 0, time.monotonic()
        self.whole: list[str] | None = None  # the lines of an answer that comes in one piece

    def line(self, line: str) -> bool:
        """Take a line in; True once the answer is over. Raises NoAnswer."""
        if self.whole is not None or (line.startswith("{") and not self.text):
            self.whole = self.whole or []
            self.whole.append(line)
            return False
        if line.startswith("<") and not self.text:
            raise rubbish(self.to, "with a web page", "Check the address: it usually ends in /v1.")
        name, _, value = line.partition(":")
        if name in ("", "event", "id", "retry"):  # an empty line, a remark, or what only other streams need
            return False
        if name == "error":  # older servers of llama.cpp
            return self.piece(f'{{"error": {value}}}', "delta")
        if name != "data":
            raise rubbish(self.to, "a line that belongs to no answer")
        value = value.strip()
        return self.finish("stop") if value == "[DONE]" else self.piece(value, "delta")

    def piece(self, text: str, part: str) -> bool:
        """Take in a piece of the answer, or all of it; `part` is what its words stand under."""
        try:
            found: Any = json.loads(text)
        except (ValueError, RecursionError):
            raise rubbish(self.to, "what is no JSON") from None
        if isinstance(found, dict) and found.get("error"):
            raise NoAnswer(
                f"{self.to.host} ended with an error{quoted(self.to, found)}. Look at its log, then ask again."
            )
        choices = found.get("choices") if isinstance(found, dict) else None
        if not isinstance(choices, list) or not all(isinstance(each, dict) for each in choices):
            raise rubbish(self.to, "JSON without an answer in it")
        if isinstance(found.get("model"), str) and found["model"]:
            self.model = one_line(made(found["model"]), NAME)
        return bool(choices) and self.more(choices[0], part, found.get("usage"))

    def more(self, choice: dict[str, Any], part: str, usage: Any) -> bool:
        words = choice.get(part) or {}
        content = words.get("content") if isinstance(words, dict) else words
        if not isinstance(content, str | None):
            raise rubbish(self.to, "an answer that is no text")
        if content:
            # Half a character or a control sign would end the page's own stream.
            self.text += FORBIDDEN.sub("", content)
            self.tokens += 1 if part == "delta" else len(content) // 4  # as far as one can tell from outside
        if isinstance(usage, dict) and isinstance(usage.get("completion_tokens"), int):
            self.tokens = usage["completion_tokens"]
        most = CHARACTERS * self.asked.sampling.max_tokens
        ended, cut = choice.get("finish_reason"), len(self.text) > most
        self.text = self.text[:most]
        if not ended and not cut:
            if content:
                self.tell(self.answer(done=False))
            return False
        return self.finish("length" if cut else str(ended))

    def end(self) -> bool:
        """The stream is over; no piece has said that the answer is. Raises NoAnswer where it is not."""
        if self.whole is not None:
            if not self.piece("\n".join(self.whole), "message"):
                self.finish("stop")
            return True
        raise broke(self.to, bool(self.text))

    def finish(self, reason: str) -> bool:
        if not self.text.strip():
            why = (
                "used up the longest answer without a word" if reason == "length" else "ended without a word"
            )
            raise NoAnswer(
                f"{self.to.host} {why}. Allow longer answers, or ask otherwise: some models think before they speak."
            )
        self.tell(self.answer(done=True, cut=reason == "length"))
        return True

    def answer(self, done: bool, cut: bool = False) -> Answer:
        """The fingerprint is over what is known: what the server says that it runs cannot be proved."""
        asked = self.asked
        parts = [self.to.url, self.model, system_text(asked.messages), asked.arm, asdict(asked.sampling)]
        fingerprint = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
        return Answer(self.text, self.tokens, time.monotonic() - self.began, done, fingerprint, cut)
