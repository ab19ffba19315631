import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.words import Phrase, asked, excerpt, indexed, marked, placed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Where is it?", "where is it"),
        ("ＡＢ Straße", "ab strasse"),
        ("東京都", "東京 京都 都"),
        ("iPhone15を買う", "iphone15 を買 買う う"),
        ("車", "車"),
        ("한국어", "한국 국어 어"),
        ("हिन्दी में", "हिन्दी में"),
        ("שָׁלוֹם", "שלום"),
        ("50 %, e-mail_1", "50 e mail 1"),
        ("— …", ""),
    ],
)
def test_a_text_is_cut_into_words(text, words):
    # What is plain ASCII is cut by the index itself.
    assert " ".join(word for word, _, _ in placed(text)) == words
    assert indexed(text + " —").split() == words.split()


@given(st.text(st.characters(exclude_categories=["Cs", "So", "Sk", "Lm", "No", "Nl"]), max_size=40))
def test_a_text_is_cut_alike_for_the_index_and_for_marking(text):
    assert indexed(text + " —").split() == [word for word, _, _ in placed(text)]


@pytest.mark.parametrize(
    ("search", "phrases"),
    [
        ("late parc", [Phrase(("late",)), Phrase(("parc",), True)]),
        ("PÄ", [Phrase(("pa",))]),  # two letters begin half of all words
        ('"late parcel"', [Phrase(("late", "parcel"))]),
        ('my "late parcel" now', [Phrase(("my",)), Phrase(("late", "parcel")), Phrase(("now",), True)]),
        ('"late parc', [Phrase(("late", "parc"), True)]),
        ("e-mail", [Phrase(("e", "mail"), True)]),
        ("東京都", [Phrase(("東京", "京都"))]),
        ("車", [Phrase(("車",), True)]),
        ("% _ *", []),
    ],
)
def test_what_a_person_asks_for_is_phrases(search, phrases):
    assert list(asked(search)) == phrases


def test_what_was_searched_for_is_marked_where_it_stands_in_the_text_as_it_came():
    assert marked("Mein PÄCKCHEN ist weg", asked("packch")) == ["Mein ", "PÄCKCH", "EN ist weg"]
    assert marked("明日、東京都に届く", asked("東京")) == ["明日、", "東京", "都に届く"]
    assert marked("a late, late parcel", asked('"late parcel"')) == ["a late, ", "late parcel", ""]
    assert marked("nothing here", asked("parcel")) == ["nothing here"]
    assert "".join(marked("<b>\u202e ﬁne ﬁnal", asked("fin"))) == "<b>\u202e ﬁne ﬁnal"


def test_an_excerpt_begins_shortly_before_the_place():
    text = "word " * 100 + "the parcel came\nlate " + "word " * 100

    found = excerpt(text, asked("parcel"))

    assert found.startswith("… ")
    assert "the parcel came late word" in found
    assert len(found) <= 202
    assert excerpt(text, asked("zebra")) == ""
