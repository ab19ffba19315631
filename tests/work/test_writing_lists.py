from uuid import uuid4

import pytest

from studio.core.errors import BadInput, NotFound
from studio.core.records import Change, Message
from studio.work import writing


@pytest.fixture
def project(studio):
    return writing.project(studio, "harbour")


def talk(question="Where is it?", answer="On the boat."):
    return (Message("user", question), Message("assistant", answer))


def change(project, question="Where is it?", of=None, **fields):
    made_from = {"conversation": of.id, "version": of.version} if of else {"conversation": "", "version": 0}
    return Change(
        **{"request": uuid4().hex, "project": project.id, **made_from, "messages": talk(question), **fields}
    )


def test_a_conversation_is_read_by_id_or_number_of_its_own_project_only(studio, ada, project):
    saved = writing.save(studio, ada, change(project))
    other = writing.project(studio, "other")

    for key in (saved.id, 1, "1", "0001"):
        assert writing.read(studio, key, project.id) == saved
    for key, place in (
        (2, project),
        (saved.id, other),
        (1, other),
        ("none", project),
        (10**30, project),
        ("", project),
    ):
        with pytest.raises(NotFound):
            writing.read(studio, key, place.id)
    with pytest.raises(BadInput):
        writing.read(studio, "\ud800", project.id)


def test_pages_show_the_newest_first_and_say_where_they_are(studio, ada, project):
    for number in range(1, 8):
        writing.save(studio, ada, change(project, f"question {number}"))

    shown = {first: writing.page(studio, project.id, first=first, size=3) for first in (1, 4, 7, 8, 99, 0)}

    assert {first: (page.first, [each.number for each in page.rows]) for first, page in shown.items()} == {
        1: (1, [7, 6, 5]),
        4: (4, [4, 3, 2]),
        7: (7, [1]),
        8: (7, [1]),  # rows went away since the page was turned
        99: (7, [1]),
        0: (1, [7, 6, 5]),
    }
    assert {page.total for page in shown.values()} == {7}


def test_a_row_shows_the_first_question_and_answer_on_a_line_each(studio, ada, project):
    messages = (
        Message("system", "Be brief."),
        *talk("Where\nis  it?", "On\tthe boat."),
        *talk("And now?", "In port."),
    )
    saved = writing.save(studio, ada, change(project, messages=messages, tags=("a",)))

    (shown,) = writing.page(studio, project.id).rows

    assert (shown.id, shown.number, shown.question, shown.answer) == (
        saved.id,
        1,
        "Where is it?",
        "On the boat.",
    )
    assert (shown.status, shown.tags, shown.turns) == ("draft", ("a",), 4)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", [1, 2, 3, 4]),
        ("PARCEL", [1]),
        ("100%", [2]),
        ("%", []),  # no word
        ("name", [3]),
        ("arger", [4]),
        ("parc", [1]),
        ("arcel", []),
        ("boat my", [1]),
        ('"boat my"', []),
        ('"the boat"', [1]),
        ('say "x"', [3]),
        ("äRGER", [4]),
        ("a\nb", [4]),
        ("role", []),
        ("user", []),
        ("x' OR 1=1 --", []),
    ],
)
def test_a_search_finds_texts_as_they_are_read(studio, ada, project, search, found):
    for question, answer in (
        ("My parcel", "On the boat."),
        ("off", "100% off"),
        ("file_name", 'c:/dir say "x"'),
        ("Ärger", "a\nb"),
    ):
        writing.save(studio, ada, change(project, messages=talk(question, answer)))

    assert sorted(each.number for each in writing.page(studio, project.id, search=search).rows) == found


def test_lists_can_be_of_one_status(studio, ada, project):
    for status in ("draft", "approved", "approved"):
        writing.save(studio, ada, change(project, status=status))

    assert writing.page(studio, project.id, status="approved").total == 2
    assert [each.number for each in writing.all_conversations(studio, project.id, "approved")] == [2, 3]
    for ask in (writing.page, writing.all_conversations):
        with pytest.raises(BadInput, match="There is no status named"):
            ask(studio, project.id, status="done")


def test_tags_are_known_by_use_and_found_whole(studio, ada, project):
    for number, tags in enumerate((("refund", 'a "b"'), ("refund",), ("late refund",), ())):
        writing.save(studio, ada, change(project, f"question {number}", tags=tags))
    binned = writing.save(studio, ada, change(project, "binned", tags=("gone",)))
    writing.delete(studio, ada, project.id, binned.id)

    assert writing.tags(studio, project.id) == ["refund", 'a "b"', "late refund"]
    wanted = {"refund": 2, 'a "b"': 1, "b": 0, "re%d": 0, "gone": 0}
    assert {tag: writing.page(studio, project.id, tag=tag).total for tag in wanted} == wanted
