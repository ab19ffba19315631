from studio.core.encode import IGNORED, Encoded
from studio.engine.batches import pack, packs


def encoded(length, learned, first=10):
    ids = list(range(first, first + length))
    return Encoded(ids, [IGNORED] * (length - learned) + ids[length - learned :])


def test_no_token_predicts_across_the_border_of_two_conversations():
    row = pack([encoded(4, 2, first=10), encoded(3, 2, first=50)])

    assert row.targets.tolist() == [IGNORED, 12, 13, IGNORED, 51, 52, IGNORED]
    assert row.positions.tolist() == [[0, 1, 2, 3, 0, 1, 2]]
    assert (row.lengths, row.learned) == ((4, 3), 4)


def test_rows_hold_no_more_than_their_tokens_and_a_long_conversation_stands_alone():
    rows = packs([encoded(length, 1, first=100 * n) for n, length in enumerate([4, 4, 30, 4])], row=10)

    assert [each.lengths for each in rows] == [(4, 4), (30,), (4,)]


def test_rows_of_a_step_are_filled_evenly():
    """Two rows of 8 tokens take less memory than one of 12 and one of 4, and no more time."""
    rows = packs([encoded(4, 1, first=100 * n) for n in range(4)], row=13)

    assert [each.lengths for each in rows] == [(4, 4), (4, 4)]


def test_what_all_conversations_begin_with_stands_in_the_row_once():
    row = pack([Encoded([1, 2, 3, 4, 5], [IGNORED] * 4 + [5]), Encoded([1, 2, 3, 9], [IGNORED] * 3 + [9])])

    assert row.ids.tolist() == [[1, 2, 3, 4, 5, 3, 9]]
    assert row.positions.tolist() == [[0, 1, 2, 3, 4, 2, 3]]
    assert row.targets.tolist() == [IGNORED, IGNORED, IGNORED, 5, IGNORED, 9, IGNORED]
    assert (row.shared, row.lengths, row.tokens) == (2, (3, 2), 9)


def test_a_token_that_predicts_a_learned_one_is_shared_by_none():
    same = [Encoded([1, 2, 3, 4], [IGNORED, IGNORED, 3, 4])] * 2

    assert pack(same).shared == 1
    assert pack(same).learned == 4
