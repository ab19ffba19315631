"""The folder of an evaluation: what a kill leaves of a line, and who may go on with it."""

import json

import pytest

from studio.core.errors import Busy, NotFound
from studio.store import evaluations


@pytest.fixture
def begun(home):
    spec = {"rows": 4, "project": "harbour"}
    return evaluations.load(home, evaluations.freeze(home, spec, {"held_out": []}))


@pytest.mark.parametrize("careful", [True, False])
def test_what_a_kill_left_of_a_line_does_not_spoil_the_next_one(begun, careful):
    path = begun.folder / "answers.jsonl"
    path.write_bytes(b'{"text": "whole"}\n{"text": "ha')
    if careful:
        with evaluations.appending(path) as log:
            log.add({"text": "next"})
    else:  # the control: a line that is only appended
        with path.open("ab") as file:
            file.write(b'{"text": "next"}\n')

    if careful:
        assert [each["text"] for each in evaluations.rows(path)] == ["whole", "next"]
    else:
        with pytest.raises(json.JSONDecodeError):
            evaluations.rows(path)


def test_one_goes_at_a_time_and_the_lock_tells_that_it_goes(home, begun):
    lock = evaluations.take(home, begun)
    other = evaluations.load(home, evaluations.freeze(home, begun.spec, {}))
    assert evaluations.load(home, begun.id).state == "going"
    with pytest.raises(Busy, match="0 of 4 steps"):
        evaluations.take(home, other)

    lock.release()
    assert evaluations.load(home, begun.id).state == "stopped"
    evaluations.take(home, other).release()


def test_a_result_is_there_whole_or_not_at_all(home, begun):
    (begun.folder / ".result.json").write_text('{"arms": [', "utf-8")
    assert evaluations.load(home, begun.id).state == "stopped"
    evaluations.write(begun.folder / "result.json", {"arms": []})
    assert evaluations.load(home, begun.id).result == {"arms": []}


@pytest.mark.parametrize("id", ["9", "../runs", "", "answered"])
def test_an_evaluation_that_is_not_there_is_a_sentence(home, id):
    with pytest.raises(NotFound, match="There is no evaluation"):
        evaluations.load(home, id)
