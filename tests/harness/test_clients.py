"""A hundred people edit the same twenty conversations at once: nobody's text is overwritten unseen, and none is lost."""

import random
import threading
from dataclasses import replace

import pytest

from studio.core.errors import ChangedMeanwhile
from studio.core.records import Change, Message, Person
from studio.store import conversations
from studio.work import writing

CLIENTS = 100
CONVERSATIONS = 20

pytestmark = pytest.mark.timeout(3600)


def talk(text):
    return (Message("user", text), Message("assistant", "On the boat."))


def edited_by_all(studio, edits):
    """Let all clients read and save, and return (text, version that it was made from, whether it was refused) of each edit."""
    ann = Person("Ann")
    project = writing.project(studio, "harbour").id
    made = [writing.save(studio, ann, Change(f"first-{number}", project, "", 0, talk(f"first-{number}"))) for number in range(CONVERSATIONS)]  # fmt: skip
    told, begin = [], threading.Barrier(CLIENTS)

    def client(name):
        chance = random.Random(name)
        begin.wait()
        for number in range(edits // CLIENTS):
            text = f"{name}-{number}"
            read = writing.read(studio, chance.choice(made).id, project)
            refused = False
            try:
                writing.save(studio, Person(f"client {name}"), Change(text, project, read.id, read.version, talk(text)))  # fmt: skip
            except ChangedMeanwhile:
                refused = True
            told.append((text, (read.id, read.version), refused))

    threads = [threading.Thread(target=client, args=(name,)) for name in range(CLIENTS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return [each.id for each in made], told


def wrong_with(studio, ids, told):
    """The texts that were overwritten unseen, and those that cannot be found in the history."""
    steps = {step.messages[0].content: step for id in ids for step in writing.history(studio, id)}
    overwritten, lost = set(), set()
    for text, (id, version), refused in told:
        step = steps.get(text)
        if step is None:
            lost.add(text)
        elif refused:
            if (step.kind, step.conversation, step.version) != ("kept aside", id, version):
                lost.add(text)
        elif (step.kind, step.conversation, step.version) != ("saved", id, version + 1):
            overwritten.add(text)  # it stands upon a version that its writer had not seen
    return overwritten, lost


def test_a_hundred_clients_overwrite_nothing_unseen_and_lose_no_text(studio, length):
    edits = length(short=10_000, long=100_000)
    ids, told = edited_by_all(studio, edits)

    assert len(told) == edits
    assert sum(refused for *_, refused in told) > edits // 10
    assert wrong_with(studio, ids, told) == (set(), set())


def test_without_the_check_of_the_version_texts_would_be_overwritten(studio, monkeypatch):
    checked = conversations.add_revision

    def unchecked(db, change, person, at):
        newest = conversations.load(db, change.conversation).version if change.conversation else 0
        return checked(db, replace(change, version=newest), person, at)

    monkeypatch.setattr(conversations, "add_revision", unchecked)
    ids, told = edited_by_all(studio, 500)

    overwritten, _ = wrong_with(studio, ids, told)
    assert len(overwritten) > 10
