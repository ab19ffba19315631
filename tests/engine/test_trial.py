"""4-bit products asked for while another thread still imports the library that makes them."""

import subprocess
import sys

from studio.store import environment

# The import in the other thread stands still before it tells torch how the CPU quantises, until this thread has asked.
AMID_THE_IMPORT = """
import importlib.abc, sys, threading, time
asked = threading.Event()

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "bitsandbytes.backends.cpu.ops":
            asked.wait(60)
            time.sleep(1)

sys.meta_path.insert(0, Slow())
import torch
from studio.engine import trial
other = threading.Thread(target=lambda: __import__("bitsandbytes"))
other.start()
while "bitsandbytes.functional" not in sys.modules:
    time.sleep(0.01)
asked.set()
print(tuple(trial.four_bit(torch.ones(64, 64))().shape))
other.join()
"""


def test_who_asks_amid_the_import_waits_for_its_end():
    done = subprocess.run(
        [sys.executable, "-c", AMID_THE_IMPORT], capture_output=True, text=True, env=environment.for_child()
    )

    assert done.stdout == "(64, 64)\n", done.stderr[-2000:]
