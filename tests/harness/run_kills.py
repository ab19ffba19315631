"""Kills training workers again and again, half of them while they save, and says what became of their runs.

python run_kills.py FOLDER SEED KILLS [careless | stops]: prints one JSON object. Each worker is a fork of this process,
which has imported everything already; it saves after every update, so that there is always something to damage. With
"careless" checkpoints are written in place and read without a look at their manifest: that must be found out. With "stops"
workers are asked to end, in one of the ways there are, and are timed.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from safetensors.torch import load_file

from studio.core.recipe import Recipe
from studio.core.records import Message
from studio.engine import checkpoint, loop, rehearsal, worker
from studio.store import runs
from studio.store.home import open_home

RECIPE = Recipe(
    updates=20, evaluations=5, batch=4, general=0.5, rank=4, quantization="fp32", patience=0, forget=0
)
PATIENCE = 60.0  # seconds that a worker may take
WISHES = ("discard", "keep", "pause")
ENOUGH = 12  # kills of one run: then it is left to end


def main(folder, seed, kills, way=""):
    chance, told = random.Random(int(seed)), {"killed": 0, "while saving": 0, "runs": 0, "wrong": []}
    home = open_home(Path(folder) / "home")
    rehearsal.make(home.models / "rehearsal")
    for name in ("fitting", "finishing", "resuming", "llama"):
        import_module(f"studio.engine.{name}")  # so that no fork has to
    loop.SAVE_SECONDS = 0.0
    whole = frozen(home)
    started = time.monotonic()
    assert ended(spawn(whole, home)) == 0, (whole / "worker.log").read_text("utf-8")
    lasted = time.monotonic() - started
    if way == "stops":
        print(json.dumps(stopped(home, lasted, chance, int(kills))))  # noqa: T201
        return
    if way == "careless":
        be_careless()
    while told["killed"] < int(kills):
        run = frozen(home)
        kill_often(run, home, lasted, chance, told, min(ENOUGH, int(kills) - told["killed"]))
        told["runs"] += 1
        told["wrong"] += [f"run {run.name}: {each}" for each in looked_over(run, whole, home)]
        shutil.rmtree(run)
    print(json.dumps(told))  # noqa: T201


def stopped(home, lasted, chance, stops):
    """Ask each of so many runs to end: {"slowest": seconds until its process was gone, "wrong": [...], and how many ended how}."""
    told = {"slowest": 0.0, "wrong": []}
    for count in range(stops):
        run = frozen(home)
        child = spawn(run, home)
        # The first is asked at once to discard: so that one surely is, however slow or quick the machine has become.
        time.sleep(chance.uniform(0, lasted) if count else 0)
        wish = WISHES[count % len(WISHES)]
        asked = time.monotonic()
        if wish == "pause":
            os.kill(child, signal.SIGTERM)
        else:
            runs.ask_to_stop(run, wish == "discard")
        ended(child)
        told["slowest"] = max(told["slowest"], time.monotonic() - asked)
        now = state(home, run)
        told[now] = told.get(now, 0) + 1
        if (run / "adapter").exists() != (now in ("finished", "stopped")):
            told["wrong"].append(f"{wish}: {now}, and an adapter is there: {(run / 'adapter').exists()}")
        for kept in [run / "adapter", *(run / "points").glob("*")]:
            if kept.exists() and not checkpoint.whole(kept):
                told["wrong"].append(f"{wish}: {kept.name} is not whole")
        shutil.rmtree(run)
    return told


def frozen(home):
    def talks(name, count):
        ask, reply = f"Where is {name} {{}}?", f"{name} {{}} is on a boat that sails at six."
        return [
            (f"{name}{n}", (Message("user", ask.format(n)), Message("assistant", reply.format(n))))
            for n in range(count)
        ]

    data = {"train": talks("parcel", 12), "held_out": talks("letter", 3), "general": talks("lamp", 6), "gauge": talks("rope", 3)}  # fmt: skip
    spec = {"project": "p", "base": "rehearsal", "recipe": asdict(RECIPE), "versions": {}}
    return runs.freeze(home, runs.next_id(home), spec, data)


def spawn(run, home):
    """Start a worker, as work/jobs.py does, but for the new interpreter."""
    runs.note_start(run)
    child = os.fork()
    if child:
        return child
    log = os.open(run / "worker.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = ["worker", str(run), str(home.models)]
    code = 1
    try:
        worker.main()
        code = 0
    finally:
        os._exit(code)


def ended(child):
    """The exit code of a worker, waited for."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_often(run, home, lasted, chance, told, kills):
    for _ in range(kills):
        child = spawn(run, home)
        saving = wait_to_kill(run, child, lasted, chance)
        if os.waitpid(child, os.WNOHANG)[0]:
            return  # it was done before
        os.kill(child, signal.SIGKILL)
        ended(child)
        told["killed"] += 1
        told["while saving"] += saving
        if state(home, run) == "finished":
            return  # killed after its card was written: no worker is ever started on such a run
    if state(home, run) not in ("finished", "failed"):
        ended(spawn(run, home))


