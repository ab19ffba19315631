"""A model elsewhere in Compare: off until it is switched on, beside the others without harm to them, and never taken for more."""

import stat
import threading
import time

import gradio as gr
import pytest
import test_compare
from made import finished, write_many
from server_elsewhere import endless, event, failed, piece, running, sent, streamed
from test_compare import last, opened, parts_of

from studio.core.errors import BadInput, DoesNotFit, NoAnswer, NotFound
from studio.core.judging import Judging
from studio.core.records import Message, Sampling
from studio.engine.api import Ask
from studio.store import settings
from studio.ui import compare_arms, compare_blind, compare_endpoint, compare_fix, talk
from studio.work import comparing, drafting, elsewhere, evaluating, fixing, judging, self_test, writing
from studio.work import prompts as kept
from studio.work.evaluation_plan import Words

FOLD, URL, MODEL, KEY, ON, OFF, FORGET, SAID = range(8)


@pytest.fixture
def server():
    with running() as server:
        yield server


def switched_on(studio, person, server, key=""):
    elsewhere.switch_on(studio, person, server.url, "harbour", key)
    return elsewhere.is_on(studio).arm


def ask(studio, person, project, message, left="base", right="base", talks=None, prompts=("", "")):
    return test_compare.ask(
        studio, person, project, message, talks, (left, right), prompts=prompts, longest=32
    )


def last_turns(steps):
    _, talks, _ = parts_of(last(steps))
    return [each[-1] for each in talks]


def until(true):
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


# nothing leaves unless somebody has switched it on


@pytest.mark.parametrize("bug", [False, True])
@pytest.mark.parametrize("off", ["never set", "off", "forgotten"])
def test_while_it_is_off_nothing_is_sent_whatever_a_page_asks_for(studio, ada, project, server, monkeypatch, off, bug):  # fmt: skip
    if off != "never set":
        arm = switched_on(studio, ada, server)
        (elsewhere.switch_off if off == "off" else elsewhere.forget)(studio, ada)
    else:
        arm = elsewhere.given(studio, server.url, "harbour", "").arm
    if bug:  # the setting is not asked
        monkeypatch.setattr(elsewhere, "known", lambda *_: elsewhere.given(studio, server.url, "harbour", ""))
    refused = 0
    for each in (arm, "endpoint", f"{arm}+prompt:calm"):
        kept.keep(studio, ada, project, "calm", "Be calm.")
        try:
            list(ask(studio, ada, project, "Precious words", "base", each))
        except NotFound as error:
            refused += "nothing was sent" in str(error)

    assert bool(server.asked) is bug
    assert refused == (0 if bug else 3)


def test_a_page_that_names_another_host_or_model_than_is_set_by_now_sends_nothing(studio, ada, project, server):  # fmt: skip
    earlier = switched_on(studio, ada, server)
    elsewhere.switch_on(studio, ada, server.url, "another", "")

    with pytest.raises(NotFound, match="is another at"):
        list(ask(studio, ada, project, "Precious words", "base", earlier))
    assert server.asked == []


@pytest.mark.parametrize("name", ["endpoint", "endpoint:harbour@host", "endpoint+prompt:calm"])
def test_it_can_be_asked_in_compare_only(studio, ada, project, server, name):
    switched_on(studio, ada, server)
    write_many(studio, ada, project, 30)
    kept.keep(studio, ada, project, "calm", "Be calm.")

    for refused in (
        lambda: comparing.arm(studio, project, name),
        lambda: drafting.start(studio, project, "", [Message("user", "Hello?")], name),
        lambda: evaluating.begin(studio, ada, project, [name], Words()),
    ):
        with pytest.raises(BadInput, match="in Compare only"):
            refused()
    assert server.asked == []


def test_a_question_that_names_two_bases_is_refused_before_anything_is_sent(studio, ada, project, server):
    finished(studio, project)
    finished(studio, project, base="another")
    arms = [comparing.arm(studio, project, each, True) for each in ("run:1", "run:2", switched_on(studio, ada, server))]  # fmt: skip

    with pytest.raises(BadInput, match="different base models"):
        list(comparing.ask(studio, project, arms, [()] * 3, "Hello", Sampling(), lambda: False))
    assert server.asked == []


# beside the others


