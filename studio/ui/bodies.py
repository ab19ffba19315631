"""What a request carries: counted while it comes, and looked through for files that it may not name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import Message, Receive, Send


class TooLarge(Exception):
    """More came than one request may carry."""


@dataclass
class Counted:
    """`receive` that gives up once more than `limit` bytes came."""

    receive: Receive
    limit: int
    seen: int = 0

    @property
    def exceeded(self) -> bool:
        return self.seen > self.limit

    async def __call__(self) -> Message:
        message = await self.receive()
        self.seen += len(message.get("body", b""))
        if self.exceeded:
            raise TooLarge
        return message

    async def whole(self) -> bytes:
        parts, more = [], True
        while more:
            message = await self()
            parts.append(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
        return b"".join(parts)


@dataclass
class Started:
    """`send` that holds back whatever is said about a body that was too large."""

    send: Send
    counted: Counted
    done: bool = False

    async def __call__(self, message: Message) -> None:
        if self.counted.exceeded and not self.done:
            return
        self.done = True
        await self.send(message)


def again(body: bytes, receive: Receive) -> Receive:
    """`receive` for a body that was read already."""
    waiting = [body]

    async def give() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return give


def is_inside(path: str, folder: Path) -> bool:
    """Whether `path`, links followed, is a file within `folder`."""
    try:
        found = Path(path).resolve()
        return found.is_relative_to(folder.resolve()) and found.is_file()
    except (OSError, ValueError):
        return False


def files_inside(body: bytes, folder: Path) -> bool:
    """Whether every file that an event's inputs name was given to the studio. Also refuses addresses to be fetched."""
    if b'"path"' not in body and b"\\u" not in body:
        return True
    try:
        return all(is_inside(each, folder) for each in named_files(json.loads(body)))
    except (ValueError, RecursionError):
        return False


def named_files(value: Any) -> list[str]:
    """The paths in a JSON value that gradio could take for files; nothing else of the page has a field of that name."""
    if isinstance(value, list):
        return [path for each in value for path in named_files(each)]
    if not isinstance(value, dict):
        return []
    own = [str(value["path"])] if value.get("path") else []
    return own + [path for each in value.values() for path in named_files(each)]
