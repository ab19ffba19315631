"""Ends the studio's server again and again while runs go, starts it again, and says whether it then tells the truth.

python restarts.py FOLDER SEED RESTARTS: prints one JSON object. Everything is real: the server, the workers on the
rehearsal model, the page's own endpoints. The first run is watched from its beginning to its end, by a client that asks
as the page does. During the whole second one there is neither a server nor a client. After that the server is ended at
one of the MOMENTS after the other, by SIGTERM or SIGKILL, to the second. All runs have one recipe: what they learn must
be the same to the last digit.
"""

import contextlib
import hashlib
import http.client
import json
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import cycle
from pathlib import Path
from uuid import uuid4

import psutil
from deed_kills import truth

from studio.core.records import ACTIVE, Change, Message
from studio.store import runs
from studio.work import models, writing
from studio.work.studio import opened, owner
from tests.browser.served import Served

UPDATES = 12
RECIPE = {"updates": UPDATES, "evaluations": 4, "batch": 4, "patience": 0, "forget": 0, "quantization": "fp32"}  # fmt: skip
SOON = 5.0  # seconds within which a server that answers again must tell the truth
AGES = 300.0  # seconds that a run may take on a busy machine
ROW = re.compile(r'data-press="open" data-id="([^"]+)".*?<span class="state (\w+)">')


def main(folder, seed, restarts):
    home, project = prepared(Path(folder) / "home")
    server = Served(home.root).start()
    told = {
        "restarts": 0,
        "slowest": 0.0,
        "slowest from its start": 0.0,
        "wrong": [],
        "moments": {},
        "stops": {},
    }
    try:
        page = Page(server.port, project)
        ids = [page.start() for _ in range(3)]
        watch(page, home, ids[0], told)
        be_away(server, home, ids[1], told)
        start_again(server, page, home, told)
        moments = cycle(MOMENTS)
        chance = random.Random(int(seed))
        for _ in range(1, int(restarts)):
            one_end(server, page, home, next(moments), chance, told)
        until(lambda: not going(home) and not runs.load_queue(home) and not workers(home))
        told["wrong"] += [*wrong_at_the_end(home, told), *wrong_with(page, home)]
    finally:
        server.kill()
        for each in workers(home).values():
            each.kill()
    print(json.dumps(told))  # noqa: T201


def prepared(root):
    studio = opened(root)
    project = writing.project(studio, "default")
    models.choose(studio, owner(), project.id, "rehearsal")
    for number in range(20):
        talk = (Message("user", f"Where is parcel {number}?"), Message("assistant", f"On boat {number}."))
        writing.save(studio, owner(), Change(f"c{number}", project.id, "", 0, talk))
    studio.database.close()
    return studio.home, project.id


