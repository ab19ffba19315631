"""The client of a model elsewhere, against a real server: what it sends, what it takes, and a sentence for all else."""

import json
import time

import pytest
from server_elsewhere import GOOD, endless, event, failed, piece, running, sent, streamed

from studio.core.endpoint import Endpoint
from studio.core.errors import NoAnswer
from studio.core.records import Message, Sampling
from studio.engine.api import Ask
from studio.engine.endpoint import LINE, Patience, ask

SHORT = Patience(silence=1.0, whole=1.5)  # for what comes to nothing; all else may be slow on a busy machine
ASKED = (Message("system", "Be brief."), Message("user", "When does it sail?"))
DRAWN = Sampling(max_tokens=32, temperature=0.5, top_p=0.9, seed=7)
WHOLE = {"model": "harbour-1", "choices": [{"message": {"content": "At six."}, "finish_reason": "stop"}], "usage": {"completion_tokens": 3}}  # fmt: skip


def told(server, key="", stopping=lambda: False, patience=None, sampling=DRAWN, arm=""):
    found = []
    to = Endpoint(server if isinstance(server, str) else server.url, "harbour", key)
    ask(to, Ask(ASKED, None, sampling, arm), found.append, stopping, patience)
    return found


def test_a_stream_is_told_as_it_grows_and_what_was_asked_is_what_was_meant():
    with running() as server:
        found = told(server, "sk-secret")
        ((path, headers, body),) = server.asked

    assert [each.text for each in found] == ["It ", "It sails ", "It sails at ", *["It sails at six."] * 2]
    assert [each.done for each in found] == [False] * 4 + [True]
    assert (found[-1].tokens, found[-1].cut, found[-1].error) == (4, False, "")
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == "Bearer sk-secret"
    assert body == {
        "model": "harbour", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When does it sail?"}],
        "stream": True, "max_tokens": 32, "temperature": 0.5, "top_p": 0.9, "seed": 7,
    }  # fmt: skip


def test_without_a_key_none_is_sent():
    with running() as server:
        told(server)

    assert "authorization" not in server.asked[0][1]


def test_the_fingerprint_is_over_address_model_prompt_with_its_version_and_sampling():
    with running() as one, running() as two:
        same = {told(one)[-1].fingerprint for _ in range(2)}
        others = {
            told(two)[-1].fingerprint,
            told(one, sampling=Sampling(max_tokens=33))[-1].fingerprint,
            told(one, arm="prompt:calm@2")[-1].fingerprint,
        }
        one.says = sent(event({**piece("Hm.", "stop"), "model": "another"}))
        others.add(told(one)[-1].fingerprint)

    assert len(same) == 1
    assert len(others - same) == 4


@pytest.mark.parametrize("indent", [None, 2])
def test_an_answer_in_one_piece_is_taken_although_a_stream_was_asked_for(indent):
    with running(sent(json.dumps(WHOLE, indent=indent).encode(), kind="application/json")) as server:
        *_, last = told(server)

    assert (last.text, last.tokens, last.done) == ("At six.", 3, True)


@pytest.mark.parametrize("end", ["[DONE]", piece(None, "stop")])
def test_either_end_mark_ends_an_answer_without_waiting_for_the_connection(end):
    def says(handler):
        sent(event(piece("Six.")), event(end))(handler)
        time.sleep(3)

    with running(says) as server:
        *_, last = told(server)

    assert (last.text, last.done) == ("Six.", True)


def test_what_would_break_the_page_is_left_out_of_the_text():
    with running(streamed("a\ud83d", "\x00b", "é")) as server:
        assert told(server)[-1].text == "abé"


@pytest.mark.parametrize("pause", [0.0, 0.001])
def test_an_answer_without_end_ends_at_its_longest_length(pause):
    with running(endless(event(piece("again and ")), pause)) as server:
        *_, last = told(server)

    assert (last.cut, last.done, len(last.text)) == (True, True, 20 * DRAWN.max_tokens)


def test_an_answer_that_used_up_its_tokens_is_cut():
    with running(streamed(reason="length")) as server:
        assert told(server)[-1].cut


