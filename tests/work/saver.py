"""A process that saves conversations and prints the request of each when it was acknowledged.

python saver.py HOME NAME COUNT [broken]: with "broken" it acknowledges what it has not committed.
"""

import sys
from contextlib import nullcontext
from pathlib import Path

from studio.core.records import Change, Message, Person
from studio.store.database import Database
from studio.store.home import open_home
from studio.work import writing
from studio.work.studio import Studio


def main(root, name, count, *broken):
    home = open_home(Path(root))
    studio = Studio(home, Database.open(home.database), engine=None, jobs=None)
    project = writing.project(studio, "harbour")
    if broken:
        acknowledge_before_the_commit()
    for number in range(int(count)):
        request = f"{name}-{number}"
        talk = (Message("user", f"{request}: where is it?"), Message("assistant", "On the boat. " * 50))
        writing.save(studio, Person(name), Change(request, project.id, "", 0, talk))
        print(request, flush=True)  # noqa: T201


def acknowledge_before_the_commit():
    kept_open = []

    def writing_without_end(database):
        if not kept_open:
            kept_open.append(database.writer.connect())
        return nullcontext(kept_open[0])

    Database.writing = writing_without_end


if __name__ == "__main__":
    main(*sys.argv[1:])
