"""Templates: kept, used, named anew and let go, on a real database."""

import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.records import Message
from studio.work import templates, writing

TURNS = (Message("system", "Be kind."), Message("user", "I am [NAME]."), Message("assistant", "", weight=0))


@pytest.fixture
def project(studio):
    return writing.project(studio, "Harbour").id


def names(studio, project):
    return [each.name for each in templates.all_of(studio, project)]


def test_a_template_keeps_every_turn_as_it_was(studio, ada, project):
    made = templates.save(studio, ada, project, "  First \n call ", TURNS)

    assert templates.read(studio, project, made.id) == made
    assert (made.name, made.messages, made.by) == ("First call", TURNS, "Ada")


def test_saving_under_a_name_that_is_there_puts_the_new_text_in_its_place(studio, ada, ben, project):
    first = templates.save(studio, ada, project, "First call", TURNS)
    second = templates.save(studio, ben, project, "First call", TURNS[:2])

    assert second.id == first.id
    assert templates.all_of(studio, project) == [second]


def test_templates_belong_to_their_project(studio, ada, project):
    made = templates.save(studio, ada, project, "First call", TURNS)
    other = writing.project(studio, "Another").id

    assert names(studio, other) == []
    for deed in (templates.read, lambda *given: templates.delete(given[0], ada, *given[1:])):
        with pytest.raises(NotFound):
            deed(studio, other, made.id)


def test_a_template_is_named_anew_but_not_like_another(studio, ada, project):
    made = templates.save(studio, ada, project, "One", TURNS)
    templates.save(studio, ada, project, "two", TURNS)

    with pytest.raises(BadInput, match="already"):
        templates.rename(studio, ada, project, made.id, "two")
    templates.rename(studio, ada, project, made.id, "Zebra")

    assert names(studio, project) == ["two", "Zebra"]


def test_a_deleted_template_can_be_saved_again(studio, ada, project):
    made = templates.save(studio, ada, project, "One", TURNS)
    gone = templates.delete(studio, ada, project, made.id)
    assert names(studio, project) == []

    templates.save(studio, ada, project, gone.name, gone.messages)

    assert names(studio, project) == ["One"]


@pytest.mark.parametrize(
    ("name", "messages"),
    [(" ", TURNS), ("x" * 81, TURNS), ("a\ud800", TURNS), ("One", ()), ("One", (Message("user", " "),))],
)
def test_what_cannot_be_a_template_is_refused_with_a_sentence(studio, ada, project, name, messages):
    with pytest.raises(BadInput, match=r"\.$"):
        templates.save(studio, ada, project, name, messages)
    assert names(studio, project) == []


def test_there_are_not_more_templates_than_one_can_choose_from(studio, ada, project):
    for number in range(templates.MOST):
        templates.save(studio, ada, project, f"{number}", TURNS)
    with pytest.raises(BadInput, match="Delete one first"):
        templates.save(studio, ada, project, "one more", TURNS)
    templates.save(studio, ada, project, "7", TURNS[:2])
