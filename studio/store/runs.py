"""The run folder: frozen before the run, appended by its worker, read by everybody else."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from studio.core.errors import Busy, NotFound
from studio.core.formats import as_entry
from studio.core.records import ACTIVE, Message, Run, RunState
from studio.store.holding import is_held
from studio.store.home import Home, require_space

# Seconds that a new worker may take to hold its run before it counts as killed. None where it inherits the lock.
GRACE = 15.0 if sys.platform == "win32" else 0.0
NEEDED = 400 * 2**20  # bytes: two adapters, the data and the log of a small model's run, with room to spare
POINT = 40 * 2**20  # bytes: another adapter that is kept, twice, for it is copied when the run is over


def next_id(home: Home) -> str:
    """The number of the next run; numbers are never used again, also not after a run was deleted."""
    counter = home.runs / ".last"
    known = [int(each.name) for each in home.runs.iterdir() if each.name.isdigit()]
    last = max([*known, int(counter.read_text("utf-8")) if counter.exists() else 0], default=0)
    write_whole(counter, str(last + 1))
    return str(last + 1)


def freeze(
    home: Home,
    id: str,
    spec: dict[str, Any],
    data: dict[str, Sequence[tuple[str, Sequence[Message]]]],
    place: int = 0,
) -> Path:
    """Write a run's folder: its data (name -> (id, messages) pairs) with hashes, and its spec last; renamed into place.

    `place`: where it stands in the queue of runs that wait; 0 for one that does not.

    Raises DoesNotFit where the disk has no room for the run.
    """
    points = spec.get("recipe", {}).get("points", 0)
    require_space(home.runs, NEEDED + points * POINT, "A training run")
    staging = home.runs / f".{id}.staging"
    staging.mkdir(parents=True)
    hashes = {name: write_data(staging / f"{name}.jsonl", rows) for name, rows in data.items()}
    spec = {**spec, "id": id, "created_at": time.time(), "data": hashes}
    (staging / "spec.json").write_text(json.dumps(spec, indent=2), "utf-8")
    (staging / "events.jsonl").touch()
    if place:
        (staging / "queue").write_text(str(place), "utf-8")
    staging.rename(home.run(id))
    return home.run(id)


def write_data(path: Path, rows: Iterable[tuple[str, Sequence[Message]]]) -> dict[str, Any]:
    lines = [
        json.dumps({"id": id, "messages": [as_entry(each) for each in messages]}) for id, messages in rows
    ]
    text = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(text)
    return {"rows": len(lines), "sha256": hashlib.sha256(text).hexdigest()}


def frozen(folder: Path, name: str) -> list[tuple[Message, ...]]:
    """The conversations of one of a run's frozen files: "train", "held_out", "general", "gauge" or "watch"."""
    return [messages for _, messages in frozen_rows(folder, name)]


def frozen_rows(folder: Path, name: str) -> list[tuple[str, tuple[Message, ...]]]:
    """The same with their ids."""
    with (folder / f"{name}.jsonl").open("rb") as lines:
        rows = [json.loads(line) for line in lines]
    return [(row["id"], tuple(Message(**each) for each in row["messages"])) for row in rows]


def load(home: Home, id: str) -> Run:
    """Read a run. Raises NotFound."""
    folder = home.run(id)
    if "/" in id or id.startswith(".") or not (folder / "spec.json").is_file():
        raise NotFound(f"There is no run {id}. The Train tab and `runs` list those that there are.")
    spec = json.loads((folder / "spec.json").read_text("utf-8"))
    # The order matters: a worker takes its lock before it leaves the queue, and writes its card before it lets go.
    waits = (folder / "queue").exists()
    held = is_held(folder)
    events = read_events(folder)
    card, ended = read_json(folder / "card.json"), read_json(folder / "exit.json")
    started = read_json(folder / "started.json") or {"at": 0.0, "events": 0}
    state = state_of(card, events[started["events"] :], held, ended is not None, started["at"])
    if waits and state == "killed" and not ended:
        state = "queued"
    return Run(id, folder, state, spec, card, events, ended, read_note(folder))


def folders(home: Home) -> list[Path]:
    """The folders of all runs that were frozen whole."""
    return [
        each
        for each in home.runs.iterdir()
        if not each.name.startswith(".") and (each / "spec.json").is_file()
    ]


def load_all(home: Home) -> list[Run]:
    """All runs, newest first."""
    return sorted((load(home, each.name) for each in folders(home)), key=order, reverse=True)


def load_active(home: Home) -> list[Run]:
    """The runs that are going. The events of those that are plainly over are not read."""
    open_ended = [each for each in folders(home) if not is_over(each)]
    return [run for run in (load(home, each.name) for each in open_ended) if is_active(run)]


def is_over(folder: Path) -> bool:
    """Whether a run has its card, or a note of how it ended. A late note, of an earlier worker, ends no living one."""
    return (folder / "card.json").exists() or ((folder / "exit.json").exists() and not is_held(folder))


