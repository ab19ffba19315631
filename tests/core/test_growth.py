"""How votes grow sure."""

from dataclasses import replace

from test_tallies import voted

from studio.core import shares
from studio.core.growth import MOST, growth
from studio.core.judging import tallies


def cast(count):
    """A run that wins two of three; every fifth is a tie."""
    rounds = [voted(str(n), "base", "run:7", "tie" if n % 5 == 4 else "left" if n % 3 == 0 else "right") for n in range(count)]  # fmt: skip
    return [replace(each, voted_at=f"{n:06}") for n, each in enumerate(rounds)]


def test_each_stand_is_what_the_votes_until_then_come_to():
    rounds = cast(20)
    stands = growth(list(reversed(rounds)))  # by when they were cast, not by when they were asked

    assert [each.clear for each in stands][:5] == [1, 2, 3, 4, 4]
    last = tallies(rounds)[0]
    assert stands[-1].share == last.share
    assert stands[-1].lasting == shares.lasting(last.b_wins, last.a_wins)
    assert all(each.lasting.low <= each.share.low + 1e-9 for each in stands)
    assert all(each.lasting.high >= each.share.high - 1e-9 for each in stands)


def test_many_votes_make_few_points_and_the_last_is_the_whole():
    stands = growth(cast(1000))
    assert len(stands) <= 2 * MOST
    assert stands[-1].clear == tallies(cast(1000))[0].clear
    assert growth([]) == []
