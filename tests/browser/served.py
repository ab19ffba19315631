"""The studio as a real process on a free port, as a person starts it; it can be killed and started again in its place."""

import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


class Served:
    def __init__(self, home, port=0):
        self.home = home
        self.port = port
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Start it, again on the same port if it ran before, and wait until it says that it answers."""
        self.begin()
        line = self.process.stdout.readline()
        assert "The studio is at" in line, (self.home.parent / "served.log").read_text()
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def begin(self):
        """Start it and wait for nothing."""
        command = [
            sys.executable,
            "-m",
            "studio",
            "serve",
            "--home",
            str(self.home),
            "--port",
            str(self.port),
        ]
        with (self.home.parent / "served.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--no-browser"], stdout=subprocess.PIPE, stderr=log, text=True
            )

    def kill(self):
        """End it as a power cut would."""
        self.end(signal.SIGKILL)

    def end(self, how=signal.SIGINT):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
        if self.process:
            self.process.stdout.close()


class Slow(Served):
    """One whose model says every question again, a word every fifth of a second."""

    def begin(self):
        command = [sys.executable, str(HERE / "slow_studio.py"), str(self.home), str(self.port)]
        path = os.pathsep.join(map(str, (HERE.parents[1], HERE.parent / "ui")))
        with (self.home.parent / "served.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "PYTHONPATH": path}
            )
