"""Preparing a judging's answers unattended, in the Compare tab: begin, how far it is, stop."""

from __future__ import annotations

from typing import Any

from studio.core.judging import Judging
from studio.core.records import Person
from studio.ui.show import counted
from studio.work import judging, preparing
from studio.work.studio import Studio
from studio.work.unattended import Preparation


def on_prepare(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return told(preparing.start(studio, person, str(given["project"]), wanted(given)))


def on_prepared(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return told(preparing.latest(studio, person, str(given["project"])))


def on_unprepare(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    preparing.stop(studio, person, str(given["project"]))
    return on_prepared(studio, person, given)


def wanted(given: dict[str, Any]) -> Judging:
    """What the page says is to be judged; `wish` is the other way."""
    return Judging((str(given["one"]), str(given["two"])), judging.listed(str(given.get("questions") or "")))


def wish(wanted: Judging) -> dict[str, str]:
    return {"one": wanted.arms[0], "two": wanted.arms[1], "questions": "\n".join(wanted.questions)}


def told(found: Preparation | None) -> dict[str, Any]:
    """How far it is, as a sentence, and what to go on with where it ended before all were ready."""
    if found is None:
        return {"going": False, "said": "", "left": None}
    questions = counted(found.total, "question")
    if not found.over:
        said = f"{found.done} of {questions} ready. You can leave this page, or judge what is ready."
    elif found.trouble:
        said = f"{found.trouble} {found.done} of {questions} ready and kept."
    elif found.stopped:
        said = f"Stopped. {found.done} of {questions} ready and kept."
    else:
        said = "All answers are ready: judge them without waiting."
    left = wish(found.wanted) if found.over and found.done < found.total else None
    return {
        "going": not found.over, "said": said, "trouble": bool(found.trouble), "done": found.done, "total": found.total,
        "left": left,
    }  # fmt: skip


DEEDS = (on_prepare, on_prepared, on_unprepare)
