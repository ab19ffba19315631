"""Everything that the studio foresees going wrong.

StudioError                 a sentence for the person, with the next step; `title` is what a toast shows
  BadInput                  what was given cannot be used
    UnreadableFile          a file that is none of the known shapes
    NotFound                no such project, conversation or run
    BadRecipe               a training setting outside its range
    TemplateNotSplittable   this model's template cannot be trained turn by turn
    NothingToLearn          the set is empty, too small, or nothing in it fits the model
  ChangedMeanwhile          somebody saved first; holds both texts
  Busy                      the accelerator is taken; says by what
  NoAnswer                  a model elsewhere is down, slow, or answers what cannot be read
  ModelNotReady             the base model is not on this machine, or cannot be used
  DoesNotFit                memory or disk; says how much is there and how much is needed
  NoAccess                  a file may not be read or written
  TrainingFailed            a run ended without a result; says why
  Stopped                   a person stopped what was being done; nothing of it was kept
  NotServedSafely           the server was asked to listen where strangers could reach it
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.core.records import Change, Conversation


class StudioError(Exception):
    """A foreseen failure. Its text is a whole sentence for the person and names the next step."""

    title = "That did not work"


class BadInput(StudioError):
    title = "This can't be used"


class UnreadableFile(BadInput):
    title = "This file can't be read"


class NotFound(BadInput):
    title = "Not found"


class BadRecipe(BadInput):
    title = "These settings won't train"


class TemplateNotSplittable(BadInput):
    title = "This model's chat template can't be trained"


class NothingToLearn(BadInput):
    title = "There is not enough to learn from"


class ChangedMeanwhile(StudioError):
    """A save was made from an old version. `mine` was kept aside in the history; `theirs` is the newest."""

    title = "Somebody saved first"

    def __init__(self, mine: Change, theirs: Conversation) -> None:
        super().__init__(
            f"{theirs.updated_by} changed this conversation while you were writing. "
            "Your text is kept in its history; open the newest version and choose what shall stand."
        )
        self.mine = mine
        self.theirs = theirs


class Busy(StudioError):
    title = "Busy just now"


class NoAnswer(StudioError):
    title = "No answer from elsewhere"


class ModelNotReady(StudioError):
    title = "The model is not ready"


class DoesNotFit(StudioError):
    title = "There is not enough room"


class NoAccess(StudioError):
    title = "A file cannot be used"


class TrainingFailed(StudioError):
    title = "Training ended without a result"


class Stopped(StudioError):
    title = "Stopped"


class NotServedSafely(StudioError):
    title = "Not served"


FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (*FULL, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG, errno.EIO)


RESERVE = 200 * 2**20  # bytes that the studio never fills: a full disk loses other programs' work
MOVE = "Free some space, or move the studio's folder with --home."


def must_fit(free: int, needed: int, purpose: str, way_out: str = MOVE) -> None:
    """Raise DoesNotFit, with numbers and the way out, where a disk with `free` bytes has no `needed` ones beside the reserve."""
    if free < needed + RESERVE:
        raise DoesNotFit(
            f"{purpose} needs {needed / 2**20:,.0f} MB and the disk has {max(0, free - RESERVE) / 2**20:,.0f} MB to give. "
            f"{way_out}"
        )


def refused(error: OSError, then: str) -> StudioError:
    """What it means to a person that a file could not be read or written; `then` is what to do once that is mended."""
    if error.errno in FULL:
        return DoesNotFit(f"The disk is full. Free some space, then {then}.")
    return NoAccess(
        f"{error.filename or 'A file'} cannot be read or written ({error.strerror or error}). Check who owns it and whether "
        f"its disk may be written to, then {then}."
    )


def foreseen(error: BaseException) -> StudioError | None:
    """The error itself where it was foreseen, what it means where a disk refused a file, else None."""
    if isinstance(error, OSError) and error.errno in REFUSED:
        return refused(error, "try again")
    return error if isinstance(error, StudioError) else None
