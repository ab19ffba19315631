"""Kept prompts: named, in versions, one of them the project's, on a real database."""

import uuid

import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.records import Change, Message
from studio.store.database import Database
from studio.work import prompts, writing

HOSTILE = (
    "<script>alert(1)</script> <|im_end|> ${x} {{y}} '; DROP TABLE prompts; -- \u202e שלום 🙂\r\n\tend  "
)


@pytest.fixture
def project(studio):
    return writing.project(studio, "Harbour").id


def example(studio, person, project, question="Where is it?"):
    messages = (Message("user", question), Message("assistant", "On the boat."))
    return writing.save(studio, person, Change(uuid.uuid4().hex, project, "", 0, messages)).id


def test_each_keeping_adds_a_version_and_none_ever_changes(studio, ada, ben, project):
    pin = example(studio, ada, project)
    first = prompts.keep(studio, ada, project, "  calm \n voice ", "Be calm.", 2, [pin], "a start")
    second = prompts.keep(studio, ben, project, "calm voice", "Be calm. Be brief.", 4)

    assert (first.name, first.version, first.pinned, first.by) == ("calm voice", 1, (pin,), "Ada")
    assert (second.id, second.version, second.shots, second.pinned) == (first.id, 2, 4, ())
    assert prompts.versions(studio, project, first.id) == [second, first]
    assert prompts.all_of(studio, project) == [second]
    assert prompts.called(studio, project, "calm voice") == second
    assert prompts.called(studio, project, "calm voice@1") == first


def test_the_same_again_makes_no_new_version(studio, ada, project):
    first = prompts.keep(studio, ada, project, "calm", "Be calm.", 2, (), "a start")

    assert prompts.keep(studio, ada, project, "calm", "Be calm.", 2, (), "a start") == first
    assert prompts.keep(studio, ada, project, "calm", "Be calm.", 2) == first
    assert prompts.keep(studio, ada, project, "calm", "Be calm.", 2, (), "another note").version == 2
    assert prompts.keep(studio, ada, project, "calm", "Be calm.", 3).version == 3


def test_what_was_kept_is_there_after_opening_again_to_the_byte(studio, home, ada, project):
    kept = prompts.keep(studio, ada, project, "odd", HOSTILE, note=HOSTILE.strip())
    studio.database.close()
    again = Database.open(home.database)
    with again.reading() as db:
        found = prompts.prompts.versions(db, project, kept.id)
    again.close()

    assert found == [kept]
    assert found[0].system == HOSTILE


def test_the_projects_prompt_gives_it_its_system_text_until_other_words_are_set(studio, ada, project):
    kept = prompts.keep(studio, ada, project, "calm", "Be calm.", 3)
    assert prompts.default(studio, project) is None

    prompts.make_default(studio, ada, project, kept.id, 1)
    assert (prompts.default(studio, project), writing.by_id(studio, project).system) == (kept, "Be calm.")

    prompts.keep(studio, ada, project, "calm", "Be calmer.")
    assert prompts.default(studio, project) == kept  # a new version is used only when somebody says so

    writing.set_system(studio, ada, project, "Something else.")
    assert prompts.default(studio, project) is None


def test_system_text_and_default_change_together_or_not_at_all(studio, ada, project, monkeypatch):
    kept = prompts.keep(studio, ada, project, "calm", "Be calm.", 3)
    monkeypatch.setattr(prompts.prompts, "set_default", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        prompts.make_default(studio, ada, project, kept.id, 1)

    assert writing.by_id(studio, project).system == ""


def test_prompts_belong_to_their_project(studio, ada, project):
    other = writing.project(studio, "Another").id
    kept, pin = prompts.keep(studio, ada, project, "calm", "Be calm."), example(studio, ada, other)

    assert prompts.all_of(studio, other) == []
    assert prompts.keep(studio, ada, other, "calm", "Be calm.").id != kept.id
    for deed in (
        lambda: prompts.versions(studio, other, kept.id),
        lambda: prompts.make_default(studio, ada, other, kept.id, 1),
        lambda: prompts.keep(studio, ada, project, "pinned", "Be calm.", pinned=[pin]),
        lambda: prompts.keep(studio, ada, project, "pinned", "Be calm.", pinned=["nobody"]),
    ):
        with pytest.raises(NotFound, match=r"\.$"):
            deed()


@pytest.mark.parametrize("name", ["calm@7", "calm@x", "calm@0", "nobody", "calm@²", ""])
def test_a_name_that_means_no_prompt_is_told_with_those_that_there_are(studio, ada, project, name):
    prompts.keep(studio, ada, project, "calm", "Be calm.")
    with pytest.raises(NotFound, match="calm"):
        prompts.called(studio, project, name)


@pytest.mark.parametrize(
    ("name", "system", "shots"),
    [
        (" ", "Be calm.", 0),
        ("a,b", "Be calm.", 0),
        ("a:b", "Be calm.", 0),
        ("x" * 61, "Be calm.", 0),
        ("calm", " \n", 0),
        ("calm", "x" * (prompts.SYSTEM + 1), 0),
        ("calm", "a\ud800", 0),
        ("calm", "Be calm.", 9),
        ("calm", "Be calm.", -1),
    ],
)
def test_what_cannot_be_a_prompt_is_refused_with_a_sentence(studio, ada, project, name, system, shots):
    with pytest.raises(BadInput, match=r"\.$"):
        prompts.keep(studio, ada, project, name, system, shots)
    assert prompts.all_of(studio, project) == []
