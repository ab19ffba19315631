"""A process that evaluates, to be killed: HOME PROJECT LIMIT."""

import sys
import time
from pathlib import Path

from studio.work import evaluating
from studio.work.evaluation_plan import Words
from studio.work.studio import opened, owner

home, project, limit = sys.argv[1:]
studio = opened(Path(home))
begun = evaluating.begin(studio, owner(), project, ["prompt"], Words("Be brief."), int(limit))
while evaluating.read(studio, project, begun.id).state == "going":
    time.sleep(0.05)
