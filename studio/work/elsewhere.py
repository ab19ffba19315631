"""A model elsewhere, at one address for the whole studio: off until somebody switches it on, and asked in Compare only.

Every way to it goes through `known`, which refuses while it is off and when it is another one than the page has named: so
no question goes to a host that nobody has agreed to.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from studio.core import endpoint
from studio.core.endpoint import Endpoint
from studio.core.errors import BadInput, NoAnswer, NotFound
from studio.core.records import Answer, Message, Person, Sampling
from studio.engine import endpoint as client
from studio.engine.api import Ask
from studio.store import settings
from studio.work.beside import BLANK, Rows, Source, Stopping
from studio.work.studio import Studio

log = logging.getLogger(__name__)
TRIED = "Say hello in one short sentence."  # all that is sent to try it
UNFORESEEN = (
    "The answer could not be read, in a way that the studio did not foresee. The log holds the details."
)
ONLY_COMPARE = (
    "A model elsewhere can be asked in Compare only, so that nothing else leaves this machine. Choose the base, a run "
    "or a prompt."
)


@dataclass(frozen=True)
class Kept:
    """What is set, its key in it. `by` switched it on last."""

    endpoint: Endpoint
    on: bool
    by: str = ""


def kept(studio: Studio) -> Kept | None:
    """What is set; None for nothing, and for what somebody has written into the file that is no endpoint."""
    found = settings.load(studio.home).get("endpoint")
    if not isinstance(found, dict):
        return None
    try:
        bare = endpoint.checked(found.get("url"), found.get("model"), "")
    except BadInput:
        return None
    keyed = replace(bare, key=settings.key_for(studio.home, bare.origin))
    return Kept(keyed, found.get("on") is True, str(found.get("by", "")))


def is_on(studio: Studio) -> Endpoint | None:
    found = kept(studio)
    return found.endpoint if found and found.on else None


def known(studio: Studio, arm: str) -> Endpoint:
    """The endpoint of an arm: "endpoint", or the very one that its name says. Raises NotFound."""
    found = is_on(studio)
    if not found:
        raise NotFound("The model elsewhere is switched off, so nothing was sent. Choose another model.")
    if arm not in ("endpoint", found.arm):
        raise NotFound(
            f"The model elsewhere is {endpoint.titled(found.arm)} by now, so nothing was sent. Open the Compare tab anew and "
            "choose once more."
        )
    return found


# --- setting it


def given(studio: Studio, url: object, model: object, key: object) -> Endpoint:
    """What somebody typed; without a key the kept one, if it is for the same origin. Raises BadInput."""
    typed = endpoint.checked(url, model, key)
    return typed if typed.key else replace(typed, key=settings.key_for(studio.home, typed.origin))


def switch_on(studio: Studio, person: Person, url: object, model: object, key: object) -> None:
    """Let Compare ask it from now on; the key is kept by itself, for this origin only. Raises BadInput."""
    wanted = given(studio, url, model, key)
    settings.keep_key(studio.home, wanted.origin, wanted.key)
    settings.save(studio.home, endpoint={"url": wanted.url, "model": wanted.model, "on": True, "by": person.name})  # fmt: skip


def switch_off(studio: Studio, person: Person) -> None:
    """Nothing is sent any more; what is set stays, to be switched on again."""
    if found := kept(studio):
        bare = {"url": found.endpoint.url, "model": found.endpoint.model, "on": False, "by": found.by}
        settings.save(studio.home, endpoint=bare)


def forget(studio: Studio, person: Person) -> None:
    """Off, and nothing of it stays, the key neither."""
    settings.keep_key(studio.home, "", "")
    settings.save(studio.home, endpoint=None)


# --- asking it


def try_out(studio: Studio, person: Person, url: object, model: object, key: object) -> tuple[Endpoint, Answer]:  # fmt: skip
    """Ask what somebody typed one tiny question, on or off, without keeping anything. Raises BadInput, NoAnswer."""
    to = given(studio, url, model, key)
    return to, whole(to, Ask((Message("user", TRIED),), None, Sampling(max_tokens=64)), lambda: False)


def whole(to: Endpoint, ask: Ask, stopping: Stopping) -> Answer:
    """The whole answer, or what was there when it was stopped. Raises NoAnswer."""
    told = [BLANK]
    client.ask(to, ask, told.append, stopping)
    return told[-1]


def source(studio: Studio, arm: str, ask: Ask) -> Source:
    """Ready to be asked beside other arms. What goes wrong stands in the last row told: their answers must not be lost.

    Raises NotFound as `known` does.
    """
    to = known(studio, arm)

    def answer(tell: Callable[[Rows], None], stopping: Stopping) -> None:
        told = [BLANK]

        def both(so_far: Answer) -> None:
            told[0] = so_far
            tell((so_far,))

        try:
            client.ask(to, ask, both, stopping)
        except NoAnswer as error:
            tell((replace(told[0], done=True, error=str(error)),))
        except Exception:
            log.exception("asking a model elsewhere failed")
            tell((replace(told[0], done=True, error=UNFORESEEN),))

    return answer


def answer_all(
    studio: Studio, base: str, rows: Sequence[tuple[str, Ask]], at_once: int, stopping: Stopping
) -> Iterator[tuple[int, Answer]]:
    """As `engine.answer_all`, of rows that name a model elsewhere, or "" for this machine. Raises NotFound, NoAnswer, too.

    Some rows here, then those beside them elsewhere: the model here is free while another machine is waited for.
    """
    away = {place: known(studio, arm) for place, (arm, _) in enumerate(rows) if arm}
    step = at_once if away else max(len(rows), 1)
    for start in range(0, len(rows), step):
        part = range(start, min(start + step, len(rows)))
        here = [place for place in part if place not in away]
        asks = [rows[place][1] for place in here]
        for at, found in studio.engine.answer_all(base, asks, at_once, stopping) if asks else ():
            yield here[at], found
        for place in part:
            if place in away and not stopping():
                found = whole(away[place], rows[place][1], stopping)
                if found.done:
                    yield place, found


def where_key_lies(studio: Studio) -> str:
    """The file of the key, with whether others could read it."""
    path = studio.home.endpoint_key
    return f"{path}, which only your account can read" if os.name == "posix" else str(path)
