"""A process that is handed 20 conversations, one after the other, and prints their ids.

python taker.py HOME NAME [broken]: with "broken" it looks up what is free once, before its first turn to write.
"""

import sys
from pathlib import Path

from studio.core.records import Person
from studio.store import leases
from studio.store.database import Database
from studio.store.home import open_home
from studio.work import together, writing
from studio.work.studio import Studio


def main(root, name, *broken):
    home = open_home(Path(root))
    studio = Studio(home, Database.open(home.database), engine=None, jobs=None)
    project = writing.project(studio, "harbour").id
    ids = [each.id for each in writing.all_conversations(studio, project)]
    if broken:
        look_too_early()
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    for number in range(20):
        # A window of its own each time: one that goes on leaves the one before for others.
        print(together.take_next(studio, Person(name), project, ids, f"{name} {number}"))  # noqa: T201


def look_too_early():
    own, put = set(), leases.put

    def put_and_seen(db, conversation, *more):
        own.add(conversation)
        put(db, conversation, *more)

    # What this process saw at first, less what it took itself.
    leases.free = lambda db, project, ids, window, at: set(ids) - own
    leases.put = put_and_seen


if __name__ == "__main__":
    main(*sys.argv[1:])