def wait_to_kill(run, child, lasted, chance):
    """Wait for a random while, half the time from then on until a save is under way; returns whether one was."""
    time.sleep(chance.uniform(0, lasted))
    until = time.monotonic() + (1.0 if chance.random() < 0.7 else 0.0)
    while time.monotonic() < until and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if saves(run):
            time.sleep(chance.uniform(0, 0.003))
            return True
    return False


def saves(run):
    places = (run, run / "checkpoints", run / "points")
    with contextlib.suppress(FileNotFoundError):  # a run that ends removes its checkpoints while one looks
        return any(any(each.glob(".*.staging")) for each in places)
    return False


def state(home, run):
    return runs.load(home, run.name).state


def looked_over(run, whole, home):
    """What is wrong with a run that was killed, resumed and let to its end."""
    if state(home, run) != "finished":
        yield f"{state(home, run)}: {[each.get('message') for each in runs.read_events(run)][-1]}"
        return
    if adapters(run) != adapters(whole):
        yield f"it keeps {adapters(run)}, and a run that was never killed {adapters(whole)}"
        return
    for kept in adapters(whole):
        if not checkpoint.whole(run / kept):
            yield f"its {kept} is not whole"
            return
        one, two = (load_file(each / kept / "adapter_model.safetensors") for each in (run, whole))
        apart = max(float((one[name] - two[name]).abs().max()) for name in two)
        if apart > 1e-6:
            yield f"its {kept} is {apart} away from that of a run that was never killed"
    before = 0
    for event in runs.read_events(run):
        if event["kind"] == "resumed" and before - event["update"] > 1:
            yield f"it went back from update {before} to {event['update']}"
        before = event.get("update", before) if event["kind"] in ("stepped", "resumed") else before


def adapters(run):
    """The folders of what a run keeps: as its card says, and as they lie there."""
    told = {each["update"] for each in json.loads((run / "card.json").read_text("utf-8"))["points"]}
    there = {each.name for each in (run / "points").iterdir()}
    return sorted(["adapter", *(f"points/{each}" for each in {*map(str, told), *there})])


def be_careless():
    """Bring back the bug: a checkpoint is written where it will lie, piece by piece, and believed when it is read."""

    def publish(staging, folder):
        folder.mkdir(exist_ok=True)
        for path in sorted(staging.iterdir()):
            content = path.read_bytes()
            with (folder / path.name).open("wb") as file:
                for start in range(0, len(content), 4096):
                    file.write(content[start : start + 4096])
                    file.flush()
                    time.sleep(0.0005)  # a slow disk
        shutil.rmtree(staging)

    checkpoint.publish, checkpoint.whole = publish, lambda folder: folder.is_dir()


if __name__ == "__main__":
    main(*sys.argv[1:])
