"""The first page: there at once, gone when the studio takes the port over, with nobody refused in between."""

import http.client
import socket
import subprocess
import sys
import threading

import pytest

from studio.ui import front

PAGE = b"<p>soon</p>"


def asked(first, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", first.port, timeout=20)
    connection.request(method, "/any?q=1")
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


@pytest.mark.parametrize(("method", "body"), [("GET", PAGE), ("HEAD", b"")])
def test_every_address_says_that_the_studio_is_not_ready_yet(method, body):
    with front.opened(PAGE, port=0) as first:
        status, said, headers = asked(first, method)

    assert (status, said) == (503, body)
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_who_asks_while_the_port_is_handed_over_waits_and_is_answered():
    with front.opened(PAGE, port=0) as first:
        listening = first.hand_over()
        answers = []
        asking = threading.Thread(target=lambda: answers.append(asked(first)[:2]))
        asking.start()
        connection, _ = listening.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstudio")
        asking.join(timeout=20)

    assert answers == [(200, b"studio")]


def test_nobody_looks_at_the_port_any_more_once_it_is_closed():
    with front.opened(PAGE, port=0) as first:
        asked(first)
        looking = next(each for each in threading.enumerate() if each.name == "front")

    looking.join(timeout=5)
    assert not looking.is_alive()


def test_an_address_of_the_other_kind_is_shown_as_a_browser_takes_it():
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with front.opened(PAGE, "::1", 0) as first:
        assert first.address == f"http://[::1]:{first.port}"


def test_nothing_heavy_is_imported_for_it():
    heavy = "{'gradio', 'fastapi', 'sqlalchemy', 'pandas', 'numpy', 'torch'}"
    code = f"import sys; import studio.cli; from studio.ui import front; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert done.stdout.strip() == "[]", done.stderr
