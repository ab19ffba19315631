"""Where a model elsewhere may be, and what its arm is called."""

import pytest

from studio.core import formats
from studio.core.endpoint import Endpoint, checked, titled
from studio.core.errors import BadInput
from studio.core.judging import titled as in_a_sentence


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        (" HTTPS://API.Example.org/v1/ ", "https://api.example.org/v1"),
        ("http://[::1]:11434/v1/chat/completions", "http://[::1]:11434/v1"),
        ("http://gpu-box", "http://gpu-box"),
    ],
)
def test_an_address_is_kept_as_all_before_the_question(typed, url):
    assert checked(typed, "m", "").url == url


@pytest.mark.parametrize(
    "typed",
    [
        "", "127.0.0.1:8080/v1", "ftp://host/v1", "file:///etc/passwd", "http:///v1", "http://ada:secret@host/v1",
        "http://host/v1?key=secret", "http://host/v1#x", "http://host\\@other/v1", "http://host/v1\r\nx: y", "http://höst/v1",
        "http://host:99999/v1", "http://[::g]/v1", "http://" + "a" * 600, None, 7,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_repeating_it(typed):
    with pytest.raises(BadInput) as refused:
        checked(typed, "m", "")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("model", "key"), [("", ""), ("  ", ""), ("m" * 201, ""), ("m\x00", ""), ("m", "sk secret"), ("m", "sk\r\nx: y"), ("m", "sk-é")])  # fmt: skip
def test_a_model_without_a_name_and_a_key_that_breaks_its_line_are_refused(model, key):
    with pytest.raises(BadInput) as refused:
        checked("http://host/v1", model, key)

    assert "secret" not in str(refused.value)


def test_the_key_stands_in_nothing_that_is_printed():
    assert "sk-secret" not in repr(checked("http://host/v1", "m", "sk-secret"))


def test_another_model_or_host_is_another_arm_whose_name_can_be_read_and_kept():
    arms = {Endpoint(f"http://{host}/v1", model).arm for host in ("a:1", "b:1") for model in ("m", "c+r, @x")}

    assert len(arms) == 4
    assert all("+" not in each and "," not in each for each in arms)  # they part arms' names elsewhere
    assert all(formats.drafted(1, each) == each for each in arms)
    assert {titled(each) for each in arms} == {
        f"{model} at {host}" for host in ("a:1", "b:1") for model in ("m", "c+r, @x")
    }
    assert in_a_sentence(Endpoint("http://a:1/v1", "m").arm + "+prompt:calm@2") == "m at a:1 under the prompt “calm”"  # fmt: skip


@pytest.mark.parametrize(
    ("url", "here", "readable"),
    [
        ("http://127.0.0.1:1/v1", True, False), ("http://localhost/v1", True, False), ("http://[::1]:1/v1", True, False),
        ("http://10.0.0.7/v1", False, True), ("https://10.0.0.7/v1", False, False), ("http://localhost.example/v1", False, True),
    ],
)  # fmt: skip
def test_it_is_known_what_leaves_this_machine_and_what_can_be_read_on_its_way(url, here, readable):
    to = checked(url, "m", "")

    assert (to.is_here, to.is_open) == (here, readable)
