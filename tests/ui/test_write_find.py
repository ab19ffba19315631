import pytest
from made import talk, write

from studio.core.errors import BadInput
from studio.ui import write_find
from studio.work import writing


@pytest.fixture
def project(studio):
    return writing.project(studio, "harbour").id


def test_a_row_says_in_pieces_where_the_searched_words_stand(studio, ada, project):
    write(
        studio,
        ada,
        project,
        talk("Where is my Päckchen?", "On its way."),
        (*talk(), *talk("And the <b>boat</b>?")),
    )

    (row,) = write_find.on_page(studio, ada, {"project": project, "search": "packch"})["rows"]
    assert row["marked"]["question"] == ["Where is my ", "Päckch", "en?"]
    (row,) = write_find.on_page(studio, ada, {"project": project, "search": "boat"})["rows"]
    assert row["marked"]["answer"] == ["And the <b>", "boat", "</b>?"]  # from a later turn
    assert "marked" not in write_find.on_page(studio, ada, {"project": project})["rows"][0]


@pytest.mark.parametrize(
    "given",
    [{"sort": "number; DROP"}, {"length": "huge"}, {"finding": "x"}, {"status": "done"}, {"at": "x"}, {"way": "up"},
     {"search": "\ud800"}, {"search": "x" * 2000}, {"tag": "x" * 101}, {"person": "\x00"}, {"imported": "\x00"}],
)  # fmt: skip
def test_nothing_that_a_page_sends_is_taken_on_trust(studio, ada, project, given):
    with pytest.raises(BadInput):
        write_find.on_page(studio, ada, {"project": project, **given})


def test_what_can_be_chosen_is_what_there_is(studio, ada, ben, project):
    write(studio, ada, project, talk())
    assert write_find.on_choices(studio, ada, {"project": project})["person"] == []
    write(studio, ben, project, talk("Another?"))

    choices = write_find.on_choices(studio, ada, {"project": project})

    assert choices["person"] == [["Ada", "Ada"], ["Ben", "Ben"]]
    assert [each[0] for each in choices["finding"]] == [
        "any",
        "structure",
        "draft",
        "placeholder",
        "control token",
    ]
    for name in ("length", "finding", "sort"):
        for value, _ in choices[name]:
            write_find.on_page(studio, ada, {"project": project, name: value})
