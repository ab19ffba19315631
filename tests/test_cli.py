"""The command line's contract: names, JSON keys, exit statuses. Each command in a process of its own, as a script calls it."""

import errno
import json
import subprocess
import sys

import pytest

from studio import cli
from studio.work import models, writing
from studio.work.studio import opened, owner


@pytest.fixture
def home(tmp_path):
    studio = opened(tmp_path / "home")
    models.choose(studio, owner(), writing.project(studio, "default").id, "rehearsal")
    studio.database.close()
    return studio.home.root


@pytest.fixture
def file(tmp_path):
    rows = [{"messages": [{"role": "user", "content": f"Where is {n}?"}, {"role": "assistant", "content": "Here."}]} for n in range(20)]  # fmt: skip
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[0], {"messages": []}]), "utf-8")
    return path


def studio(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "studio", *map(str, arguments)], capture_output=True, text=True
    )


def told(home, *arguments):
    """What a command says under --json: one object on standard output and nothing else there."""
    done = studio(*arguments, "--home", home, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_way_from_import_to_bundle(home, file, tmp_path):
    brought = told(home, "import", file)
    assert brought.pop("rejected") == [{"row": 22, "reason": brought_reason(home, file)}]
    assert brought == {"read": 22, "imported": 20, "duplicates": 1, "format": "messages"}

    assert told(home, "export", tmp_path / "out.jsonl") == {"written": 20}
    assert set((tmp_path / "out.jsonl").read_bytes().splitlines()) <= set(file.read_bytes().splitlines())

    seen = told(home, "xray", "1")["tokens"]
    assert set(seen[0]) == {"id", "text", "learned", "cut"}
    assert "".join(each["text"] for each in seen if each["learned"]) == "Here.<|im_end|>"

    counted = told(home, "check")
    assert (counted["conversations"], counted["messages"], counted["findings"]) == (20, 40, [])
    assert counted["learned_tokens"] < counted["tokens"]

    trained = told(
        home, "train", "--updates", 4, "--general", 0.1, "--name", "First", "--track", "tensorboard"
    )
    assert any((home / "runs" / trained["run"] / "tensorboard").iterdir())
    assert trained["state"] == "finished"
    assert trained["updates"] == 4
    assert set(trained["held_out_loss"]) == {"before", "best", "last"}
    assert set(trained["general_loss"]) == {"before", "best"}
    assert trained["peak_memory_mb"] > 0

    (run,) = told(home, "runs")["runs"]
    assert (run["run"], run["name"], run["state"]) == (trained["run"], "First", "finished")
    assert {"recipe", "data", "events"} <= told(home, "run", run["run"]).keys()

    answers = told(home, "ask", "Where is 3?", "--arms", f"base,run:{run['run']}", "--max-tokens", 5)[
        "answers"
    ]
    assert [each["arm"] for each in answers] == ["base", f"run:{run['run']}"]
    assert set(answers[0]) == {"arm", "text", "tokens", "seconds", "fingerprint"}
    assert answers[0]["fingerprint"] != answers[1]["fingerprint"]

    asked = told(
        home, "evaluate", "--arms", f"base,prompt,run:{run['run']}", "--system", "Be brief.", "--limit", 1
    )
    assert [each["arm"] for each in asked["arms"]] == ["base", "prompt", f"run:{run['run']}"]
    keys = {"arm", "held_out_loss", "style", "length_ratio", "copied", "general_loss"}
    assert all(
        keys <= each.keys() and {"score", "low", "high"} == set(each["style"]) for each in asked["arms"]
    )
    assert asked["sentence"]

    taken = told(home, "bundle", run["run"], "--out", tmp_path / "adapter")
    assert str(tmp_path / "adapter" / "adapter_model.safetensors") in taken["files"]
    assert taken["parity"]["asked"] == taken["parity"]["same"] > 0


def brought_reason(home, file):
    return told(home, "import", file, "--dry-run")["rejected"][0]["reason"]


def test_a_dry_run_brings_nothing_in(home, file):
    assert told(home, "import", file, "--dry-run")["imported"] == 0
    assert told(home, "check")["conversations"] == 0


def test_the_catalogue_says_what_is_here_and_what_fits(home):
    rows = told(home, "models")["models"]

    assert {"id", "parameters", "licence", "ready", "fits", "path"} == set(rows[0])
    assert "starter" in [each["id"] for each in rows]


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["train"], "There is not enough to learn from"),
        (["train", "--preset", "wild"], "These settings won't train"),
        (["import", "nowhere.json"], "This file can't be read"),
        (["ask", "Hello", "--arms", "run:9"], "Not found"),
        (["ask", "Hello", "--prompt", "nobody"], "Not found"),
        (["ask", "Hello", "--prompt", "calm", "--system", "Be kind."], "This can't be used"),
        (["run", "9"], "Not found"),
        (["bundle", "9"], "Not found"),
        (["evaluate"], "There is not enough to learn from"),
        (["bench", "nothing"], "Not found"),
    ],
)
def test_a_refusal_is_one_sentence_and_status_1(home, arguments, title):
    where = [] if arguments[0] == "bench" else ["--home", home]
    done = studio(*arguments, *where, "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["title"] == title
    assert "Traceback" not in done.stderr


def test_a_disk_that_refuses_is_one_sentence_too(monkeypatch, capsys):
    def refused():
        raise PermissionError(errno.EACCES, "Permission denied", "/home/ada/runs")

    monkeypatch.setattr(cli, "app", refused)
    monkeypatch.setattr(sys, "argv", ["studio", "runs", "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()

    said = json.loads(capsys.readouterr().out)["error"]
    assert ended.value.code == 1
    assert said["title"] == "A file cannot be used"
    assert said["message"].startswith(
        "/home/ada/runs cannot be read or written (Permission denied). Check who"
    )


def test_wrong_usage_is_status_2(home):
    assert studio("frobnicate").returncode == 2
    assert studio("import").returncode == 2
