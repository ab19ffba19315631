"""The one door: makes the studio's environment on first use, then starts the studio in it.

Standard library only, and no syntax newer than Python 3.6: an old Python must get far enough to say why it will not do.
"""

import hashlib
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

OLDEST = (3, 11)
HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOG = VENV / "install.log"
NEEDED = 4 * 10**9  # bytes: about 1 GB of downloads, unpacked, and pip's copies of them
NO_ROOM = r"No space left on device|Errno 28\b|WinError 112\b|Disk quota exceeded"
NO_CONNECTION = r"connection broken|Connection\w*Error|(Connect|Read)Timeout|IncompleteRead|ProtocolError"


class Refused(Exception):
    """The studio cannot be started. The text is a sentence for the person, with the way out."""


def main(args: "list[str]") -> int:
    """Start the studio, or its tests, with these arguments; return the exit status if the process is still this one."""
    try:
        require_python(sys.version_info)
        extra = "test" if args[:1] == ["test"] else ""
        python = sys.executable if already_inside(extra) else prepared(extra)
        # -P: a folder named "studio" where the person happens to stand must not be taken for the package.
        what = [str(HERE / "tests" / "run_checks.py"), *args[1:]] if extra else ["-P", "-m", "studio", *args]
        return hand_over([python, *what])
    except Refused as refusal:
        say(str(refusal))
        return 1
    except KeyboardInterrupt:
        say("Stopped. The next start goes on where this one was.")
        return 130


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # standard output belongs to the studio's answers


def require_python(version: tuple) -> None:
    """Raise Refused where this Python is too old for the studio."""
    if tuple(version[:2]) < OLDEST:
        raise Refused(
            f"The studio needs Python {OLDEST[0]}.{OLDEST[1]} or newer and this is {version[0]}.{version[1]}: "
            "install a newer one and start with it, for example with: python3.12 run_studio.py"
        )


def pyproject() -> dict:
    import tomllib  # not at the top: an old Python has none

    return tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))


def requirements(extra: str) -> "list[str]":
    project = pyproject()["project"]
    return project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])


def already_inside(extra: str) -> bool:
    """Whether this Python is of an environment, not made by the door, that has this checkout and all it needs."""
    path = sys.path if sys.flags.safe_path else sys.path[1:]  # without this file's own folder
    found = importlib.machinery.PathFinder.find_spec("studio", path)
    if not (found and found.origin and Path(found.origin).resolve().parent.parent == HERE):
        return False
    from importlib.metadata import distributions

    names = ["sft-studio", *(re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in requirements(extra))]
    ours = Path(sys.prefix).resolve() == VENV.resolve()
    return not ours and all(any(distributions(name=name)) for name in names)


def prepared(extra: str) -> str:
    """Make the environment, or bring it up to date, where that is needed; return the path of its Python."""
    try:
        if not is_ready(extra):
            with only_one():
                if not is_ready(extra):  # another start may have done it meanwhile
                    install(extra)
    except OSError as error:
        raise Refused(
            f"The studio's environment could not be written ({error}): free some room on the disk, "
            "or copy this folder to a place you may write to, and start again there."
        ) from error
    return str(PYTHON)


def stamp(extra: str) -> Path:
    """The file that says what the environment was made from: written when all is there, and not before."""
    return VENV / f"ready-{extra or 'studio'}"


