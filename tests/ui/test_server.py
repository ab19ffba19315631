"""The studio as it is served: who may ask, which files can be had (none), how much is taken, and how it starts and ends."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from fastapi import FastAPI
from scripted import ScriptedEngine
from starlette.testclient import TestClient

from studio.core.errors import Busy, NotServedSafely
from studio.core.records import Person
from studio.engine import libraries
from studio.store.database import Database
from studio.store.home import open_home
from studio.ui import front, gate, page, server
from studio.work import writing
from studio.work.jobs import Jobs
from studio.work.studio import Studio

ADDRESS = "http://127.0.0.1:7860"
SECRET = "a-secret-that-nobody-may-read"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    home = open_home(tmp_path_factory.mktemp("served") / "home")
    database = Database.open(home.database)
    made = Studio(home, database, ScriptedEngine(), Jobs(home))
    project = writing.project(made, "default")
    writing.set_system(made, Person("Ada"), project.id, SECRET)
    home.run("1").mkdir()
    conversation = [{"role": "user", "content": SECRET}, {"role": "assistant", "content": "Yes."}]
    (home.run("1") / "train.jsonl").write_text(json.dumps({"messages": conversation}))
    with pytest.MonkeyPatch.context() as patch:
        # What the server sets for its whole process is put back after the tests.
        for name in ("TMPDIR", "GRADIO_TEMP_DIR"):
            patch.setenv(name, str(home.temporary))
        patch.setattr("tempfile.tempdir", None)
        yield made
    database.close()


@pytest.fixture(scope="module")
def client(studio):
    with TestClient(server.app(studio), base_url=ADDRESS) as client:
        yield client


@pytest.fixture
def asked(client, studio):
    """The studio as it is served, with nothing passed yet."""
    for each in studio.home.temporary.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    return client


def private_files(studio):
    return [studio.home.database, studio.home.run("1") / "train.jsonl"]


def file_data(path):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def test_the_first_page_runs_only_scripts_with_its_own_nonce(asked):
    answer = asked.get("/")

    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy).group(1)
    scripts = re.findall(r"<script[^>]*>", answer.text)
    assert answer.status_code == 200
    assert scripts
    assert all(f'nonce="{nonce}"' in each for each in scripts)
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert nonce not in asked.get("/").text


@pytest.mark.parametrize("path", ["/", "/config", "/nothing", "/gradio_api/file=/etc/passwd"])
def test_every_answer_carries_the_security_headers(asked, path):
    headers = asked.get(path).headers

    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860"])
def test_it_answers_to_this_machines_own_names(asked, host):
    assert asked.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1:80", "127.0.0.1.evil.example:7860", ""]
)
def test_another_name_is_refused_and_the_right_one_is_told(asked, host):
    answer = asked.get("/", headers={"host": host})

    assert answer.status_code == 403
    assert "127.0.0.1:7860" in answer.text


def test_behind_a_proxy_every_name_is_answered_and_foreign_pages_are_still_refused(studio):
    with TestClient(server.app(studio, behind_proxy=True), base_url="https://studio.example") as client:
        assert client.get("/").status_code == 200
        assert client.get("/config", headers={"origin": "https://studio.example"}).status_code == 200
        assert client.get("/config", headers={"origin": "https://evil.example"}).status_code == 403
        seen = {"origin": "https://outside.example", "x-forwarded-host": "outside.example"}
        assert client.get("/config", headers=seen).status_code == 200


def test_without_a_proxy_nobody_is_believed_to_be_one(asked):
    seen = {"origin": "https://evil.example", "x-forwarded-host": "evil.example"}

    assert asked.get("/config", headers=seen).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://localhost:3000", "null", "http://127.0.0.1:7861"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/run/predict"),
        ("POST", "/gradio_api/component_server/"),
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/queue/data?session_hash=x"),
        ("GET", "/config"),
        ("OPTIONS", "/gradio_api/queue/join"),
    ],
)
def test_another_sites_page_is_refused_and_given_no_grant(asked, origin, method, path):
    asking = {"origin": origin, "access-control-request-method": "POST"}
    answer = asked.request(method, path, headers=asking)

    assert answer.status_code == 403
    assert not [each for each in answer.headers if each.startswith("access-control-")]


def test_a_request_that_a_browser_marks_as_another_sites_is_refused_but_a_link_may_be_followed(asked):
    marked = {"sec-fetch-site": "cross-site"}

    assert asked.get("/config", headers=marked).status_code == 403
    assert asked.post("/gradio_api/queue/join", headers=marked).status_code == 403
    assert asked.get("/", headers={**marked, "sec-fetch-mode": "no-cors"}).status_code == 403
    assert asked.get("/", headers={**marked, "sec-fetch-mode": "navigate"}).status_code == 200


def test_its_own_page_is_answered_and_even_that_without_a_grant(asked):
    answer = asked.get("/config", headers={"origin": ADDRESS, "sec-fetch-site": "same-origin"})

    assert answer.status_code == 200
    assert not [each for each in answer.headers if each.startswith("access-control-")]


@pytest.mark.parametrize(
    "path",
    [
        "/docs", "/openapi.json", "/monitoring", "/login", "/gradio_api/info", "/gradio_api/openapi.json", "/gradio_api/runs",
        "/gradio_api/proxy=http://127.0.0.1:22/", "/proxy=http://127.0.0.1:22/", "/gradio_api/stream/x/1/1/playlist.m3u8",
        "/gradio_api/custom_component/1/client/component/../../../x", "/gradio_api/vibe-code", "/gradio_api/dev/reload",
        "/gradio_api/run-history/buckets", "/gradio_api/deep_link", "/gradio_api/token",
    ],
)  # fmt: skip
def test_what_the_page_does_not_need_is_not_there(asked, path):
    assert asked.get(path).status_code == 404


def test_no_address_reads_a_private_file(asked, studio):
    tries = ["{}", "/{}", "..{}", "%2e%2e%2f..{}", "file://{}", "{}%00.txt"]
    tries = [f"/gradio_api/file={each}" for each in tries] + [f"/file={each}" for each in tries]
    tries += [
        "/gradio_api/file/{}",
        "/static/../../../../..{}",
        "/assets/%2e%2e/%2e%2e/%2e%2e/..{}",
        "/gradio_api//file={}",
    ]
    for file in [*private_files(studio), Path("/etc/passwd")]:
        for each in tries:
            answer = asked.get(each.format(file))
            assert answer.status_code in (400, 403, 404), each
            assert SECRET not in answer.text
            assert "root:" not in answer.text


def test_a_link_in_the_temporary_folder_does_not_lead_out_of_it(asked, studio):
    link = studio.home.temporary / "link.txt"
    link.symlink_to(studio.home.run("1") / "train.jsonl")

    assert asked.get(f"/gradio_api/file={link}").status_code == 403


@pytest.mark.parametrize("shape", ["plain", "nested", "escaped", "no meta", "address"])
def test_no_event_can_name_a_private_file(asked, studio, shape):
    path = str(private_files(studio)[0])
    body = {"data": [file_data(path)], "fn_index": 0, "session_hash": "x"}
    if shape == "nested":
        body["data"] = [{"value": [[{"deep": file_data(path)}]]}]
    if shape == "no meta":
        body["data"] = [{"path": path}]
    if shape == "address":
        body["data"] = [file_data("http://127.0.0.1:9/x")]
    text = json.dumps(body).replace('"path"', '"\\u0070ath"' if shape == "escaped" else '"path"')

    for where in ("queue/join", "run/predict", "component_server/"):
        answer = asked.post(
            f"/gradio_api/{where}", content=text, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 403
    assert not leaked(studio)


def passed(studio):
    return [each for each in studio.home.temporary.rglob("*") if each.is_file()]


def leaked(studio):
    """Whether a private file was copied to where files are served."""
    return any(SECRET.encode() in content(each) for each in passed(studio))


def content(path):
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a note of how far a file is, which was replaced meanwhile
        return b""


def test_gradio_itself_refuses_a_private_file_too_behind_the_gate(asked, studio):
    """The switch: without `has_launched` the very same request has the file copied to where files are served."""
    app = server.mounted(FastAPI(), studio)
    built = next(each.app.blocks for each in app.routes if hasattr(each.app, "blocks"))
    private = studio.home.run("1") / "train.jsonl"
    upload = next(
        n for n, each in built.fns.items() if any(i.get_block_name() == "uploadbutton" for i in each.inputs)
    )
    inputs = [
        file_data(private) if i.get_block_name() == "uploadbutton" else "" for i in built.fns[upload].inputs
    ]
    asking = {"data": inputs, "fn_index": upload, "session_hash": "x"}

    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as client:
        refused = client.post("/gradio_api/run/predict", json=asking)
        leaked_first = leaked(studio)
        built.has_launched, built.blocked_paths = False, []
        had = client.post("/gradio_api/run/predict", json=asking)

    assert refused.status_code == 500
    assert SECRET not in refused.text
    assert not leaked_first
    assert had.status_code == 200
    assert leaked(studio)


def test_an_uploaded_page_comes_back_as_a_download_and_never_as_a_page(asked):
    path = asked.post("/gradio_api/upload", files={"files": ("x.html", b"<script>1</script>")}).json()[0]

    answer = asked.get(f"/gradio_api/file={path}")

    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded", ""]
)
def test_an_event_comes_as_json_or_not_at_all(asked, kind):
    """A foreign form can send every other kind without asking first."""
    answer = asked.post("/gradio_api/component_server/", content=b"{}", headers={"content-type": kind})

    assert answer.status_code == 415


def test_a_body_that_says_it_is_too_large_is_refused_with_a_sentence(asked):
    answer = asked.post("/gradio_api/upload", content=b"x", headers={"content-length": str(gate.UPLOAD + 1)})

    assert answer.status_code == 413
    assert "64 MB" in answer.text
    assert "sft-studio import FILE" in answer.text


def test_a_body_that_does_not_say_its_size_is_refused_when_it_grows_too_large(asked, studio, monkeypatch):
    monkeypatch.setattr(gate, "UPLOAD", 2**20)
    monkeypatch.setattr(gate, "VALUES", 2**20)
    form = {"content-type": "multipart/form-data; boundary=b"}

    def endless(start):
        yield start
        for _ in range(64):
            yield b"x" * 2**16

    start = b'--b\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\n'
    uploaded = asked.post("/gradio_api/upload", content=endless(start), headers=form)
    event = asked.post(
        "/gradio_api/queue/join", content=endless(b'{"'), headers={"content-type": "application/json"}
    )

    assert uploaded.status_code == event.status_code == 413
    assert "1 MB" in uploaded.text
    assert all(each.stat().st_size <= 2**20 for each in passed(studio))


def test_nothing_is_kept_in_the_browser_or_sent_home(asked):
    config = asked.get("/config").json()

    assert config["run_history"] is False
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == []


def test_the_page_is_wired_without_a_warning(studio):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        page.build(studio)


def test_nothing_but_tabs_stands_among_the_tabs(studio):
    """Gradio counts what a tab's wiring makes beside it as a tab, and then shows another tab's button twice."""
    tabs = next(each for each in page.build(studio).blocks.values() if each.get_block_name() == "tabs")

    assert {type(each) for each in tabs.children} == {gr.Tab}


def test_scripts_that_share_a_scope_do_not_take_each_others_names(studio):
    """Of two functions of one name the later silently stands for both."""
    scripts = [getattr(each, "js_on_load", None) or "" for each in page.build(studio).blocks.values()]
    names = [re.findall(r"^(?:async )?function (\w+)", each, re.MULTILINE) for each in scripts]

    assert sum(len(each) > 7 for each in names) > 5
    assert [name for each in names for name in set(each) if each.count(name) > 1] == []


def test_the_stop_ladder_is_watched_while_the_studio_is_served(studio):
    jobs = Jobs(studio.home)
    with TestClient(server.app(replace(studio, jobs=jobs)), base_url=ADDRESS):
        assert "stop-ladder" in {each.name for each in threading.enumerate()}
        assert not jobs.closing.is_set()

    assert jobs.closing.is_set()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "studio.example"])
def test_a_host_that_others_can_reach_is_refused_with_the_way_out(host):
    with pytest.raises(NotServedSafely, match=r"SSH tunnel.*--behind-proxy"), front.opened(b"", host, 0):
        pass


def test_a_taken_port_is_told_with_the_way_out():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with (
            pytest.raises(Busy, match="--port 0"),
            front.opened(b"", port=other.getsockname()[1]),
        ):
            pass


def test_the_first_page_is_there_before_torch(tmp_path):
    code = (
        "import sys; from pathlib import Path; from starlette.testclient import TestClient\n"
        "from studio.ui import server; from studio.work.studio import opened\n"
        f"client = TestClient(server.app(opened(Path({str(tmp_path)!r}))), base_url={ADDRESS!r})\n"
        "assert client.get('/').status_code == 200\n"
        "print(sorted({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)

    assert done.stdout.strip() == "[]", done.stderr


def test_a_library_that_cannot_be_imported_is_logged_and_nothing_ends(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "peft", None)
    monkeypatch.setattr(libraries, "HEAVY", ("peft",))

    libraries.bring()

    assert "peft could not be imported" in caplog.text


def test_it_says_where_it_is_and_ends_calmly_when_interrupted(tmp_path):
    command = [
        sys.executable,
        "-m",
        "studio",
        "serve",
        "--home",
        str(tmp_path),
        "--port",
        "0",
        "--no-browser",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)

    assert re.fullmatch(r"The studio is at http://127\.0\.0\.1:\d+\n", line)
    assert "a training that runs goes on" in rest
    assert "Traceback" not in errors
    assert process.returncode == 0
