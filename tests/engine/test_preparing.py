from studio.core.encode import Encoded
from studio.engine.preparing import Data


def of(*lengths):
    return [Encoded([7] * each, [7] * each) for each in lengths]


def test_the_usual_conversation_is_that_of_a_token_and_the_longest_is_only_met_sometimes():
    data = Data(own=of(100, 100), held_out=of(900), general=of(200), gauge=of(50), left_out=0)

    assert data.usual == (100**2 + 100**2 + 200**2) / 400
    assert data.longest == 900