TROUBLE = {
    "HTML": (sent(b"<!doctype html><title>Router</title>", kind="text/html"), "answers with a web page"),
    "no JSON": (sent(event("{oops")), "what is no JSON"),
    "half JSON": (sent(b'{"choices": [', kind="application/json"), "what is no JSON"),
    "deep JSON": (sent(event("[" * 100_000)), "what is no JSON"),
    "a list": (sent(event("[]")), "JSON without an answer in it"),
    "no choices": (sent(event({"model": "x"})), "JSON without an answer in it"),
    "wrong choices": (sent(event({"choices": ["a"]})), "JSON without an answer in it"),
    "wrong content": (sent(event(piece(7))), "an answer that is no text"),
    "wrong delta": (sent(event({"choices": [{"delta": ["a"]}]})), "an answer that is no text"),
    "plain text": (sent(b"hello there\n"), "a line that belongs to no answer"),
    "bytes": (sent(b"data: \xff\xfe\n\n"), "no text in UTF-8"),
    "packed": (sent(b"\x1f\x8b\x08\x00", **{"content-encoding": "gzip"}), "no text in UTF-8"),
    "a huge line": (endless(b"x" * 9999), "far more than an answer"),
    "remarks for ever": (endless(b": still thinking\n\n" * 999), "far more than an answer"),
    "no word": (streamed(""), "ended without a word"),
    "thoughts only": (sent(event({"choices": [{"delta": {"reasoning": "Hm"}, "finish_reason": "length"}]})), "used up the longest answer"),
    "nothing": (sent(), "closed the connection without an answer"),
    "an error in the stream": (sent(event({"error": {"message": "The slot is taken."}})), "ended with an error: “The slot is taken”"),
    "an error as text": (sent(event({"error": "Out of memory"})), "ended with an error: “Out of memory”"),
    "an error as a line": (sent(b'error: {"message": "Too long"}\n\n'), "ended with an error: “Too long”"),
    "422": (sent(b'{"detail": "No seed"}', status=422), "refuses the question (422): “No seed”"),
    "silence": (lambda handler: time.sleep(1.5), "sent nothing for 1 seconds; the first word"),
    "silence amid": (lambda handler: (sent(event(piece("Six")))(handler), time.sleep(1.5)), "the next word"),
    "slow for ever": (endless(b": wait\n", 0.1), "was not done after 2 seconds"),
    "broken amid": (sent(event(piece("Six "))), "broke off in the middle"),
    "shorter than said": (sent(event(piece("Six ")), **{"content-length": "9999"}), "broke off in the middle"),
    "400": (failed(400, "This model takes 2048 tokens."), "refuses the question (400): “This model takes 2048 tokens”"),
    "401": (failed(401), "wants a key (401)"),
    "403": (failed(403, "No."), "wants a key (403): “No”"),
    "404": (failed(404, "model not found"), "has no model “harbour” at this address (404)"),
    "429": (failed(429, "Slow down"), "takes no more questions just now (429)"),
    "500": (failed(500), "failed (500). Look at its log"),
    "500 in HTML": (sent(b"<html>", status=502, kind="text/html"), "failed (502)"),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLE)
def test_what_is_no_answer_gets_a_sentence_with_the_host_and_the_next_step(name):
    says, sentence = TROUBLE[name]
    with running(says) as server, pytest.raises(NoAnswer) as refused:
        told(server, patience=SHORT if "silence" in name or "slow" in name else None)

    assert sentence in str(refused.value)
    assert str(refused.value).startswith(server.host)
    assert str(refused.value).count(". ") >= 1


def test_a_server_that_is_down_or_has_a_name_that_nobody_knows_gets_a_sentence():
    with running() as server:
        pass

    for url in (server.url, "http://no.such.host.invalid/v1", "http://a..b/v1", f"http://{'a' * 70}/v1"):
        with pytest.raises(NoAnswer, match="could not be reached"):
            told(url)


def test_a_redirect_is_named_and_not_followed():
    with running() as other:
        location = {"location": f"{other.url}/chat/completions"}
        with running(sent(status=307, **location)) as server, pytest.raises(NoAnswer, match=other.host):
            told(server, "sk-secret")

    assert (len(server.asked), other.asked) == (1, [])


def test_a_key_that_the_server_repeats_is_not_shown():
    with running(failed(401, "Wrong key: sk-secret!")) as server, pytest.raises(NoAnswer) as refused:
        told(server, "sk-secret")

    assert "does not take this key (401): “Wrong key: …!”" in str(refused.value)


def test_what_was_said_before_it_broke_off_was_told():
    found = []
    with running(sent(event(piece("Six ")))) as server, pytest.raises(NoAnswer):
        ask(Endpoint(server.url, "harbour"), Ask(ASKED, None, DRAWN), found.append, lambda: False)

    assert [each.text for each in found] == ["Six "]


@pytest.mark.parametrize("says", [endless(event(piece("on ")), 0.01), lambda handler: (time.sleep(0.3), endless(b": x\n")(handler))])  # fmt: skip
def test_stopping_closes_the_connection_at_once_before_the_first_word_too(says):
    with running(says) as server:
        found = told(server, stopping=lambda: bool(server.asked), sampling=Sampling(max_tokens=10**6))
        assert server.left.wait(5)  # long before it would have given up by itself

    assert not any(each.done for each in found)


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with running() as server:
        assert told(server)[-1].text == "".join(GOOD)


def test_a_line_may_be_long_but_not_longer_than_its_limit():
    with running(sent(b": " + b"x" * (LINE - 99) + b"\n\n", event(piece("Six.", "stop")))) as server:
        assert told(server)[-1].text == "Six."
