"""Answering every question of a judging unattended, so that it can be judged later without waiting.

Each round is kept as soon as both its answers are there, so what was prepared outlives a stop and a restart, and to
prepare again is to go on. What was to be prepared, and what became of that, is kept, too: a closed or killed studio tells it
when it is back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

from studio.core.errors import Busy, StudioError
from studio.core.judging import Judging, Round
from studio.core.records import Person
from studio.store import judgings, rounds
from studio.store.judgings import Last
from studio.work import evaluating, judging, occupied
from studio.work.judging import Match, Picked
from studio.work.studio import Studio
from studio.work.unattended import Preparation
from studio.work.writing import now

log = logging.getLogger(__name__)
READY, STOPPED = "ready", "stopped"  # outcomes; any other is the sentence of what went wrong
CUT_OFF = "The studio was closed while these were being prepared."


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
        # Without those that calibrate: how many there are is not told.
        questions = sum(not calibrates for _, calibrates in picked)
        new = Preparation(project_id, person.name, wanted, questions, now())
        with studio.database.writing() as db:
            judgings.keep(db, project_id, person.name, Last(wanted, new.at, questions))
        ahead.preparation = new
    what = (studio, person, found, picked, new)
    threading.Thread(target=work, args=what, daemon=True, name="preparing").start()
    return new


def latest(studio: Studio, person: Person, project_id: str) -> Preparation | None:
    """What is being prepared for a judge, or was last prepared, also before the studio was started; None where they began
    to judge something else since.
    """
    found = in_memory(studio, person, project_id)
    if found and not found.over:
        return found
    with studio.database.reading() as db:
        last = judgings.load(db, project_id, person.name)
        made = rounds.of(db, project_id, person.name)
    if found and last and last.wanted == found.wanted:
        return found
    return on_disk(project_id, person, last, made) if last and last.preparing else None


def in_memory(studio: Studio, person: Person, project_id: str) -> Preparation | None:
    found = studio.unattended.preparation
    return found if found and (found.project, found.judge) == (project_id, person.name) else None


def on_disk(project_id: str, person: Person, last: Last, made: Sequence[Round]) -> Preparation:
    """What was prepared before the studio was started; of what ended in no way that is known, it was the studio that ended."""
    ready = min(sum(each.at >= last.at and not each.calibrates for each in made), last.preparing)
    outcome = READY if ready == last.preparing else last.outcome or CUT_OFF
    trouble = "" if outcome in (READY, STOPPED) else outcome
    return Preparation(
        project_id, person.name, last.wanted, last.preparing, last.at,
        stopped=outcome == STOPPED, done=ready, over=True, trouble=trouble,
    )  # fmt: skip


def stop(studio: Studio, person: Person, project_id: str) -> None:
    """End it within a token. What is ready stays."""
    if found := in_memory(studio, person, project_id):
        found.stopped = True


def work(studio: Studio, person: Person, found: Match, picked: Sequence[Picked], mine: Preparation) -> None:
    """The thread: what becomes of it stands in `mine` and on the disk, failures too."""

    def listed(left: Sequence[Picked], ended: Callable[[], bool]) -> Iterator[int]:
        for place, made in judging.answered(studio, person, mine.project, found, left, ended):
            mine.done += not made.calibrates
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
        outcome = mine.trouble or (STOPPED if mine.stopped else READY)
        try:
            with studio.database.writing() as db:
                judgings.end(db, mine.project, mine.judge, mine.at, outcome)
        finally:
            mine.over = True
