"""The one door, opened for real: a small checkout of its own, a real environment, the real pip, and no network."""

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DOOR = Path(__file__).parent.parent / "run_studio.py"
PYTHON = getattr(sys, "_base_executable", sys.executable)
INSIDE = "Scripts/python.exe" if os.name == "nt" else "bin/python"
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "sft-studio"
version = "0.1"
dependencies = []
optional-dependencies = { test = [] }
"""
NEEDY = PROJECT.replace("dependencies = []", "dependencies = ['nothing_of.that-name>=1']", 1)
# A build backend in the checkout itself: pip needs nothing from anywhere. It counts its calls, waits and fails as told.
BACKEND = """
import pathlib, time, tomllib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with open("calls", "a") as calls:
        calls.write("called\\n")
    while pathlib.Path("wait").exists():
        time.sleep(0.05)
    if pathlib.Path("fail").exists():
        raise OSError(pathlib.Path("fail").read_text())
    name = "sft_studio-0.1-py3-none-any.whl"
    info = "sft_studio-0.1.dist-info/"
    metadata = "Metadata-Version: 2.1\\nName: sft-studio\\nVersion: 0.1\\n"
    for needed in tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["dependencies"]:
        metadata += f"Requires-Dist: {needed}\\n"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("sft_studio.pth", str(pathlib.Path.cwd()))
        wheel.writestr(info + "METADATA", metadata)
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""
STUDIO = "import sys\nprint(sys.prefix, *sys.argv[1:], sep='|')\nsys.exit(7)\n"
CHECKS = "import sys\nprint('checks', *sys.argv[1:], sep='|')\n"


class Checkout:
    """A checkout with the real door and a studio that says how it was started and exits with 7."""

    def __init__(self, folder):
        self.folder = folder
        self.venv = folder / ".venv"
        files = {
            "pyproject.toml": PROJECT,
            "backend.py": BACKEND,
            "constraints.txt": "",
            "studio/__init__.py": "",
            "studio/__main__.py": STUDIO,
            "tests/run_checks.py": CHECKS,
        }
        for name, text in files.items():
            self.write(name, text)
        shutil.copy(DOOR, folder)

    def write(self, name, text):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, "utf-8")

    def opening(self, *args, python=PYTHON, **settings):
        """Start the door in a process group of its own, from a folder that is not the checkout."""
        environment = {**os.environ, "PIP_NO_INDEX": "1", **settings}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        command = [str(python), str(self.folder / "run_studio.py"), *args]
        # Where the tests were begun in the background, a shell has them ignore Ctrl-C, and every child with them.
        heard = (
            {} if os.name == "nt" else {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
        )
        return subprocess.Popen(
            command, cwd=self.folder.parent, env=environment, start_new_session=True, **pipes, **heard
        )

    def open(self, *args, **how):
        """Open the door and return (exit status, standard output, what was said on standard error)."""
        process = self.opening(*args, **how)
        out, said = process.communicate(timeout=120)
        return process.returncode, out, said

    def calls(self):
        """How often pip has built the studio."""
        calls = self.folder / "calls"
        return calls.read_text().count("called") if calls.exists() else 0

    def wait_for_pip(self, calls):
        deadline = time.monotonic() + 60
        while self.calls() < calls:
            assert time.monotonic() < deadline, "pip was never called"
            time.sleep(0.05)

    def loaded(self):
        """The door of this checkout as a module of the test's own process."""
        spec = importlib.util.spec_from_file_location("door", self.folder / "run_studio.py")
        door = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(door)
        return door


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "checkout")


