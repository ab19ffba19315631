"""Preparing a judging's answers unattended, in the Compare tab: begin, how far it is, stop."""

from __future__ import annotations

from typing import Any

from studio.core.records import Person
from studio.ui.show import counted
from studio.work import judging, preparing
from studio.work.judging import Judging
from studio.work.studio import Studio
from studio.work.unattended import Preparation


def on_prepare(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    arms = str(given["one"]), str(given["two"])
    wanted = Judging(arms, judging.listed(str(given.get("questions") or "")))
    return told(preparing.start(studio, person, str(given["project"]), wanted))


def on_prepared(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return told(preparing.now(studio, person, str(given["project"])))


def on_unprepare(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    preparing.stop(studio, person, str(given["project"]))
    return on_prepared(studio, person, given)


def told(found: Preparation | None) -> dict[str, Any]:
    """How far it is, as a sentence; nothing where nothing was prepared since the studio was started."""
    if found is None:
        return {"going": False, "said": ""}
    pairs = counted(found.total, "pair of answers", "pairs of answers")
    if not found.over:
        said = f"{found.done} of {pairs} ready. You can leave this page, or judge what is ready."
    elif found.trouble:
        said = f"{found.trouble} {found.done} of {pairs} ready and kept."
    elif found.stopped:
        said = f"Stopped. {found.done} of {pairs} ready and kept; prepare again to go on."
    else:
        said = "All answers are ready: judge them without waiting."
    trouble = bool(found.trouble)
    return {"going": not found.over, "said": said, "trouble": trouble, "done": found.done, "total": found.total}  # fmt: skip


DEEDS = (on_prepare, on_prepared, on_unprepare)
