from studio.core.prompt import assemble, fitting
from studio.core.records import Message


def test_examples_stand_before_the_history_with_the_nearest_last():
    near, far = (Message("user", "near"),), (Message("user", "far"),)
    said = assemble("Be kind.", [near, far], (Message("user", "before"),), "now")

    assert [each.content for each in said] == ["Be kind.", "far", "near", "before", "now"]


def test_no_system_turn_is_made_of_an_empty_system_text():
    assert assemble("  ", [], (), "now") == (Message("user", "now"),)


def test_the_farthest_examples_go_first_when_room_is_short():
    shots = [(Message("user", "near"),), (Message("user", "far"),)]

    assert fitting(shots, lambda kept: 10 * len(kept), budget=15) == shots[:1]
    assert fitting(shots, lambda kept: 10 * len(kept) + 20, budget=15) == []