@pytest.fixture(scope="module")
def an_environment(tmp_path_factory):
    """A bare environment, made once: to make one takes seconds, to copy it does not."""
    folder = tmp_path_factory.mktemp("bare") / ".venv"
    subprocess.run([PYTHON, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def begun(checkout, an_environment):
    """A checkout whose environment was made, and nothing installed in it yet."""
    shutil.copytree(an_environment, checkout.venv, symlinks=True)
    return checkout


@pytest.fixture
def made(begun):
    """A checkout that was started once."""
    assert begun.open()[0] == 7
    return begun


def test_the_first_start_makes_the_environment_and_hands_over_arguments_and_exit_status(checkout):
    status, out, said = checkout.open("train", "--name", "two words")

    assert (status, out) == (7, f"{checkout.venv}|train|--name|two words\n")
    assert "Ctrl-C does no harm" in said


def test_the_second_start_does_without_pip(made):
    remove(made, "pip")

    status, out, said = made.open("--help")

    assert (status, out, said) == (7, f"{made.venv}|--help\n", "")


@pytest.mark.parametrize("changed", ["constraints.txt", "pyproject.toml"])
def test_changed_requirements_are_installed(made, changed):
    new = {
        "constraints.txt": "numpy==2\n",
        "pyproject.toml": PROJECT.replace("dependencies = []", "dependencies = ['pip']", 1),
    }
    made.write(changed, new[changed])

    assert made.open()[0] == 7
    assert made.calls() == 2
    assert made.open()[0] == 7
    assert made.calls() == 2


def test_a_change_that_does_not_concern_the_requirements_costs_nothing(made):
    made.write("pyproject.toml", PROJECT + "\n[tool.ruff]\nline-length = 100\n")

    assert made.open()[0] == 7
    assert made.calls() == 1


def test_a_checkout_that_was_moved_is_installed_where_it_is_now(made):
    moved = Checkout(made.folder.rename(made.folder.with_name("elsewhere")))

    assert moved.open()[1] == f"{moved.venv}\n"
    assert moved.calls() == 2


@pytest.mark.skipif(os.name == "nt", reason="process groups and their signals are of POSIX")
@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_installation_is_completed_by_the_next_start(begun, with_signal):
    begun.write("wait", "")
    first = begun.opening()
    begun.wait_for_pip(1)
    os.killpg(first.pid, with_signal)
    _, said = first.communicate(timeout=60)
    (begun.folder / "wait").unlink()

    assert first.returncode in (130, -signal.SIGKILL)
    assert "Traceback" not in said
    assert begun.open()[0] == 7
    assert begun.calls() == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let a child keep the lock")
def test_a_start_waits_for_the_pip_of_a_door_that_was_killed(begun):
    begun.write("wait", "")
    first = begun.opening()
    begun.wait_for_pip(1)
    first.kill()
    second = begun.opening()

    assert "waiting for it" in second.stderr.readline()
    (begun.folder / "wait").unlink()
    assert second.wait(60) == 7
    first.communicate()
    second.communicate()


def test_two_starts_at_once_install_once(begun):
    begun.write("wait", "")
    both = [begun.opening(), begun.opening()]
    begun.wait_for_pip(1)
    (begun.folder / "wait").unlink()

    assert [(start.communicate(timeout=60), start.returncode)[1] for start in both] == [7, 7]
    assert begun.calls() == 1


def test_what_an_interrupted_pip_left_half_unpacked_is_cleared_away_before_the_next(begun):
    packages = next(begun.venv.glob("[lL]ib/**/site-packages"))
    half, aside = packages / "half-1.0.dist-info", packages / "~ne"
    whole = next(packages.glob("pip-*.dist-info"))
    for folder in (half, aside):
        folder.mkdir()
    (aside / "INSTALLER").touch()
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: half\nVersion: 1.0\n")

    assert begun.open()[0] == 7
    assert [folder.exists() for folder in (half, aside, whole)] == [False, False, True]


def test_going_back_after_an_update_that_failed_halfway_installs_again(made):
    made.write("constraints.txt", "numpy==2\n")
    made.write("fail", "halfway")
    assert made.open()[0] == 1
    made.write("constraints.txt", "")
    (made.folder / "fail").unlink()

    assert made.open()[0] == 7
    assert made.calls() == 3


@pytest.mark.parametrize("missing", [INSIDE, "pyvenv.cfg", "pip"])
def test_a_half_made_environment_is_not_taken_for_a_whole_one(begun, missing):
    door = begun.loaded()
    assert door.is_whole()

    remove(begun, missing)

    assert not door.is_whole()


def test_a_half_made_environment_is_made_again(begun):
    remove(begun, "pip")

    status, _, said = begun.open()

    assert status == 7
    assert "Making an environment" in said


def remove(checkout, name):
    for path in [checkout.venv / name, *checkout.venv.glob(f"[lL]ib/**/site-packages/{name}")]:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def test_where_pip_fails_one_sentence_says_so_and_the_next_start_goes_on(begun):
    begun.write("fail", "the backend is cross")

    status, out, said = begun.open()

    assert (status, out) == (1, "")
    assert said.strip().split("\n")[-1].startswith("pip could not install the studio (")
    assert "the backend is cross" in (begun.venv / "install.log").read_text()
    (begun.folder / "fail").unlink()
    assert begun.open()[0] == 7


def test_a_disk_that_fills_up_is_named(begun):
    begun.write("fail", "[Errno 28] No space left on device")

    assert begun.open()[2].strip().split("\n")[-1].startswith("The disk is full")


def test_without_a_network_the_sentence_says_so(begun):
    begun.write("pyproject.toml", NEEDY)
    nowhere = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}

    status, _, said = begun.open(**nowhere)

    assert status == 1
    assert (
        said.strip().split("\n")[-1].startswith("The package index cannot be reached: check the connection")
    )


def test_a_disk_without_room_is_refused_before_anything_is_made(checkout, capsys):
    door = checkout.loaded()
    door.NEEDED = 10**18

    assert door.main(["serve"]) == 1
    assert "needs about 1000000000 GB and there are" in capsys.readouterr().err
    assert not checkout.venv.exists()


def test_what_is_there_already_counts_as_room(begun):
    door = begun.loaded()
    door.NEEDED = shutil.disk_usage(begun.folder).free + 10**6  # the bare environment has more than that

    door.require_room()


def test_a_folder_that_cannot_be_written_is_refused_with_the_way_out(checkout):
    (checkout.folder / ".venv.lock").mkdir()  # for root, too, a folder is no file to write to

    status, _, said = checkout.open()

    assert status == 1
    assert said.startswith("The studio's environment could not be written (")
    assert said.count("\n") == 1


def test_a_python_without_its_venv_module_is_told_what_to_install(checkout, capsys, monkeypatch):
    door = checkout.loaded()
    monkeypatch.setattr(door.importlib.util, "find_spec", lambda name: None)

    assert door.main([]) == 1
    assert "apt install python3-venv" in capsys.readouterr().err


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13)])
def test_an_old_python_is_refused_with_the_way_out(checkout, version):
    door = checkout.loaded()

    with pytest.raises(door.Refused, match=r"needs Python 3\.11 or newer .* install a newer one"):
        door.require_python(version)


