import pytest

from studio.core import columns
from studio.core.columns import Columns, guess, guess_from, tags_of


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["Question", "Answer"], ("Question", "Answer")),
        (["id", "Kundenfrage", "Unsere Antwort"], ("Kundenfrage", "Unsere Antwort")),
        (["Réponse", "Demande du client"], ("Demande du client", "Réponse")),
        (["pregunta_1", "RESPUESTA"], ("pregunta_1", "RESPUESTA")),
        (["user_input", "assistant_reply"], ("user_input", "assistant_reply")),
        (["x", "y"], ("", "")),
    ],
)
def test_columns_are_known_by_their_names_in_four_languages(names, found):
    guessed = guess(names)

    assert (guessed.question, guessed.answer) == found


def test_a_table_by_turn_is_known_and_a_question_and_an_answer_go_before_it():
    turns = guess(["Conversation ID", "Speaker", "Text", "Tags", "Note"])
    assert turns == Columns(
        conversation="Conversation ID", role="Speaker", content="Text", tags="Tags", note="Note"
    )

    assert guess(["thread", "role", "text", "question", "answer"]).by_turn is False


def test_columns_without_a_known_name_are_told_from_what_is_in_them():
    rows = [
        {"a": str(n), "b": f"Where is {n}? Please say.", "c": f"It is on the boat, number {n}."}
        for n in range(9)
    ]

    guessed = guess_from(["a", "b", "c"], rows)

    assert (guessed.question, guessed.answer) == ("b", "c")
    assert not guess_from(["a", "x"], [{"a": "1", "x": "2"}]).complete


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("late, parcel", ("late", "parcel")),
        ("late; late ;", ("late",)),
        ('["a, b"]', ("a, b",)),
        (["a", " b  c "], ("a", "b c")),
        ("", ()),
        ("[1]", None),
        ("[broken", None),
        (5, None),
    ],
)
def test_tags_are_words_or_a_list(cell, tags):
    assert tags_of(cell) == tags


def test_turns_of_a_conversation_are_gathered_and_what_is_lost_of_it_refuses_it():
    by = Columns(conversation="c", role="r", content="t")
    rows = [
        (1, {"c": "1", "r": "User", "t": "x"}),
        (2, {"c": "1", "r": "assistant", "t": "y"}),
        (3, {"c": "2", "r": "user", "t": "x"}),
        (4, "broken"),
        (5, {"c": "2", "r": "assistant", "t": "y"}),
        (6, {"c": "1", "r": "user", "t": "z"}),
    ]

    found = dict(columns.gathered(rows, by))

    assert list(found) == [1, 4, 3, 6]
    assert [(each["role"], each["content"]) for each in found[1]["messages"]] == [
        ("user", "x"),
        ("assistant", "y"),
    ]
    assert found[3] == "Row 4, which may be a turn of it, cannot be used."
    assert found[6] == "The conversation “1” has rows further up already. Sort the table by `c`."
