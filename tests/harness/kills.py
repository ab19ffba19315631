"""Kills the store's process again and again while its clients save, import and mark, and says what became of each deed.

python kills.py FOLDER SEED KILLS [early | fresh]: prints one JSON object. This process is the clients: it remembers what
was acknowledged, and what was not it asks for again after the kill, by the same request id. The store's process is a
fork that has everything imported already, so that a kill costs some twenty milliseconds. With "early" a deed is
acknowledged before it is done, with "fresh" a repeated save carries a new request id: both must be found out.
"""

import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from itertools import count
from pathlib import Path
from uuid import uuid4

from studio.core.records import Change, Message, Person
from studio.store.database import Database
from studio.store.home import open_home
from studio.work import importing, marking, writing
from studio.work.studio import Studio

KILLS = 100  # of one database: then a new one begins, so that its making is killed as well
OPENING = 0.015  # seconds in which a process opens the database; one kill of four falls into them
WORKING = 0.04  # seconds that a process lives at most after its first answer
SAVERS = ("saver-a", "saver-b")
EDITS = 4  # versions of a conversation before a saver begins the next one
ROWS = 25  # of an imported file
MARKED = 12  # conversations that are marked together, over and over
CLIENTS = (*SAVERS, "importer", "marker")
ANN = Person("Ann")
TOLD = ("acknowledged", "unanswered", "lost", "half", "duplicated", "damaged", "failed")
# The text of each deed, by which it is known, and how often it is there. Marks repeat the texts that they mark.
DONE = """
    SELECT json_extract(messages, '$[0].content') AS text, count(*) FROM revisions
    WHERE text NOT LIKE 'marked-%' GROUP BY text
"""
MARKS = "SELECT version, count(*) FROM conversations WHERE question LIKE 'marked-%' GROUP BY version"


def main(folder, seed, kills, wrong=""):
    chance, told = random.Random(int(seed)), {each: set() for each in TOLD}
    warm(Path(folder) / "warm")
    for first in range(0, int(kills), KILLS):
        home = open_home(Path(folder) / f"home-{first}")
        killed_again_and_again(home, min(KILLS, int(kills) - first), chance, wrong, told)
        shutil.rmtree(home.root)
    failed = sorted(told.pop("failed"))[:3]
    print(json.dumps({"failed": failed, **{what: len(found) for what, found in told.items()}}))  # noqa: T201


def warm(folder):
    """Load all that opening a database loads, once and for all forks."""
    Database.open(open_home(folder).database).close()


def killed_again_and_again(home, kills, chance, wrong, told):
    """Fill `told`: what was seen, by its kind, as a set of (database, deed)."""
    last = {each: {"number": -1} for each in CLIENTS}
    for _ in range(kills):
        for answer in one_life(home, chance, last, wrong):
            if "failed" in answer:
                told["failed"].add(answer["failed"])
            else:
                last[answer["client"]] = answer
                told["acknowledged"].add((home, answer["client"], answer["number"]))
        acknowledged = {name: each["number"] for name, each in last.items()}
        for what, found in look(home, acknowledged).items():
            told[what] |= {(home, *each) for each in found}


def one_life(home, chance, last, wrong):
    """What a store's process answered to its clients before it was killed."""
    reading, writing_end = os.pipe()
    child = os.fork()
    if not child:
        try:
            serve(home, writing_end, last, wrong)
        finally:
            os._exit(1)
    os.close(writing_end)
    with os.fdopen(reading, "rb") as answers:
        young = chance.random() < 0.25
        first = b"" if young else answers.readline()
        time.sleep(chance.uniform(0, OPENING if young else WORKING))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        lines = [json.loads(line) for line in (first, *answers) if line]
    return lines if os.WIFSIGNALED(status) else [*lines, {"failed": "the process ended by itself"}]


def serve(home, out, acknowledged, wrong):
    """Do the deeds of all clients at once, each client's one after the other, until the kill."""
    studio = Studio(home, Database.open(home.database), engine=None, jobs=None)
    project = writing.project(studio, "harbour").id
    threads = [
        threading.Thread(target=go_on, args=(studio, project, out, name, last, wrong))
        for name, last in acknowledged.items()
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def go_on(studio, project, out, name, last, wrong):
    deed = {"importer": import_file, "marker": mark}.get(name, save)
    try:
        for number in count(last["number"] + 1):
            asked = {"client": name, "number": number, "conversation": last.get("conversation", "")}
            if wrong == "early":
                tell(out, asked)
            last = {
                **asked,
                "conversation": deed(studio, project, name, number, asked["conversation"], wrong),
            }
            if wrong != "early":
                tell(out, last)
    except Exception as error:
        tell(out, {"failed": f"{name}: {error!r}"})


def tell(out, answer):
    os.write(out, json.dumps(answer).encode() + b"\n")  # short enough to be written whole or not at all


def save(studio, project, name, number, conversation, wrong):
    """A new conversation, or the next version of the one that was begun last."""
    version = number % EDITS
    request = uuid4().hex if wrong == "fresh" else f"{name}-{number}"
    said = (Message("user", f"{name}-{number}"), Message("assistant", "On the boat. " * 40))
    return writing.save(
        studio, ANN, Change(request, project, conversation if version else "", version, said)
    ).id


def import_file(studio, project, name, number, conversation, wrong):
    take(studio, project, [f"{name}-{number}-{row}" for row in range(ROWS)])


def take(studio, project, questions):
    path = studio.home.temporary / f"{uuid4().hex}.jsonl"
    rows = [{"prompt": each, "completion": "On the boat. " * 40} for each in questions]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in rows), "utf-8")
    importing.take(studio, ANN, project, importing.read_file(studio, project, path))
    path.unlink()


def mark(studio, project, name, number, conversation, wrong):
    """The first time bring in what is to be marked; after that give all of it another status, each time."""
    if number == 0:
        return take(studio, project, [f"marked-{row}" for row in range(MARKED)])
    rows = writing.page(studio, project, search="marked-", size=MARKED).rows
    status = ("approved", "rejected")[number % 2]
    marking.set_status(studio, ANN, project, [each.id for each in rows], status)
    return None


def look(home, acknowledged):
    """Open the database as the next process would, and find what is missing, half done, there twice or damaged."""
    database = Database.open(home.database)
    with database.reading() as db:
        there = dict(db.exec_driver_sql(DONE).all())
        marks = dict(db.exec_driver_sql(MARKS).all())
        whole = db.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    database.close()
    found = {"lost": set(), "half": set(), "unanswered": set()}
    for name, last in acknowledged.items():
        for number in range(last + 2):
            parts = list(parts_of(name, number, there, marks))
            if any(parts) and not all(parts):
                found["half"].add((name, number))
            if number <= last and not all(parts):
                found["lost"].add((name, number))
            if number > last and all(parts):
                found["unanswered"].add((name, number))
    found["damaged"] = set() if whole else {("database",)}
    found["duplicated"] = {(text,) for text, times in there.items() if times > 1}
    found["duplicated"] |= {("marker", each) for each in marks if each > acknowledged["marker"] + 2}
    return found


def parts_of(name, number, there, marks):
    """Whether each part of a deed was done: it has one, or as many as there are rows or marked conversations."""
    if name in SAVERS:
        yield f"{name}-{number}" in there
    elif name == "importer":
        yield from (f"{name}-{number}-{row}" in there for row in range(ROWS))
    else:  # each mark made one version of all that it marked, the bringing in being the first
        done = sum(times for version, times in marks.items() if version > number)
        yield from (place < done for place in range(MARKED))


if __name__ == "__main__":
    main(*sys.argv[1:])
