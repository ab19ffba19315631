from hypothesis import assume, given
from hypothesis import strategies as st

from studio.core.split import fraction, held_out

IDS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), unique=True, max_size=60)


@given(IDS)
def test_something_is_held_out_and_something_left_to_learn(ids):
    apart = held_out(ids)

    assert apart <= set(ids)
    assert (0 < len(apart) < len(ids)) if len(ids) > 1 else not apart


@given(IDS, IDS)
def test_no_conversation_changes_sides_as_a_set_grows(ids, more):
    share = 0.5
    small, large = set(ids), {*ids, *more}
    assume(usual(small, share) and usual(large, share))  # else one side was filled by an exception

    assert held_out(sorted(large), share) & small == held_out(sorted(small), share)


def usual(ids, share):
    below = sum(fraction(each) < share for each in ids)
    return 0 < below < len(ids)


def test_about_the_share_is_held_out_of_a_large_set():
    apart = held_out([str(number) for number in range(10_000)], 0.12)

    assert 0.11 < len(apart) / 10_000 < 0.13


def test_the_split_of_known_ids_is_what_it_always_was():
    # A change of the hash would let conversations be learned that were measured on before.
    apart = held_out([f"conversation {number}" for number in range(20)], 0.5)

    assert apart == {f"conversation {number}" for number in (4, 9, 10, 12, 15, 17)}


def test_where_no_hash_is_small_the_smallest_is_held_out():
    ids = [str(number) for number in range(9)]

    assert held_out(ids, 0.0) == {min(ids, key=fraction)}


def test_where_all_hashes_are_small_the_largest_is_learned():
    ids = [str(number) for number in range(9)]

    assert set(ids) - held_out(ids, 1.0) == {max(ids, key=fraction)}
