"""How long a save takes to be acknowledged while 25 people write: over HTTP, against a live studio, as their pages do it.

Each person saves a conversation of their own every ten seconds. The peer is one person alone in the same studio. In a
second pair of rounds each page also asks again for what it shows, as pages do after a save: the length in tokens, the
list, and who else is there. The people are threads of one process beside the studio, so of two cores a little is theirs.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

PEOPLE = 25
PAUSE = 10.0  # seconds between one person's saves
ALONE = 0.5  # the same of the one who is alone, for enough of them
SECONDS = float(os.environ.get("STUDIO_BENCH_SECONDS", "60"))  # of one round
CONVERSATIONS = 2000  # that are there
GOALS = {"one person": 150, f"{PEOPLE} people": 500}  # milliseconds, p95
Figures = dict[str, float]  # milliseconds


def run() -> dict[str, Any]:
    """Milliseconds until a save was acknowledged: {"rows": [{what, ours (25 people), peer (one alone), ratio, goal}]}."""
    from tests.browser.served import Served

    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        project = prepare(home)
        studio = Served(home).start()
        try:
            components = found_in(ask(studio.port, "GET", "/config"))
            settled(psutil.Process(studio.process.pid))
            told = [round_of(studio.port, project, components, after) for after in (False, True)]
        finally:
            studio.end()
    return {
        "what": f"rounds of {SECONDS:.0f} s, a save every {PAUSE:.0f} s each (one alone: every {ALONE} s), "
        f"{CONVERSATIONS} conversations, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "rows": [row for after, pair in zip(("", ", page asked again"), told, strict=True) for row in rows(after, *pair)],
    }  # fmt: skip


def rows(after: str, alone: Figures, together: Figures) -> list[dict[str, Any]]:
    return [
        {
            "what": f"save acknowledged{after}, ms, {name}",
            "ours": round(together[name], 1),
            "peer": round(alone[name], 1),
            "ratio": round(together[name] / alone[name], 2),
            **({"goals": GOALS} if name == "p95" else {}),
        }
        for name in together
    ]


def prepare(home: Path) -> str:
    """A studio with conversations in it; answers its project's id."""
    from studio.work import importing, writing
    from studio.work.studio import opened, owner

    studio = opened(home)
    project = writing.project(studio, "default").id
    path = home / "tmp" / "many.jsonl"
    words = (
        "the",
        "boat",
        "leaves",
        "harbour",
        "when",
        "evening",
        "tide",
        "is",
        "high",
        "enough",
        "to",
        "carry",
    )
    chance = random.Random(0)
    with path.open("w") as file:
        for number in range(CONVERSATIONS):
            said = " ".join(chance.choices(words, k=120))
            file.write(json.dumps({"prompt": f"Question {number}?", "completion": said}) + "\n")
    importing.take(studio, owner(), project, importing.read_file(studio, project, path))
    studio.database.close()
    return project


def found_in(config: dict[str, Any]) -> dict[str, int]:
    """The page's components that answer to scripts, by their names."""
    return {
        each["props"]["elem_id"]: each["id"]
        for each in config["components"]
        if each["props"].get("elem_id") in ("list", "editor")
    }


def settled(server: psutil.Process) -> None:
    """Wait until the server has imported all that it imports after its start: until it was quiet for ten seconds."""
    quiet = 0
    while quiet < 2:
        server.cpu_percent()
        time.sleep(5)
        quiet = quiet + 1 if server.cpu_percent() < 15 else 0


def round_of(port: int, project: str, components: dict[str, int], after: bool) -> tuple[Figures, Figures]:
    """One person alone, and all people together."""

    def group(people: int, pause: float) -> Figures:
        times: list[float] = []
        with ThreadPoolExecutor(people) as pool:
            pages = [Page(port, project, components, after, times) for _ in range(people)]
            writing = [pool.submit(each.write, place, people, pause) for place, each in enumerate(pages)]
        for each in writing:
            each.result()  # what went wrong on a page goes wrong here
        return {"p50": statistics.median(times), "p95": sorted(times)[int(0.95 * len(times))], "max": max(times)}  # fmt: skip

    return group(1, ALONE), group(PEOPLE, PAUSE)


class Page:
    """One person's page: one connection, one session, one conversation of their own."""

    def __init__(self, port: int, project: str, components: dict[str, int], after: bool, times: list[float]):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.session = uuid4().hex
        self.project, self.components, self.after, self.times = project, components, after, times

    def call(self, component: str, deed: str, given: dict[str, Any]) -> Any:
        """As the page's script calls `server.<deed>(given)`."""
        body = {
            "session_hash": self.session,
            "component_id": self.components[component],
            "fn_name": deed,
            "data": {"project": self.project, **given},
        }
        headers = {"content-type": "application/json"}
        self.connection.request("POST", "/gradio_api/component_server/", json.dumps(body).encode(), headers)
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        if answer.status != 200 or "error" in told or "conflict" in told:
            raise RuntimeError(f"{deed} was not done: {answer.status} {told}")
        return told

    def write(self, place: int, people: int, pause: float) -> None:
        """Save again and again for a round, beginning at this person's own moment within a pause."""
        chance = random.Random(place)
        end = time.perf_counter() + SECONDS
        time.sleep(pause * place / people)
        conversation = {"id": "", "version": 0}
        said = "The boat leaves when the tide is high. " * 20
        while time.perf_counter() < end:
            said += chance.choice(("It waits. ", "It does not wait. ", "Ask the harbour. "))
            messages = [
                {"role": "user", "content": "When does it leave?"},
                {"role": "assistant", "content": said},
            ]
            change = {"request": uuid4().hex, "conversation": conversation["id"]}
            change |= {"version": conversation["version"], "messages": messages, "status": "draft"}
            begun = time.perf_counter()
            conversation = self.call("editor", "on_save", change)["conversation"]
            self.times.append(1000 * (time.perf_counter() - begun))
            if self.after:
                self.look_again(conversation["id"], messages)
            time.sleep(max(0.0, begun + pause - time.perf_counter()))

    def look_again(self, conversation: str, messages: list[dict[str, str]]) -> None:
        """What the page does after a save."""
        self.call("editor", "on_length", {"messages": messages})
        time.sleep(0.3)
        self.call("list", "on_page", {"first": 1, "size": 50})
        self.call("editor", "on_here", {"conversation": conversation, "window": self.session, "seen": -1})


def ask(port: int, method: str, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path)
    return json.loads(connection.getresponse().read())