def test_all_arms_answer_in_their_places_the_local_ones_in_one_batch(studio, ada, project, server, engine):
    arm = switched_on(studio, ada, server)
    run = finished(studio, project)
    arms = [comparing.arm(studio, project, each, True) for each in ("base", arm, "run:1")]
    engine.script = ["one two", "three"]
    history = (Message("user", "A?"), Message("assistant", "Elsewhere."))
    *_, answers = comparing.ask(studio, project, arms, [(), history, ()], "B?", Sampling(), lambda: False)

    assert [each.text for each in answers] == ["one two", "It sails at six.", "three"]
    assert all(each.done for each in answers)
    assert [[each.adapter for each in asks] for asks in engine.asked] == [[None, run / "adapter"]]
    ((_, _, body),) = server.asked
    assert [each["content"] for each in body["messages"]] == ["A?", "Elsewhere.", "B?"]


def test_both_grow_at_once(studio, ada, project, server, engine):
    engine.script, engine.pause = ["a b c d e f g h"], talk.PAUSE * 1.2
    server.says = streamed("one", "two", "three", "four", pause=0.08)
    arm = switched_on(studio, ada, server)
    steps = ask(studio, ada, project, "Go", "base", arm)
    texts = [[each[-1]["answer"] for each in parts_of(step)[1]] for step in steps]

    assert sum(bool(here) and bool(there) for here, there in texts[:-1]) > 2
    assert texts[-1] == ["a b c d e f g h", "onetwothreefour"]


def test_without_a_local_arm_the_model_here_is_not_asked(studio, ada, project, server, engine):
    arm = switched_on(studio, ada, server)
    turns = last_turns(ask(studio, ada, project, "When?", arm, arm))

    assert [each["answer"] for each in turns] == ["It sails at six."] * 2
    assert engine.asked == []