class Page:
    """What a browser asks of the studio for the strip and for the Train tab."""

    def __init__(self, port, project):
        self.port, self.project, self.session = port, project, uuid4().hex
        config = self.ask("GET", "/config")
        self.components = {each["id"]: each["props"] for each in config["components"]}
        # Other tabs have handlers of the same names, which Gradio tells apart by a number.
        shown = next(id for id, props in self.components.items() if props.get("elem_id") == "train-live")
        of_runs = (each for each in config["dependencies"] if shown in each["outputs"])
        self.events = {re.sub(r"_\d+$", "", each["api_name"]): each for each in of_runs}
        self.strip = next(id for id, props in self.components.items() if props.get("elem_id") == "state")
        self.typed = {f"train-{name}": str(value) for name, value in RECIPE.items()} | {"project": project}

    def ask(self, method, path, given=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body, headers = json.dumps(given).encode() if given else None, {"content-type": "application/json"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        assert answer.status == 200, said
        return said

    def event(self, name, session=""):
        """What an event of the page answers, in one text. Fields are filled in as `typed`, others as they come."""
        event = self.events[name]
        fields = [self.components[each] for each in event["inputs"]]
        values = [self.typed.get(each.get("elem_id"), each.get("value")) for each in fields]
        given = {"fn_index": event["id"], "data": values, "session_hash": session or self.session}
        answers = self.ask("POST", "/gradio_api/run/predict", given)["data"]
        return "".join(each for each in answers if isinstance(each, str))

    def serve(self, name, **given):
        asked = {"component_id": self.strip, "fn_name": name, "session_hash": self.session}
        return self.ask("POST", "/gradio_api/component_server/", {**asked, "data": {"project": self.project, **given}})  # fmt: skip

    def told(self):
        """(the run going, by the strip; the state of each run, by the Train tab of a page that is opened now)"""
        job = self.serve("on_state")["job"]
        return (job["run"] if job else ""), dict(ROW.findall(self.event("on_tick", uuid4().hex)))

    def start(self):
        """Press the button; the new run's id."""
        self.event("on_tick")
        self.event("on_start")
        return max(self.told()[1], key=int)


def watch(page, home, id, told):
    """Ask what a page asks, as often, until a run is over."""
    asked = 0
    while not (home.run(id) / "card.json").exists():
        page.event("on_tick")
        page.serve("on_state")
        asked += 1
        time.sleep(1)
    told["asked while it was watched"] = asked


def be_away(server, home, id, told):
    """End the server as soon as the next run has begun by itself, and look away until that is over."""
    assert until(lambda: id in workers(home)), "the next run did not begin"
    server.end(signal.SIGTERM)
    assert until((home.run(id) / "card.json").exists), "the run did not go on without a server"
    told["wrong"] += [f"the command line tells {each}" for each in wrong_of_the_command_line(home)]


def one_end(server, page, home, moment, chance, told):
    """End the server at a moment, start it again after a while, and wait until it tells the truth."""
    keep_busy(page)
    MOMENTS[moment](page, home, chance, told)
    server.end(chance.choice((signal.SIGTERM, signal.SIGKILL)))
    told["moments"][moment] = told["moments"].get(moment, 0) + 1
    time.sleep(chance.choice((0.0, chance.uniform(0, 3))))
    start_again(server, page, home, told)


def start_again(server, page, home, told):
    began = time.monotonic()
    server.start()
    answered, wrong = time.monotonic(), None
    while wrong != "" and time.monotonic() < answered + SOON:
        wrong = "".join(list(wrong_with(page, home))[:1])
    now = time.monotonic()
    told["restarts"] += 1
    told["slowest"] = max(told["slowest"], now - answered)
    told["slowest from its start"] = max(told["slowest from its start"], now - began)
    if wrong:
        told["wrong"].append(f"restart {told['restarts']}: {wrong}")


def keep_busy(page, many=1):
    """See to it that so many runs go or wait."""
    while sum(state in (*ACTIVE, "queued") for state in page.told()[1].values()) < many:
        page.start()


def wrong_with(page, home):
    """What the page tells that is not so; nothing of what changes meanwhile."""
    before = truths(home)
    going, states = page.told()
    alive = list_workers(home)
    if truths(home) != before:
        yield "no two looks in a row were the same"
        return
    yield from (f"run {id} is told to be {states.get(id)} and is {true}" for id, true in before.items() if states.get(id) not in true)  # fmt: skip
    yield from (f"run {id} is told, and is not there" for id in states.keys() - before.keys())
    if going != next((id for id, true in before.items() if true == ACTIVE), ""):
        yield f"run {going or 'none'} is told to be going"
    if len(alive) > 1 or {id for id, _ in alive} - before.keys():
        yield f"there are workers of {alive}"
    if not going and "queued" in states.values():
        yield f"nothing goes, and runs wait: {states}"


def truths(home):
    alive = workers(home)
    return {each.name: truth(each, alive) for each in runs.folders(home)}


def workers(home):
    """The living workers of this studio, by their runs."""
    return dict(list_workers(home))


def list_workers(home):
    found = []
    for each in psutil.process_iter(["cmdline", "status"]):
        said = each.info["cmdline"] or []
        if "studio.engine.worker" in said and str(home.models) in said and each.info["status"] != psutil.STATUS_ZOMBIE:  # fmt: skip
            found.append((Path(said[said.index("studio.engine.worker") + 1]).name, each))
    return found


def wrong_of_the_command_line(home):
    """The same question from a terminal."""
    command = [sys.executable, "-m", "studio", "runs", "--json", "--home", str(home.root)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    true = truths(home)
    told = {each["run"]: each["state"] for each in json.loads(said)["runs"]}
    if told.keys() != true.keys() or any(told[id] not in true[id] for id in true):
        yield f"{told}, and true is {true}"


def until(true, pause=0.05):
    deadline = time.monotonic() + AGES
    while not (seen := true()) and time.monotonic() < deadline:
        time.sleep(pause)
    return seen


def amid_a_start(page, home, chance, told):
    def press():
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AssertionError):
            page.start()

    threading.Thread(target=press, daemon=True).start()
    time.sleep(chance.uniform(0, 0.5))


def as_a_run_begins(page, home, chance, told):
    assert until(lambda: (run := going(home)) and not done(run))
    time.sleep(chance.uniform(0, 4))


def amid_a_save(page, home, chance, told):
    assert until(lambda: any(home.runs.glob("*/checkpoints/.*.staging")), 0.001)


def after_a_stop(page, home, chance, told):
    assert until(lambda: going(home))
    time.sleep(chance.uniform(0, 4))
    if not (run := going(home)):
        return
    wish = ("keep", "discard")[len(told["stops"]) % 2]
    if wish == "keep":
        page.serve("on_stop", run=run.id)
    else:
        page.event("on_tick")
        page.event("on_discard")
    told["stops"][run.id] = (wish, time.time())
    time.sleep(chance.choice((0.0, 0.05)))


def at_the_end_of_a_run(page, home, chance, told):
    keep_busy(page, 2)
    assert until(lambda: (run := going(home)) and done(run) >= UPDATES - 1)
    time.sleep(chance.uniform(0, 1.5))


def as_the_next_begins(page, home, chance, told):
    keep_busy(page, 2)
    assert until(lambda: going(home))
    folder = going(home).folder
    assert until(lambda: runs.is_over(folder))
    time.sleep(chance.uniform(0, 2.5))


def at_any_time(page, home, chance, told):
    time.sleep(chance.uniform(0, 5))


MOMENTS = {
    each.__name__.replace("_", " "): each
    for each in (after_a_stop, as_a_run_begins, amid_a_save, at_any_time, amid_a_start, at_the_end_of_a_run, as_the_next_begins)
}  # fmt: skip


def going(home):
    return next(iter(runs.load_active(home)), None)


def done(run):
    return max((each["update"] for each in run.events if each["kind"] == "stepped"), default=0)


def wrong_at_the_end(home, told):
    """Whether each run was begun once and ended as it should, and all that were not stopped learned the same."""
    found = runs.load_all(home)
    for run in found:
        begun = [each["kind"] for each in run.events if each["kind"] in ("loading", "resumed")]
        if begun != ["loading"]:
            yield f"run {run.id} was begun more than once, or never: {begun}"
        wish, at = told["stops"].get(run.id, ("", time.time()))
        if run.state not in ENDS[wish]:
            yield f"run {run.id} was asked {wish or 'nothing'} and is {run.state}"
        if sum(each["kind"] == "stepped" and each["at"] > at for each in run.events) > 1:
            yield f"run {run.id} went on after it was asked {wish}"
    whole = [run for run in found if run.state == "finished"]
    told["runs"] = dict(Counter(run.state for run in found))
    told["steps"] = sorted({done(run) for run in whole})
    told["different results"] = len({learned(run) for run in whole})


ENDS = {"": ("finished",), "keep": ("stopped", "paused", "finished"), "discard": ("discarded", "finished")}


def learned(run):
    """All that a run says of what it learned, and the bytes of its adapter."""
    told = [
        {key: value for key, value in each.items() if key not in ("at", "clock", "seconds", "memory_mb")}
        for each in run.events
        if each["kind"] in ("stepped", "evaluated", "sampled", "saved", "finished")
    ]
    files = sorted((run.folder / "adapter").iterdir())
    return json.dumps(told), *(hashlib.sha256(each.read_bytes()).hexdigest() for each in files)


if __name__ == "__main__":
    main(*sys.argv[1:])
