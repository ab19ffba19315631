"""Kills the studio's server at each step of what it does to runs, and says what became of the runs.

python deed_kills.py FOLDER [WAY ...]: prints one JSON object, by way. A step is a call by which something is written,
moved, made or removed, or a process begun; the server, a fork, is killed as it begins it: of a written file nothing is
there then but its name. Workers are forks, too. They hold their run as any worker does, but do not train: they wait until
they may end. The way "" is the studio as it is. With "forgetful" a run leaves the queue before its worker holds it, with
"torn" files are written where they will lie, with "twice" the next run is begun whatever is going, with "believing" a pid
file is taken for a living worker: each must be found out.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import count, islice
from pathlib import Path

import psutil

from studio.core.progress import Discarded, Loading
from studio.core.records import ACTIVE, Message
from studio.engine import worker
from studio.engine.run_folder import write_json
from studio.store import holding, runs
from studio.store.home import open_home
from studio.work.jobs import Jobs

STEPS = {"write", "replace", "rename", "mkdir", "unlink", "rmdir", "fork"}
AGES = 30.0  # seconds after which nothing comes any more
TALK = [("c1", (Message("user", "Where is it?"), Message("assistant", "On the boat.")))]


def main(folder, *ways):
    os.register_at_fork(after_in_child=lambda: sys.setprofile(None))
    subprocess.Popen = Forked
    print(json.dumps({way: in_a_fork(Path(folder), way) for way in ways or ("",)}))  # noqa: T201


def in_a_fork(folder, way):
    """What a process of its own tells, so that no bug that it brings back stays."""
    told = folder / "told.json"
    child = os.fork()
    if not child:
        code = 1
        try:
            told.write_text(json.dumps(killed(folder, way)))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(told.read_text())


def killed(folder, way):
    told = {"kills": 0, "slowest": 0.0, "wrong": [], "soon": 1.0 if way else 5.0}
    bring_back, deeds = WRONG[way] if way else (lambda: None, DEEDS)
    bring_back()
    for deed in deeds:
        for home in killed_at_each_step(folder / (way or "as it is"), deed, told):
            told["wrong"] += [f"{deed}, {home.root.name}: {each}" for each in looked_over(home, deed, told)]
            if way and told["wrong"]:
                return told
    return told


def killed_at_each_step(folder, deed, told):
    """Homes in which a server was killed amid a deed, at an ever later step; the last one came to the end of it."""
    before, do = DEEDS[deed]
    for step in count(1):
        home = open_home(folder / f"step {step}")
        before(home)
        done = one_life(home, do, step)
        told["kills"] += not done
        yield home
        shutil.rmtree(home.root)
        if done:
            return


class Forked:
    """A worker as subprocess.Popen starts it, but for the new interpreter."""

    def __init__(self, command, pass_fds=(), **_):
        self.pid = os.fork()
        if self.pid:
            return
        for each in range(3, 64):
            if each not in pass_fds:
                with contextlib.suppress(OSError):
                    os.close(each)
        code = 1
        try:
            worker.run, sys.argv = work, command[2:]
            worker.main()
            code = 0
        finally:
            os._exit(code)

    def wait(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def work(folder, models):
    """In place of training: tell of oneself, and end when asked to or allowed to."""
    root = models.parent
    with (root / "begun").open("a") as begun, (root / "accelerator").open("a") as accelerator:
        begun.write(f"{folder.path.name} {os.getpid()}\n")
        begun.flush()
        try:
            fcntl.flock(accelerator, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            (root / "two at once").touch()
        folder.emit(Loading("rehearsal", "cpu", "fp32", ""))
        until(lambda: folder.wish() or (root / "enough").exists())
        if folder.wish() == "discard":
            folder.emit(Discarded(0))
        else:
            write_json(folder.path / "card.json", {"state": "finished"})


def until(true, seconds=AGES):
    deadline = time.monotonic() + seconds
    while not (seen := true()) and time.monotonic() < deadline:
        time.sleep(0.002)
    return seen


def one_life(home, deed, step):
    """Let a server do a deed until its step; whether it came to the end of the deed."""
    child = os.fork()
    if not child:
        code = 1
        try:
            with (home.root / "server.log").open("w") as log:
                os.dup2(log.fileno(), 2)
            die_at(step)
            deed(home)
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), (home.root / "server.log").read_text()
    return code == 0


def die_at(step):
    left = [step]

    def seen(frame, event, called):
        if event == "c_call" and called.__name__ in STEPS:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(seen)


def looked_over(home, deed, told):
    """The first thing that is wrong with the runs: now, with the next server there, or when all are over."""
    try:
        return list(islice(wrong_with(home, deed, told), 1))
    finally:
        (home.root / "enough").touch()
        until(lambda: not workers(home))


def wrong_with(home, deed, told):
    yield from soon_true(home, told, "after the kill")
    jobs = Jobs(home)
    jobs.start_next()
    yield from soon_true(home, told, "with the next server")
    (home.root / "enough").touch()
    until(lambda: jobs.start_next() or not (workers(home) or jobs.active() or runs.load_queue(home)))
    yield from soon_true(home, told, "at the end")
    yield from at_the_end(home, deed)
    yield from left_over(home, jobs)
    for each in jobs.children.values():
        each.join()


def at_the_end(home, deed):
    if (home.root / "two at once").exists():
        yield "two workers at once"
    for run in runs.load_all(home):
        cut = run.id == "1" and deed in ("resume", "note the end")
        begun = [each for each, _ in begun_in(home) if each == run.id]
        if run.state not in ("finished", "discarded", *(["killed"] if cut else [])):
            yield f"run {run.id} is {run.state}"
        if len(begun) != 1 + (cut and run.state == "finished"):
            yield f"run {run.id} was begun {len(begun)} times"


def left_over(home, jobs):
    """What was half done when the server was killed and is still there once another run was started."""
    if any(home.runs.glob(".*.*")):
        jobs.start(lambda place: freeze(home, place))
        yield from (f"{each.name} is never cleared away" for each in home.runs.glob(".*.*"))


def soon_true(home, told, when):
    """Wait until what is told is true; says what never was."""
    began, last = time.monotonic(), None
    while time.monotonic() < began + told["soon"]:
        alive = workers(home)
        last = compared(home, alive)
        if not last and alive == workers(home):
            told["slowest"] = max(told["slowest"], time.monotonic() - began)
            return
        time.sleep(0.005)
    yield f"{when}, {last}"


def compared(home, alive):
    """What is told of a run and is not so; "" where all is true."""
    try:
        found = runs.load_all(home)
        going = {each.id for each in runs.load_active(home)}
        waiting = {each.id for each in runs.load_queue(home)}
    except Exception as error:
        return f"nothing can be told: {error!r}"
    for run in found:
        true = truth(run.folder, alive)
        if run.state not in true or (run.id in going) != ("running" in true) or (run.id in waiting) != ("queued" in true):  # fmt: skip
            return f"run {run.id} is told to be {run.state} and is {true}"
    if homeless := set(alive) - {each.id for each in found}:
        return f"workers without a run: {homeless}"
    return ""


def truth(folder, alive):
    """The states that a run may be told to be in, by its files and by which runs there are workers of."""
    if (folder / "card.json").exists():
        return (json.loads((folder / "card.json").read_text())["state"],)
    said = [each["kind"] for each in runs.read_events(folder)]
    if said and said[-1] in ("failed", "discarded", "paused"):
        return (said[-1],)
    if folder.name in alive:
        return ACTIVE
    return ("queued",) if (folder / "queue").exists() else ("killed",)


def workers(home):
    """Which run each living worker works on."""
    return [run for run, pid in begun_in(home) if is_alive(int(pid))]


def begun_in(home):
    begun = home.root / "begun"
    return [each.split() for each in begun.read_text().splitlines()] if begun.exists() else []


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def freeze(home, place):
    spec = {"project": "p", "base": "rehearsal", "recipe": {}}
    return runs.freeze(home, runs.next_id(home), spec, {"train": TALK}, place)


def waiting(home, many=2):
    for _ in range(many):
        freeze(home, runs.next_place(home))


def going(home, many=2):
    """The first run is going; others wait."""
    waiting(home, many)
    begin(home)


def begin(home):
    Jobs(home).start_next()
    assert until(lambda: workers(home))


def cut_off(home):
    """One run that was cut off."""
    freeze(home, runs.next_place(home))
    begin(home)
    os.kill(int(begun_in(home)[0][1]), signal.SIGKILL)
    assert until((home.run("1") / "exit.json").exists)


def unnoted(home):
    """One run that was cut off when there was no server to note it."""
    cut_off(home)
    (home.run("1") / "exit.json").unlink()


def be_forgetful():
    """Bring back the bug: a run is no longer waiting and not yet held while its worker is being started."""

    def note_start(folder):
        noted(folder)
        (folder / "queue").unlink(missing_ok=True)

    noted, runs.note_start, runs.GRACE = runs.note_start, note_start, 15.0
    holding.handed_down = lambda folder: contextlib.nullcontext(())


def tear():
    """Bring back the bug: what is being written is read by others."""
    runs.write_whole = lambda path, text: path.write_text(text, "utf-8")


def start_twice():
    """Bring back the bug: nobody looks whether something is going."""
    Jobs.active, holding.is_held = lambda jobs: None, lambda folder: False


def believe():
    """Bring back the bug: what a dead worker wrote is believed."""
    runs.is_held = lambda folder: (folder / "pid").exists()


DEEDS = {
    "start": (lambda home: None, lambda home: Jobs(home).start(lambda place: freeze(home, place))),
    "let wait": (going, lambda home: Jobs(home).start(lambda place: freeze(home, place), queue=True)),
    "begin the next": (waiting, lambda home: Jobs(home).start_next()),
    "move up": (lambda home: going(home, 3), lambda home: runs.move_up(home, "3")),
    "stop": (going, lambda home: runs.ask_to_stop(home.run("1"), discard=True)),
    "delete": (going, lambda home: runs.remove(home, runs.load(home, "2"))),
    "resume": (cut_off, lambda home: Jobs(home).start(lambda place: home.run("1"))),
    "note the end": (unnoted, lambda home: runs.note_exit(home.run("1"), -9)),
}
WRONG = {
    "forgetful": (be_forgetful, ["begin the next"]),
    "torn": (tear, ["move up"]),
    "twice": (start_twice, ["let wait"]),
    "believing": (believe, ["resume"]),
}


if __name__ == "__main__":
    main(*sys.argv[1:])
