"""Any sequence of edits, deletions, restores, undos, marks and imports, step by step beside a model in plain Python.

After each step: every state that a conversation ever had is in its history as it was, histories only grow, no number was
given twice, and list and search show what the model shows.
"""

import json
import re
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from studio.core.errors import BadInput, ChangedMeanwhile
from studio.core.records import STATUSES, Change, Message, Person
from studio.store import conversations as stored
from studio.store.database import Database
from studio.store.home import open_home
from studio.work import importing, marking, writing
from studio.work.studio import Studio

ADA = Person("Ada")
WORDS = (
    "boat",
    "BOAT",
    "ﬁne",
    "fine",
    "naïve",
    "nai\u0308ve",
    "100%",
    "a_b",
    "\\",
    '"late"',
    "e\r\nf",
    "g\u2028h",
)
SOUGHT = ("Boat", "fine", "naive", "bo", "late on", "a_b", "100%", "%", "g\u2028h")

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
picks = st.integers(0, 10**6)
choices = st.lists(picks, min_size=1, max_size=4)

pytestmark = pytest.mark.timeout(3600)


@dataclass
class Kept:
    """A conversation as the model has it: each version's content, where an undo stands among them, what was kept aside."""

    id: str
    number: int
    versions: list  # of Content
    aside: list = field(default_factory=list)  # of (version that it was made from, Content)
    line: list = field(default_factory=list)  # the versions that undo and redo walk over
    place: int = 0

    @property
    def now(self):
        return self.versions[-1]


@dataclass(frozen=True)
class Content:
    text: str
    status: str = "draft"
    tags: tuple = ()
    deleted: bool = False

    @property
    def messages(self):
        return (Message("user", self.text), Message("assistant", "On the boat."))


