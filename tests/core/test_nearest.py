import random
from dataclasses import replace

import numpy as np
import pytest

from studio.core import nearest as module
from studio.core.nearest import Index, Nearest, asked, features, nearest
from studio.core.records import Conversation, Message


def conversation(*questions):
    messages = [
        turn for each in questions for turn in (Message("user", each), Message("assistant", "The same."))
    ]
    return Conversation(questions[0], "p", 1, 1, tuple(messages), "approved", (), "", "", "")


LAMP, PARCEL, INVOICE = (
    conversation("My lamp hums loudly"),
    conversation("Where is my parcel?"),
    conversation("The invoice names the wrong address", "And the wrong street"),
)
ALL = [LAMP, PARCEL, INVOICE]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("why does the lamp hum, my lamp hums", LAMP),
        ("Parcels never arrive", PARCEL),  # another form of the word
        ("my adress is wrong", INVOICE),  # a slip of the pen
        ("street", INVOICE),  # said in a later turn
    ],
)
def test_the_nearest_ask_most_alike_by_words_and_their_pieces(question, wanted):
    assert nearest(question, ALL, 1) == [wanted]


def test_a_rare_word_weighs_more_than_one_that_all_have():
    many = [conversation(f"my order {n} please") for n in range(9)]
    rare = conversation("kettle")

    assert nearest("my order for a kettle please", [*many, rare], 10)[0] == rare


def test_as_many_as_wanted_come_in_the_order_given_where_nothing_is_alike():
    assert nearest("zzz", ALL, 2) == ALL[:2]
    assert nearest("zzz", ALL, 9) == ALL
    assert nearest("lamp", ALL, 0) == nearest("lamp", [], 3) == []


@pytest.mark.parametrize("odd", ["", "?!", "x", "🙂", "parcel " * 50_000])
def test_texts_without_words_and_endless_ones_are_no_trouble(odd):
    found = nearest(odd, [conversation(odd or " "), *ALL], 4)

    assert len(found) == 4
    assert nearest("lamp", [conversation(odd or " "), *ALL], 1) == [LAMP]


def test_only_what_the_user_says_is_compared():
    assert asked(INVOICE.messages) == "The invoice names the wrong address\nAnd the wrong street"
    assert Index.of([features("a b")]).nearest(features("a b"), 5) == [0]


def test_likeness_is_the_cosine_of_tf_idf_counted_one_by_one():
    drawn = random.Random(0)
    texts = [
        " ".join(drawn.choices(["lamp", "lamps", "parcel", "where", "hum", "late"], k=9)) for _ in range(40)
    ]
    found = [features(text) for text in texts]
    rarity = Index.of(found).rarity

    def vector(text):
        filled = np.zeros(module.BINS)
        bins, often = features(text)
        filled[bins] = often * rarity[bins]
        return filled / np.linalg.norm(filled)

    for question in texts[:5]:
        likeness = np.array([vector(question) @ vector(text) for text in texts])
        assert list(likeness[Index.of(found).nearest(features(question), 40)]) == pytest.approx(
            sorted(likeness, reverse=True)
        )


def test_kept_conversations_are_chosen_from_as_if_they_had_just_been_read():
    kept = Nearest.of(ALL)

    assert kept.ids("my adress is wrong", 2)[0] == INVOICE.id
    assert kept.ids("zzz", 9) == [each.id for each in ALL]
    assert Nearest.of([]).ids("lamp", 3) == []


def test_only_what_has_another_version_is_read_anew(monkeypatch):
    kept = Nearest.of(ALL)
    changed = replace(LAMP, version=2, messages=(Message("user", "The kettle leaks"),))
    read = []
    monkeypatch.setattr(module, "features", lambda text: read.append(text) or features(text))

    newer = Nearest.of([changed, INVOICE], kept)

    assert read == ["The kettle leaks"]
    assert newer.ids("kettle", 5) == [LAMP.id, INVOICE.id]
    assert kept.ids("lamp hums", 1) == [LAMP.id]  # the old one is as it was
