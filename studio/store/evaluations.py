"""The folder of an evaluation: frozen before the first question, appended as answers come, its result written last."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from studio.core.errors import Busy, NotFound
from studio.core.evaluation import Evaluation
from studio.core.records import Message
from studio.store.holding import is_held
from studio.store.home import Home, require_space
from studio.store.runs import read_json, write_data

NEEDED = 20 * 2**20  # bytes: some thousand answers and conversations, with room to spare
MADE = ("answers", "losses")  # the files that grow, one row a line

Rows = Sequence[tuple[str, Sequence[Message]]]  # id and messages of each


def freeze(home: Home, spec: dict[str, Any], data: dict[str, Rows]) -> str:
    """Write a new evaluation's folder, its spec last, and return its id. Raises DoesNotFit where the disk is full."""
    require_space(home.evaluations, NEEDED, "This")
    id = str(max((int(each.name) for each in folders(home)), default=0) + 1)
    staging = home.evaluations / f".{id}.staging"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    hashes = {name: write_data(staging / f"{name}.jsonl", rows) for name, rows in data.items()}
    for name in MADE:
        (staging / f"{name}.jsonl").touch()
    whole = {**spec, "id": id, "created_at": time.time(), "data": hashes}
    (staging / "spec.json").write_text(json.dumps(whole, indent=2), "utf-8")
    staging.rename(home.evaluation(id))
    return id


def folders(home: Home) -> list[Path]:
    return [
        each for each in home.evaluations.iterdir() if each.name.isdigit() and (each / "spec.json").is_file()
    ]


def load(home: Home, id: str) -> Evaluation:
    """Read an evaluation. Raises NotFound."""
    folder = home.evaluation(id)
    if not id.isdigit() or not (folder / "spec.json").is_file():
        raise NotFound(f"There is no evaluation {id}. Begin one in the Prompt tab.")
    spec = json.loads((folder / "spec.json").read_text("utf-8"))
    # The order matters: a result that appears after it was looked for is seen next time, a lock let go before is not.
    held = is_held(folder)
    result = read_json(folder / "result.json")
    begun = read_json(folder / "begun.json") or {"at": spec["created_at"], "rows": 0}
    stopped = read_json(folder / "trouble.json") or {"text": ""}
    done = sum((folder / f"{name}.jsonl").read_bytes().count(b"\n") for name in MADE)
    state: Literal["going", "stopped", "done"] = "done" if result else "going" if held else "stopped"
    left = seconds_left(spec["rows"], done, begun["at"], begun["rows"]) if state == "going" else None
    return Evaluation(id, folder, state, spec, done, left, stopped["text"], result)


def seconds_left(rows: int, done: int, begun_at: float, begun_with: int) -> float | None:
    """By the pace since it was begun or gone on with; None before the first row."""
    if done <= begun_with:
        return None
    return (time.time() - begun_at) / (done - begun_with) * max(rows - done, 0)


def newest_first(home: Home) -> Iterator[Evaluation]:
    """All evaluations, each read when it is asked for."""
    return (load(home, each.name) for each in sorted(folders(home), key=lambda each: -int(each.name)))


# --- while it goes


def take(home: Home, evaluation: Evaluation) -> FileLock:
    """Hold an evaluation until the lock is let go, by whichever thread. Raises Busy while one is going: one at a time."""
    try:
        with FileLock(home.evaluations / ".slot", timeout=10):
            if going := next((each for each in newest_first(home) if each.state == "going"), None):
                raise Busy(
                    f"Another evaluation is going: {going.done} of {going.spec['rows']} steps are done. "
                    "Stop it, or wait until it is over."
                )
            lock = FileLock(evaluation.folder / "lock", timeout=5, thread_local=False)
            lock.acquire()
    except Timeout as error:
        raise Busy("This evaluation is being begun just now. Look at it in a moment.") from error
    for name in ("stop", "trouble.json"):
        (evaluation.folder / name).unlink(missing_ok=True)
    write(evaluation.folder / "begun.json", {"at": time.time(), "rows": load(home, evaluation.id).done})
    return lock


def ask_to_stop(evaluation: Evaluation) -> None:
    (evaluation.folder / "stop").touch()


def asked_to_stop(evaluation: Evaluation) -> bool:
    return (evaluation.folder / "stop").exists()


def write(path: Path, value: dict[str, Any]) -> None:
    """Write a file whole or not at all, and durably."""
    staging = path.with_name(f".{path.name}")
    with staging.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    staging.rename(path)


# --- rows


def rows(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a file; one that is being written, or was cut off, is left out."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].split(b"\n") if line]


class Log:
    """A file that rows are appended to: each is on the disk when `add` returns."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("ab+")
        # What a killed process left of a line would spoil the next one.
        self.file.seek(0)
        self.file.truncate(self.file.read().rfind(b"\n") + 1)

    def add(self, row: dict[str, Any]) -> None:
        self.file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())


@contextlib.contextmanager
def appending(path: Path) -> Iterator[Log]:
    log = Log(path)
    try:
        yield log
    finally:
        log.file.close()


def answered_before(home: Home, key: str) -> Path:
    """The file in which a base's own answers are kept for later evaluations; `key` tells all that they depend on."""
    folder = home.evaluations / "answered"
    folder.mkdir(exist_ok=True)
    return folder / f"{sha256(key.encode()).hexdigest()[:16]}.jsonl"