def made_from(extra: str) -> str:
    """A hash of all that decides what is in the environment, and of the folder: it may have been moved."""
    constraints = (HERE / "constraints.txt").read_text("utf-8")
    project = pyproject()
    made = [project["build-system"], project["project"].get("scripts"), requirements(extra)]
    parts = [*made, constraints, str(HERE), sys.version_info[:2]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def is_ready(extra: str) -> bool:
    return PYTHON.exists() and stamp(extra).is_file() and stamp(extra).read_text("utf-8") == made_from(extra)


@contextmanager
def only_one() -> "Iterator[None]":
    """Let one start at a time change the environment. The operating system frees the lock of a process that died."""
    with (HERE / ".venv.lock").open("a") as file:
        free = locked(file)
        if not free:
            say("Another start is preparing the environment; waiting for it.")
        while not free:
            time.sleep(0.3)
            free = locked(file)
        yield


def locked(file: "TextIO") -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Where only this process is killed, pip goes on: it inherits the lock and keeps it.
            os.set_inheritable(file.fileno(), True)
    except (BlockingIOError, PermissionError):
        return False
    return True


def install(extra: str) -> None:
    require_room()
    if not is_whole():
        make_environment()
    forget_unfinished()
    say(
        f"Installing what the studio needs into {VENV}: on a first start about 1 GB to download (more with CUDA) "
        "and some minutes. Ctrl-C does no harm: the next start goes on where this one was."
    )
    run_pip(f".[{extra}]" if extra else ".")
    for made in {"", extra}:
        stamp(made).write_text(made_from(made), "utf-8")


def require_room() -> None:
    free = shutil.disk_usage(HERE).free
    if free < NEEDED:  # what is there already need not be fetched again
        free += sum(file.lstat().st_size for file in VENV.glob("**/*"))
    if free < NEEDED:
        raise Refused(
            f"The studio's environment needs about {NEEDED / 1e9:.0f} GB and there are {free / 1e9:.1f} GB for it in {HERE}: "
            "free some room, or move this folder to a larger disk, and start again."
        )


def is_whole() -> bool:
    """Whether .venv is an environment of this version of Python with a pip that works, not one left half-made."""
    wrong = f"sys.prefix == sys.base_prefix or sys.version_info[:2] != {sys.version_info[:2]}"
    command = [str(PYTHON), "-I", "-c", f"import sys, pip._internal.cli.main; sys.exit({wrong})"]
    try:
        return subprocess.call(command, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def make_environment() -> None:
    say(f"Making an environment of its own for the studio: {VENV}")
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise Refused(
            "This Python cannot make environments: install its venv module (on Debian and Ubuntu: "
            "apt install python3-venv), or use a Python from python.org, and start again."
        )
    base = getattr(sys, "_base_executable", None) or sys.executable
    command = [base, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        why = made.stdout.decode(errors="replace").strip().split("\n")[-1]
        raise Refused(f"{VENV} could not be made ({why}): remove that folder and start again.")


def forget_unfinished() -> None:
    """Clear away what an interrupted start left: pip would take a half-unpacked package for an installed one."""
    for old in VENV.glob("ready-*"):
        old.unlink()
    for packages in (*VENV.glob("lib/python*/site-packages"), *VENV.glob("Lib/site-packages")):
        # pip writes INSTALLER when a package is unpacked; "~" begins the name of an old version that it put aside.
        for folder in (*packages.glob("*.dist-info"), *packages.glob("~*")):
            if folder.name.startswith("~") or not (folder / "INSTALLER").exists():
                shutil.rmtree(folder, ignore_errors=True)


def run_pip(what: str) -> None:
    LOG.write_text("", "utf-8")
    pip = [str(PYTHON), "-I", "-m", "pip", "install", "--log", str(LOG)]
    safely = {
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_USER": "0",
    }  # whatever the person's pip is set to do elsewhere
    patiently = {"PIP_RESUME_RETRIES": "9", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment = {**os.environ, **safely, **patiently}
    command = [*pip, "-c", "constraints.txt", "-e", what]
    failed = subprocess.call(command, cwd=str(HERE), env=environment, stdout=2, close_fds=False)
    log = LOG.read_text("utf-8", "replace")[-20000:]  # of some 30 MB: the end says what there is to know
    LOG.write_text(log, "utf-8")
    if failed:
        raise Refused(why_pip_failed(log))


def why_pip_failed(log: str) -> str:
    """Say in one sentence what went wrong and the way out, from pip's log."""
    if re.search(NO_ROOM, log):
        return f"The disk is full: free about {NEEDED / 1e9:.0f} GB (the temporary folder counts, too) and start again."
    if re.search(NO_CONNECTION, log):
        return f"The package index cannot be reached: check the connection and start again, it goes on from here ({LOG})."
    errors = re.findall(r"ERROR: (.*)", log) or ["it did not say why"]
    return f"pip could not install the studio ({errors[-1]}): see {LOG}, and start again when that is mended."


def hand_over(command: "list[str]") -> int:
    """Become the studio; on Windows, where a process cannot, wait for it and return its exit status."""
    if os.name != "nt":
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the studio's to answer
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
