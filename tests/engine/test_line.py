"""Who is answered next. Each caller is a thread, as in the studio."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from studio.engine.line import Line


@pytest.fixture
def line():
    return Line()


@pytest.fixture
def callers():
    with ThreadPoolExecutor(8) as pool:
        yield pool


def never():
    return False


def until(true):
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_people_are_answered_one_at_a_time_in_the_order_of_their_coming(line, callers):
    assert line.take(never)
    order, at_once = [], []

    def ask(name):
        assert line.take(never)
        at_once.append(name)
        order.append(name)
        time.sleep(0.005)
        assert at_once == [name]
        at_once.clear()
        line.end()

    asked = []
    for name in range(6):
        asked.append(callers.submit(ask, name))
        until(lambda seen=name + 1: len(line.waiting) == seen)
    line.end()
    for each in asked:
        each.result(10)
    assert order == list(range(6))
    assert not line.taken


def test_whoever_stops_waiting_gets_no_turn_and_holds_up_nobody(line, callers):
    assert line.take(never)
    gone = threading.Event()
    first = callers.submit(line.take, gone.is_set)
    until(lambda: len(line.waiting) == 1)
    second = callers.submit(line.take, never)
    until(lambda: len(line.waiting) == 2)
    gone.set()
    assert first.result(10) is False
    line.end()
    assert second.result(10) is True
    assert not line.waiting


def test_one_thread_takes_a_turn_and_another_ends_it(line, callers):
    assert callers.submit(line.take, never).result(10)
    line.end()
    assert line.take(lambda: True)