def load_queue(home: Home) -> list[Run]:
    """The runs that wait, the next one first."""
    listed = [load(home, each.name) for each in folders(home) if (each / "queue").exists()]
    return sorted((run for run in listed if run.state == "queued"), key=place_of)


def place_of(run: Run) -> tuple[int, int]:
    return int((run.folder / "queue").read_text("utf-8")), int(run.id)


def next_place(home: Home) -> int:
    return max((place_of(run)[0] for run in load_queue(home)), default=0) + 1


def move_up(home: Home, id: str) -> None:
    """Let a run that waits change places with the one before it. One that begins meanwhile is not put back."""
    with slot(home):
        waiting = load_queue(home)
        at = next((at for at, run in enumerate(waiting) if run.id == id), 0)
        if at:
            before, after = waiting[at - 1], waiting[at]
            (one, _), (two, _) = place_of(before), place_of(after)
            write_whole(after.folder / "queue", str(one))
            write_whole(before.folder / "queue", str(two))


def order(run: Run) -> tuple[int, str]:
    """Runs are in the order of their numbers: the machine's clock may have been set back. What has none only measured."""
    return int(run.id) if run.id.isdigit() else 0, run.id


def state_of(
    card: dict[str, Any] | None,
    events: Sequence[dict[str, object]],
    held: bool,
    ended: bool,
    started_at: float,
) -> RunState:
    """What a run is, told from its folder alone; so a restarted server, or another program, sees the same.

    `events`: what the worker said that was started last, at `started_at`; `held`: one lives, or is being started;
    `ended`: it was noted how the last one ended.
    """
    if card:
        return "stopped" if card["state"] == "stopped" else "finished"
    last = events[-1]["kind"] if events else ""
    if last in ("failed", "discarded", "paused"):
        return last
    if held:
        return "running" if events else "starting"
    if not events and not ended and 0 <= time.time() - started_at < GRACE:
        return "starting"
    return "killed"


def read_events(folder: Path) -> tuple[dict[str, object], ...]:
    """Every whole line of the run's events; a line that is being written is left for the next time."""
    text = (folder / "events.jsonl").read_bytes()
    return tuple(json.loads(line) for line in text[: text.rfind(b"\n") + 1].split(b"\n") if line)


def read_json(path: Path) -> dict[str, Any] | None:
    """A file's content; None where there is none. A full disk or a power cut can leave it empty: that is none, too."""
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return value


def read_note(folder: Path) -> str:
    try:
        return (folder / "note.txt").read_text("utf-8")
    except FileNotFoundError:
        return ""


def write_note(run: Run, note: str) -> None:
    write_whole(run.folder / "note.txt", note)


def write_whole(path: Path, text: str) -> None:
    """Write a file in one rename: whenever this process is killed, the next one reads the old text or the new."""
    staging = path.with_name(f".{path.name}.new")
    staging.write_text(text, "utf-8")
    staging.replace(path)


def ask_to_stop(folder: Path, discard: bool) -> None:
    """Leave word for the worker; "discard" outranks an earlier "keep"."""
    write_whole(folder / "stop", "discard" if discard else "keep")


def asked_to_stop(folder: Path) -> str:
    """What was asked of a run: "keep", "discard", or "" for nothing."""
    try:
        return (folder / "stop").read_text("utf-8")
    except FileNotFoundError:
        return ""


def note_start(folder: Path) -> None:
    """Note that a worker is being started: what earlier ones said and were asked is over."""
    for name in ("stop", "exit.json"):
        (folder / name).unlink(missing_ok=True)
    said = len(read_events(folder))
    write_whole(folder / "started.json", json.dumps({"at": time.time(), "events": said}))


def note_exit(folder: Path, code: int, memory: bool = False) -> None:
    """Note how a worker ended: its exit code, or minus the signal that killed it; `memory`: as the system ran out of it."""
    if folder.is_dir():
        told = {"code": code, "memory": memory, "at": time.time()}
        write_whole(folder / "exit.json", json.dumps(told))


def remove(home: Home, run: Run) -> None:
    """Remove a run that is not going, and free its disk space. Raises Busy where it began meanwhile, NotFound."""
    gone = home.runs / f".{run.id}.gone"
    with slot(home):
        if is_active(load(home, run.id)):
            raise Busy("This run has just begun. Stop it first, then delete it.")
        run.folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def clear_leftovers(home: Home) -> None:
    """Free what a process left that was killed while it prepared or removed a run. Only who has the slot may."""
    for left in (*home.runs.glob(".*.staging"), *home.runs.glob(".*.gone")):
        shutil.rmtree(left, ignore_errors=True)


def is_active(run: Run) -> bool:
    return run.state in ACTIVE


@contextlib.contextmanager
def slot(home: Home) -> Iterator[None]:
    """Held while a run is being started, so that two processes never start two. Raises Busy after ten seconds."""
    try:
        with FileLock(home.runs / ".slot", timeout=10):
            yield
    except Timeout as error:
        raise Busy("Another run is being started just now. Look at the Train tab in a moment.") from error