def test_under_a_prompt_it_gets_its_words_and_examples(studio, ada, project, server):
    write_many(studio, ada, project, 12)
    kept.keep(studio, ada, project, "calm", "Be calm.", 2)
    arm = switched_on(studio, ada, server)
    last_turns(ask(studio, ada, project, "Question 3?", "base", arm, prompts=("", "calm@1")))

    messages = server.asked[0][2]["messages"]
    assert [each["role"] for each in messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert messages[0]["content"] == "Be calm."


@pytest.mark.parametrize("says", [failed(500), sent(event(piece("Half an ")))])
def test_where_it_fails_the_others_answers_stay_and_its_own_counts_for_nothing(studio, ada, project, server, engine, says):  # fmt: skip
    server.says, engine.script, engine.pause = says, ["a whole answer"], 0.05
    arm = switched_on(studio, ada, server)
    left, right = last_turns(ask(studio, ada, project, "When?", "base", arm))

    assert left["answer"] == "a whole answer"
    assert server.host in right["error"]
    assert "Problem: " in talk.pane([right])
    assert talk.messages([right]) == ()
    with pytest.raises(BadInput, match="has not answered the last question"):
        compare_fix.on_fix(studio, ada, project, 1, [[left], [right]], "base", arm, "", "")
    server.says = streamed()
    assert last_turns(ask(studio, ada, project, "And now?", "base", arm, [[left], [right]]))[1]["error"] == ""
    assert [each["content"] for each in server.asked[-1][2]["messages"]] == ["And now?"]


def test_what_nobody_foresaw_costs_only_its_own_answer(studio, ada, project, server, monkeypatch, caplog):
    arm = switched_on(studio, ada, server, "sk-secret")
    monkeypatch.setattr(elsewhere.client, "ask", lambda to, *_: 1 / 0)
    left, right = last_turns(ask(studio, ada, project, "Hello", "base", arm))

    assert (left["answer"], right["error"]) == ("Hello", elsewhere.UNFORESEEN)
    assert "ZeroDivisionError" in caplog.text
    assert "sk-secret" not in caplog.text


def test_where_this_machine_fails_the_question_comes_back_and_the_other_is_ended(studio, ada, project, server, engine):  # fmt: skip
    server.says = endless(event(piece("on ")), 0.02)
    engine.failure = DoesNotFit("There is no room.")
    arm = switched_on(studio, ada, server)
    with pytest.raises(DoesNotFit):
        list(ask(studio, ada, project, "Hello", "base", arm))

    assert server.asked == [] or server.left.wait(5)


def test_a_closed_page_ends_both_at_once(studio, ada, project, server, engine):
    server.says = endless(event(piece("on ")), 0.02)
    engine.script, engine.pause = [" ".join("a" * 400)], 0.05
    arm = switched_on(studio, ada, server)
    asking = ask(studio, ada, project, "Hello", "base", arm)
    for step in asking:
        right = parts_of(step)[1][1]
        if right[-1]["answer"]:
            break
    asking.close()

    assert server.left.wait(5)
    assert until(lambda: not any(each.name == "answering" for each in threading.enumerate()))


def test_an_answer_elsewhere_is_sent_to_write_as_a_draft_by_its_name(studio, ada, project, server):
    arm = switched_on(studio, ada, server)
    (_, right) = last_turns(ask(studio, ada, project, "When?", "base", arm))
    found = fixing.answer(studio, ada, project, arm, talk.messages([right])).conversation

    assert found.messages[-1].drafted == arm
    assert f"the answer of harbour at {server.host}" in found.note
    assert writing.read(studio, found.id, project).messages == found.messages


# the key


def test_the_key_lies_by_itself_for_its_owner_only_and_is_shown_nowhere(studio, ada, server):
    *shown, said = compare_endpoint.on_switch_on(studio, ada, server.url, "harbour", "sk-secret")
    path = studio.home.endpoint_key

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert str(path) in said
    assert "sk-secret" not in repr(shown) + said + repr(elsewhere.kept(studio))
    holders = [each for each in studio.home.root.rglob("*") if each.is_file() and b"sk-secret" in each.read_bytes()]  # fmt: skip
    assert holders == [path]


def test_the_kept_key_goes_to_its_own_origin_only(studio, ada, server):
    switched_on(studio, ada, server, "sk-secret")
    with running() as other:
        elsewhere.try_out(studio, ada, f"{server.url}/again", "harbour", "")
        elsewhere.try_out(studio, ada, other.url, "harbour", "")
        settings.save(studio.home, endpoint={"url": other.url, "model": "harbour", "on": True})
        elsewhere.whole(
            elsewhere.is_on(studio), Ask((Message("user", "Hello"),), None, Sampling()), lambda: False
        )

    assert server.asked[0][1]["authorization"] == "Bearer sk-secret"
    assert ["authorization" in headers for _, headers, _ in other.asked] == [False, False]


def test_another_address_or_forgetting_it_leaves_no_key(studio, ada, server):
    switched_on(studio, ada, server, "sk-secret")
    elsewhere.switch_on(studio, ada, "http://gpu.example/v1", "harbour", "")
    assert not studio.home.endpoint_key.exists()

    switched_on(studio, ada, server, "sk-secret")
    compare_endpoint.on_forget(studio, ada)
    assert not studio.home.endpoint_key.exists()
    assert elsewhere.kept(studio) is None


# the page


def test_it_is_offered_and_named_only_while_it_is_on(studio, ada, project, server):
    assert compare_endpoint.on_show(studio, ada)[FOLD]["label"] == "A model elsewhere (off)"
    shown = compare_endpoint.on_switch_on(studio, ada, server.url, "harbour", "")
    arm = elsewhere.is_on(studio).arm

    assert shown[FOLD]["label"] == f"A model elsewhere (on: {server.host})"
    assert (f"Elsewhere: harbour at {server.host}", arm) in compare_arms.choices(studio, project)
    assert compare_endpoint.on_arms(studio, ada, 2, "base", "run:1") == ""
    assert f"Questions go to {server.host} as well, another program on this machine." in compare_endpoint.on_arms(studio, ada, 2, "base", arm)  # fmt: skip
    offered = {"project": project, "newest": "base"}
    assert opened(studio, ada, project, ("base", arm), offered=offered).arms[1]["value"] == arm

    off = compare_endpoint.on_switch_off(studio, ada)
    assert (off[URL], off[OFF]["visible"], off[FORGET]["visible"]) == (server.url, False, True)
    assert compare_arms.choices(studio, project) == [compare_arms.BASE]
    assert compare_endpoint.on_arms(studio, ada, 2, "base", arm) == ""
    assert opened(studio, ada, project, ("base", arm), offered=offered).arms[1]["value"] == "base"


def test_what_leaves_the_machine_unencrypted_is_said(studio, ada):
    *_, said = compare_endpoint.on_switch_on(studio, ada, "http://gpu.example:8000/v1", "m", "sk-secret")
    arm = elsewhere.is_on(studio).arm

    assert "The key and all questions go to gpu.example:8000 unencrypted" in said
    assert "they leave this machine unencrypted" in compare_endpoint.on_arms(studio, ada, 2, arm, "base")
    *_, said = compare_endpoint.on_switch_on(studio, ada, "https://gpu.example/v1", "m", "")
    assert "unencrypted" not in said


def test_trying_it_asks_one_tiny_question_and_keeps_nothing(studio, ada, server):
    *_, said = compare_endpoint.on_try(studio, ada, server.url, "harbour", "sk-secret")
    assert "It sails at six." in said
    assert "endpoint.key" not in said
    assert [each["content"] for each in server.asked[0][2]["messages"]] == [elsewhere.TRIED]
    assert (elsewhere.kept(studio), studio.home.endpoint_key.exists()) == (None, False)

    server.says = failed(404, "<b>none</b>")
    *_, said = compare_endpoint.on_try(studio, ada, server.url, "harbour", "")
    assert "&lt;b&gt;none&lt;/b&gt;" in said


def test_what_is_no_address_is_said_and_changes_nothing(studio, ada, server):
    switched_on(studio, ada, server, "sk-secret")
    *shown, said = compare_endpoint.on_switch_on(studio, ada, "http://ada:pw@host/v1", "m", "")

    assert shown == [gr.skip()] * 7
    assert "This is no address" in said
    assert elsewhere.is_on(studio).key == "sk-secret"


@pytest.mark.parametrize("written", ["x", {"url": 7}, {"url": "http://host/v1"}, {"url": "ftp://h", "model": "m", "on": True}, {"url": "http://h", "model": "m", "on": 1}])  # fmt: skip
def test_a_settings_file_that_somebody_spoiled_switches_nothing_on(studio, ada, project, written):
    settings.save(studio.home, endpoint=written)
    studio.home.endpoint_key.write_text("[]")

    assert elsewhere.is_on(studio) is None
    assert compare_endpoint.on_show(studio, ada)[FOLD]["label"] == "A model elsewhere (off)"


# judged blind


def test_it_is_judged_blind_and_votes_on_it_stand_under_its_name(studio, ada, project, server):
    write_many(studio, ada, project, 30)
    arm = switched_on(studio, ada, server)
    told = compare_blind.on_judge(studio, ada, project)
    offered = [each["arm"] for each in told["arms"]]
    pair = Judging(("base", arm))
    rounds = []
    while found := judging.next_round(studio, ada, project, pair):
        judging.vote(studio, ada, project, found.id, "left")
        rounds.append(found)

    assert offered == ["base", arm]
    assert f"Questions go to {server.host} as well" in told["away"][arm]
    real = [each for each in rounds if not each.calibrates]
    assert real
    assert all(set(each.pair) == {"base", arm} for each in real)
    sides = [side for each in rounds for side in (each.left, each.right)]
    assert all((side.answer == "It sails at six.") == (side.arm == arm) for side in sides)
    assert f"harbour at {server.host}" in compare_blind.on_standing(studio, ada, {"project": project})["pairs"][0]["name"]  # fmt: skip


def test_a_round_that_it_does_not_answer_is_not_kept_and_no_vote_is_lost(
    studio, ada, project, server, monkeypatch
):
    monkeypatch.setattr(
        judging.secrets, "randbelow", lambda most: 1
    )  # no round calibrates: in each it is asked
    arm = switched_on(studio, ada, server)
    # Typed: of few conversations, chance may hold out one or none, and then there is no second round to fail.
    pair = Judging(("base", arm), ("Where is parcel 3?", "Where is parcel 4?"))
    first = judging.next_round(studio, ada, project, pair)
    judging.vote(studio, ada, project, first.id, "right")
    server.says = failed(500)

    with pytest.raises(NoAnswer, match="failed"):
        judging.next_round(studio, ada, project, pair)
    assert [each.choice for each in judging.all_of(studio, project)] == ["right"]
    server.says = streamed()
    assert judging.next_round(studio, ada, project, pair).choice is None


def test_the_self_test_covers_what_is_here_and_says_what_cannot_be_proved(studio, ada, project, server):
    write_many(studio, ada, project, 30)
    arm = switched_on(studio, ada, server)
    found = self_test.self_test(studio, judging.match(studio, project, Judging(("base", arm))))

    assert [(each.name, each.ok) for each in found] == [("same twice", True), ("base alone", True), ("elsewhere", None)]  # fmt: skip
    assert server.host in found[-1].detail
    shown = compare_blind.on_self_test(studio, ada, {"project": project, "one": "base", "two": arm})
    assert (shown["ok"], shown["title"]) == (True, "Verified is what answers on this machine")
    assert server.asked == []
