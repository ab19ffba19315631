"""Serves a studio whose model says every question again, a word every fifth of a second: long enough to be stopped.

Run as `python slow_studio.py HOME PORT`, with the checkout and tests/ui in PYTHONPATH.
"""

import sys
from dataclasses import replace
from pathlib import Path

from scripted import ScriptedEngine

from studio.store.home import assets
from studio.ui import front, server
from studio.work.studio import opened

if __name__ == "__main__":
    home, port = Path(sys.argv[1]), int(sys.argv[2])
    studio = replace(opened(home), engine=ScriptedEngine(path=home, pause=0.2))
    with front.opened((assets() / "front.html").read_bytes(), "127.0.0.1", port) as first:
        server.serve(studio, first)
