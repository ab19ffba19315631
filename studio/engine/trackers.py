"""TensorBoard and trackio: logs for looking at runs in tools of their own, fed with a run's events. Off unless chosen.

A log begins with all that earlier workers said, so a run that goes on has each point once. A log can do its run no harm:
the first time that one fails this is said, and it is given up. Nothing leaves the machine.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from studio.core.course import lasting
from studio.core.progress import Untracked
from studio.engine.run_folder import Folder

log = logging.getLogger(__name__)

FLUSHED = 5.0  # seconds after which what was logged is to be seen
# What events call it, and what the logs do.
NUMBERS = {
    "loss": "loss/learned",
    "held_out_loss": "loss/held_out",
    "general_loss": "loss/general",
    "learning_rate": "learning_rate",
    "grad_norm": "gradient_norm",
    "memory_mb": "memory_mb",
}


class TensorBoard:
    """Writes event files into the run's folder `tensorboard`.

    Not by SummaryWriter: that hands events to a thread through a queue of ten, and once the thread has died, as of a full
    disk, whoever adds the eleventh waits for ever.
    """

    title, package = "TensorBoard", "tensorboardX"

    def __init__(self, folder: Path, spec: dict[str, Any]) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import SessionLog
        from tensorboardX.summary import hparams, text

        place = folder / "tensorboard"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        self.writer, self.flushed = EventsWriter(str(place / "events")), 0.0
        # A TensorBoard that is open drops at this what it read before.
        self.write(0, spec["created_at"], session_log=SessionLog(status=SessionLog.START))
        told = "\n".join(f"    {line}" for line in json.dumps(spec, indent=2).splitlines())
        for each in (*hparams(settings(spec), {NUMBERS["held_out_loss"]: 0.0})[:2], text("spec", told)):
            self.write(0, spec["created_at"], summary=each)

    def numbers(self, update: int, at: float, named: dict[str, float]) -> None:
        from tensorboardX.summary import scalar

        for name, number in named.items():
            self.write(update, at, summary=scalar(name, number))

    def answers(self, update: int, at: float, asked: Sequence[tuple[str, str]]) -> None:
        from tensorboardX.summary import text

        for place, (question, answer) in enumerate(asked, 1):
            self.write(update, at, summary=text(f"watch/{place}", f"> {question}\n\n{answer}"))

    def write(self, update: int, at: float, **what: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event

        self.writer.write_event(Event(step=update, wall_time=at, **what))
        if time.monotonic() - self.flushed > FLUSHED:
            self.writer.flush()
            self.flushed = time.monotonic()

    def close(self) -> None:
        self.writer.close()


class Trackio:
    """Writes into trackio's own store, which store.environment.for_child puts into the studio's folder."""

    title, package = "trackio", "trackio"

    def __init__(self, folder: Path, spec: dict[str, Any]) -> None:
        import trackio

        project, name = spec["project_name"], f"{spec['name']} ({spec['id']})"
        with contextlib.suppress(ValueError):  # this is its first run
            for earlier in trackio.Api().runs(project):
                if earlier.name == name:
                    earlier.delete()
        with offline():
            self.run = trackio.init(
                project, name, config=settings(spec), embed=False, auto_log_cpu=False, auto_log_gpu=False
            )

    def numbers(self, update: int, at: float, named: dict[str, float]) -> None:
        self.run.log(named, step=update)

    def answers(self, update: int, at: float, asked: Sequence[tuple[str, str]]) -> None:
        import trackio

        self.run.log({"watch": trackio.Table(["question", "answer"], asked)}, step=update)

    def close(self) -> None:
        self.run.finish()


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Keep a library from the hub for a moment: trackio asks it, with the person's token, whose token that is."""
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


KINDS: dict[str, type[TensorBoard] | type[Trackio]] = {"tensorboard": TensorBoard, "trackio": Trackio}


def is_installed(kind: type[TensorBoard] | type[Trackio]) -> bool:
    return find_spec(kind.package) is not None


def settings(spec: dict[str, Any]) -> dict[str, Any]:
    """What runs are compared by."""
    return {**spec["recipe"], "preset": spec["preset"], "base": spec["base"]}


class Tracker:
    """Hands a run's events on to a log, from the first one on, until that fails."""

    def __init__(self, folder: Folder, spec: dict[str, Any], questions: Sequence[str]) -> None:
        self.folder, self.kind, self.questions = folder, KINDS[spec["tracker"]], questions
        self.to: TensorBoard | Trackio | None = None
        with self.harmless():
            self.to = self.kind(folder.path, spec)
            for event in lasting(folder.said()):
                self.put(self.to, event)

    def __call__(self, event: dict[str, Any]) -> None:
        with self.harmless():
            if self.to:
                self.put(self.to, event)

    def put(self, to: TensorBoard | Trackio, event: dict[str, Any]) -> None:
        if "update" not in event:  # a plan has numbers, too, but no place on a curve
            return
        named = {name: event[field] for field, name in NUMBERS.items() if event.get(field) is not None}
        if event.get("seconds"):
            named["tokens_per_second"] = event["tokens"] / event["seconds"]
        if named:
            to.numbers(event["update"], event["at"], named)
        if "answers" in event:
            asked = list(zip(self.questions, event["answers"], strict=True))
            to.answers(event["update"], event["at"], asked)

    @contextlib.contextmanager
    def harmless(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            log.exception("the log for %s failed", self.kind.title)
            self.to = None
            what = f"{type(error).__name__}: {error}"
            self.folder.emit(Untracked(f"The log for {self.kind.title} ends here ({what}). The run goes on without it; worker.log in its folder tells more."))  # fmt: skip

    def close(self) -> None:
        """Nothing is said of what fails now: the run has said its last word."""
        try:
            if self.to:
                self.to.close()
        except Exception:
            log.exception("the log for %s could not be closed", self.kind.title)


@contextlib.contextmanager
def tracked(folder: Folder, spec: dict[str, Any], questions: Sequence[str]) -> Iterator[None]:
    """Meanwhile what the run says goes to the log that its spec names, too, if it names one."""
    if spec.get("tracker") not in KINDS:
        yield
        return
    folder.tracker = tracker = Tracker(folder, spec, questions)
    try:
        yield
    finally:
        folder.tracker = None
        tracker.close()
