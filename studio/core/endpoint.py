"""A model that runs elsewhere: its address, which is checked strictly, since people's questions go there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlsplit

from studio.core.errors import BadInput
from studio.core.text import clean

ARM = "endpoint:"  # begins the name of such an arm
PATH = "/chat/completions"
# Nothing by which two programs could read two hosts out of one address: no user, no query, no sign beyond ASCII.
ADDRESS = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:/[a-z0-9._~/%-]*)?", re.I)
KEY = re.compile(r"[!-~]*")  # it stands in a line of the request
MOST = 500  # characters of an address or a key, MODEL of a model's name
MODEL = 200


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible server and the model that is asked there. `url` is all that stands before PATH."""

    url: str
    model: str
    key: str = field(default="", repr=False)  # so that it stands in no log

    @property
    def host(self) -> str:
        """Who gets the question, with the port where it is not the usual one."""
        return urlsplit(self.url).netloc

    @property
    def origin(self) -> str:
        """What a key is for: a key that was given for one origin goes to no other."""
        return "://".join(urlsplit(self.url)[:2])

    @property
    def arm(self) -> str:
        """Model and host: another of either is another arm, so votes on the two are never put together."""
        return ARM + quote(f"{self.model}@{self.host}", safe="/:@")

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, so that nothing leaves it."""
        name = urlsplit(self.url).hostname or ""
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"

    @property
    def is_open(self) -> bool:
        """Whether what is sent there can be read on its way."""
        return self.url.startswith("http:") and not self.is_here


def titled(arm: str) -> str:
    """The name of such an arm as a sentence has it: "llama3 at 127.0.0.1:11434"."""
    return " at ".join(unquote(arm.removeprefix(ARM)).rsplit("@", 1))


def checked(url: object, model: object, key: object) -> Endpoint:
    """What somebody typed, as an endpoint. Raises BadInput, in which the key does not stand."""
    if not isinstance(url, str) or not isinstance(model, str) or not isinstance(key, str):
        raise BadInput("An address, a model and a key are texts. Reload the page and type them again.")
    address = url.strip().rstrip("/").removesuffix(PATH).rstrip("/")
    if not ADDRESS.fullmatch(address) or len(address) > MOST:
        raise BadInput(
            "This is no address of a model. Enter one such as http://127.0.0.1:8080/v1: http or https, a host, and no "
            "name, password or question mark in it."
        )
    try:
        parts = urlsplit(address)
        _ = parts.port  # read so that one that is none is found now
    except ValueError:
        raise BadInput(
            "The host or the port in this address is none. Enter one such as http://127.0.0.1:8080/v1."
        ) from None
    if not model.strip():
        raise BadInput("Which model shall answer there? Enter its name, as the server lists it.")
    if not KEY.fullmatch(key.strip()) or len(key) > MOST:
        raise BadInput(
            "A key has letters, digits and signs without spaces. Copy it once more from where you got it."
        )
    name = clean(model.strip(), "The model's name", MODEL)
    return Endpoint(f"{parts.scheme}://{parts.netloc.lower()}{parts.path}", name, key.strip())