class Histories(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.home = open_home(Path(tempfile.mkdtemp()) / "home")
        self.open()
        self.project = writing.project(self.studio, "harbour").id
        self.names = count()
        self.there = []  # of Kept, in the order of their numbers
        self.seen = {}  # each conversation's history as it was a step ago

    def open(self):
        self.studio = Studio(self.home, Database.open(self.home.database), engine=None, jobs=None)

    def teardown(self):
        self.studio.database.close()
        shutil.rmtree(self.home.root.parent)

    # What the model says to a new version

    def pick(self, pick):
        return self.there[pick % len(self.there)]

    def picked(self, choices):
        return list({(kept := self.pick(each)).id: kept for each in choices}.values())

    def add(self, kept, content):
        kept.versions.append(content)
        kept.line = kept.versions[:]
        kept.place = len(kept.line) - 1

    def walk(self, pick, deed, way):
        kept = self.pick(pick)
        target = kept.place + way
        if kept.now.deleted or not 0 <= target < len(kept.line):
            with pytest.raises(BadInput):
                deed(self.studio, ADA, self.project, kept.id)
            return
        deed(self.studio, ADA, self.project, kept.id)
        kept.versions.append(replace(kept.line[target], deleted=False))
        kept.place = target

    def change(self, kept, version, content):
        asked = Change(f"r{next(self.names)}", self.project, kept.id, version, content.messages, content.status, content.tags)  # fmt: skip
        if version == len(kept.versions):
            writing.save(self.studio, ADA, asked)
            self.add(kept, replace(content, deleted=kept.now.deleted))
        else:
            with pytest.raises(ChangedMeanwhile):
                writing.save(self.studio, ADA, asked)
            kept.aside.append((version, replace(content, deleted=kept.now.deleted)))

    # The deeds

    @rule(text=texts)
    def write(self, text):
        content = Content(text)
        made = writing.save(
            self.studio, ADA, Change(f"r{next(self.names)}", self.project, "", 0, content.messages)
        )
        self.there.append(Kept(made.id, made.number, [content], line=[content]))

    @precondition(lambda self: self.there)
    @rule(pick=picks, text=texts, behind=st.integers(0, 2))
    def edit(self, pick, text, behind):
        kept = self.pick(pick)
        self.change(kept, max(1, len(kept.versions) - behind), replace(kept.now, text=text))

    @precondition(lambda self: self.there)
    @rule(pick=picks, version=picks)
    def return_to_any_version(self, pick, version):
        """As the page does it: the text of then is saved as the newest."""
        kept = self.pick(pick)
        steps = writing.history(self.studio, kept.id)[::-1]
        step = steps[version % len(steps)]
        content = Content(step.messages[0].content, kept.now.status, step.tags)
        self.change(kept, len(kept.versions), content)
        assert writing.read(self.studio, kept.id, self.project).messages == step.messages

    @precondition(lambda self: self.there)
    @rule(pick=picks, deleted=st.booleans())
    def move(self, pick, deleted):
        kept = self.pick(pick)
        deed = writing.delete if deleted else writing.restore
        deed(self.studio, ADA, self.project, kept.id)
        if kept.now.deleted != deleted:
            self.add(kept, replace(kept.now, deleted=deleted))

    @precondition(lambda self: self.there)
    @rule(pick=picks)
    def undo(self, pick):
        self.walk(pick, writing.undo, -1)

    @precondition(lambda self: self.there)
    @rule(pick=picks)
    def redo(self, pick):
        self.walk(pick, writing.redo, 1)

    @precondition(lambda self: self.there)
    @rule(
        choices=choices, what=st.sampled_from(("status", "tag", "deleted")), value=picks, back=st.booleans()
    )
    def mark(self, choices, what, value, back):
        value = {"status": STATUSES[value % 4], "tag": "ab"[value % 2], "deleted": bool(value % 2)}[what]
        deed = {"status": marking.set_status, "tag": marking.add_tag, "deleted": marking.set_deleted}[what]
        chosen = self.picked(choices)
        made = deed(self.studio, ADA, self.project, [each.id for each in chosen], value)
        changed = []
        for kept in chosen:
            wanted = {"tags": (*kept.now.tags, value)} if what == "tag" else {what: value}
            if (what == "tag" and value in kept.now.tags) or replace(kept.now, **wanted) == kept.now:
                continue
            self.add(kept, replace(kept.now, **wanted))
            changed.append(kept)
        assert made == [(each.id, len(each.versions)) for each in changed]
        if back and made:
            marking.take_back(self.studio, ADA, self.project, made)
            for kept in changed:
                self.add(kept, kept.versions[-2])

    @rule(found=st.lists(texts, min_size=1, max_size=3))
    def bring_in(self, found):
        path = self.home.temporary / "in.jsonl"
        path.write_text(
            "".join(json.dumps({"prompt": each, "completion": "On the boat."}) + "\n" for each in found)
        )
        told = importing.take(
            self.studio, ADA, self.project, importing.read_file(self.studio, self.project, path)
        )
        known = {each.now.text for each in self.there if not each.now.deleted}
        new = [each for each in dict.fromkeys(found) if each not in known]
        assert told.imported == len(new)
        rows = writing.page(self.studio, self.project, size=500).rows[: len(new)][::-1]
        for text, row in zip(new, rows, strict=True):
            content = Content(text, "ready")
            self.there.append(Kept(row.id, row.number, [content], line=[content]))

    @rule()
    def start_again(self):
        self.studio.database.close()
        self.open()

    # What holds after each of them

    @invariant()
    def every_state_is_in_the_history(self):
        for kept in self.there:
            steps = writing.history(self.studio, kept.id)[::-1]
            before = self.seen.get(kept.id, [])
            assert steps[: len(before)] == before
            self.seen[kept.id] = steps
            line = [each for each in steps if each.kind != "kept aside"]
            assert [each.version for each in line] == list(range(1, len(kept.versions) + 1))
            for step, content in zip(line, kept.versions, strict=True):
                assert (step.messages, step.status, step.tags) == (
                    content.messages,
                    content.status,
                    content.tags,
                )
            aside = [(each.version, each.messages) for each in steps if each.kind == "kept aside"]
            assert aside == [(version, content.messages) for version, content in kept.aside]

    @invariant()
    def the_newest_is_the_models(self):
        for kept in self.there:
            newest = writing.read(self.studio, kept.number, self.project)
            assert (newest.id, newest.version) == (kept.id, len(kept.versions))
            assert Content(newest.messages[0].content, newest.status, newest.tags, newest.deleted) == kept.now

    @invariant()
    def no_number_is_given_twice(self):
        assert [each.number for each in self.there] == list(range(1, len(self.there) + 1))

    @invariant()
    def list_and_search_agree(self):
        word = SOUGHT[next(self.names) % len(SOUGHT)]
        for binned in (False, True):
            listed = [each for each in reversed(self.there) if each.now.deleted == binned]
            self.shows(listed, binned=binned)
            self.shows([each for each in listed if "a" in each.now.tags], binned=binned, tag="a")
            self.shows([each for each in listed if each.now.status == "ready"], binned=binned, status="ready")
            found = [each for each in listed if is_found(word, f"{each.now.text}\nOn the boat.")]
            self.shows(found, binned=binned, search=word)

    def shows(self, listed, **asked):
        page = writing.page(self.studio, self.project, size=500, **asked)
        assert ([each.id for each in page.rows], page.total) == ([each.id for each in listed], len(listed))


def is_found(sought, text):
    """Each run of letters and digits must be there, one after the other within a word that is sought; the last need
    only be the beginning of one, from three letters on."""
    there, runs = words(text), [words(each) for each in sought.split()]
    if not any(runs):
        return False

    def stands(run, begins):
        return any(
            there[at : at + len(run) - 1] == run[:-1]
            and at + len(run) <= len(there)
            and (
                there[at + len(run) - 1].startswith(run[-1])
                if begins
                else there[at + len(run) - 1] == run[-1]
            )
            for at in range(len(there))
        )

    return all(stands(run, run is runs[-1] and len(run[-1]) >= 3) for run in runs if run)


def words(text):
    """How a person compares texts: case, width, accents and composition of letters do not matter."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[^\W_]+", "".join(each for each in apart if not unicodedata.combining(each)))


def steps(count):
    # Without shrinking: that takes minutes with a real database, and thirty steps can be read as they are.
    return settings(
        max_examples=count,
        stateful_step_count=30,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def test_any_history_is_that_of_the_model(length):
    run_state_machine_as_test(Histories, settings=steps(length(short=20, long=1_000)))


def test_a_history_that_is_written_over_would_be_found_out(monkeypatch):
    appended = stored.append

    def written_over(db, made, *more, **named):
        if made.version > 2:
            db.exec_driver_sql("UPDATE revisions SET messages = '[]' WHERE version = 1")
        appended(db, made, *more, **named)

    monkeypatch.setattr(stored, "append", written_over)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Histories, settings=steps(50))