def test_an_old_python_can_read_the_door_as_far_as_its_refusal():
    ast.parse(DOOR.read_text("utf-8"), feature_version=(3, 7))


def test_an_environment_that_has_the_studio_is_used_as_it_is(made):
    own = made.venv.rename(made.folder.parent / "own")

    status, out, said = made.open("--help", python=own / INSIDE)

    assert (status, out, said) == (7, f"{own}|--help\n", "")
    assert not made.venv.exists()


def test_an_environment_that_has_another_checkout_is_not_used(made, an_environment, tmp_path):
    second = Checkout(tmp_path / "second")
    shutil.copytree(an_environment, second.venv, symlinks=True)

    assert second.open(python=made.venv / INSIDE)[1] == f"{second.venv}\n"


def test_an_environment_that_lacks_a_requirement_is_left_alone(made, an_environment):
    own = made.venv.rename(made.folder.parent / "own")
    shutil.copytree(an_environment, made.venv, symlinks=True)
    packages = set(own.glob("[lL]ib/**/site-packages/*"))
    made.write("pyproject.toml", NEEDY)

    status, _, said = made.open(python=own / INSIDE)

    assert status == 1  # the requirement is nowhere to be had
    assert str(made.venv) in said
    assert set(own.glob("[lL]ib/**/site-packages/*")) == packages


def test_the_tests_bring_their_own_requirements_and_then_run_the_checks(made):
    assert made.open("test", "-k", "one")[:2] == (0, "checks|-k|one\n")
    assert made.calls() == 2
    assert made.open("test")[:2] == (0, "checks\n")
    assert made.open()[0] == 7
    assert made.calls() == 2
