"""Answering every question of a judging unattended, so that it can be judged later without waiting.

Each round is kept as soon as both its answers are there, so what was prepared outlives a stop and a restart, and to
prepare again is to go on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

from studio.core.errors import Busy, StudioError
from studio.core.records import Person
from studio.work import evaluating, judging, occupied
from studio.work.judging import Judging, Match, Picked
from studio.work.studio import Studio
from studio.work.unattended import Preparation

log = logging.getLogger(__name__)


def start(studio: Studio, person: Person, project_id: str, wanted: Judging) -> Preparation:
    """Begin, or go on, in the background. What is being prepared already goes on as it is.

    Raises Busy while something else is being prepared, and as `judging.match` does.
    """
    found = judging.match(studio, project_id, wanted)
    ahead = studio.unattended
    with ahead.starting:
        going = ahead.preparation
        if going and not going.over:
            if (going.project, going.judge, going.wanted) == (project_id, person.name, wanted):
                return going
            raise Busy(
                f"Questions are being prepared for {going.judge} just now: {going.done} of {going.total} are done. "
                "Wait until they are, or stop that, then prepare yours."
            )
        picked = judging.picked(studio, person, project_id, found)
        ahead.preparation = new = Preparation(project_id, person.name, wanted, len(picked))
    what = (studio, person, found, picked, new)
    threading.Thread(target=work, args=what, daemon=True, name="preparing").start()
    return new


def now(studio: Studio, person: Person, project_id: str) -> Preparation | None:
    """What is, or was last, prepared for a judge here since the studio was started."""
    found = studio.unattended.preparation
    return found if found and (found.project, found.judge) == (project_id, person.name) else None


def stop(studio: Studio, person: Person, project_id: str) -> None:
    """End it within a token. What is ready stays."""
    if found := now(studio, person, project_id):
        found.stopped = True


def work(studio: Studio, person: Person, found: Match, picked: Sequence[Picked], mine: Preparation) -> None:
    """The thread: what becomes of it stands in `mine`, failures too."""

    def listed(left: Sequence[Picked], ended: Callable[[], bool]) -> Iterator[int]:
        for place, _ in judging.answered(studio, person, mine.project, found, left, ended):
            mine.done += 1
            yield place

    try:
        evaluating.in_turns(studio, picked, listed, lambda: mine.stopped)
    except Exception as error:
        if isinstance(error, StudioError):
            mine.trouble = str(occupied.explained(studio, error))
        else:
            log.exception("preparing questions failed")
            mine.trouble = evaluating.UNFORESEEN
    finally:
        mine.over = True
