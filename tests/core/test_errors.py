import errno

import pytest

from studio.core.errors import BadInput, DoesNotFit, NoAccess, foreseen


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (errno.ENOSPC, DoesNotFit, "The disk is full. Free some space, then try again."),
        (errno.EDQUOT, DoesNotFit, "The disk is full. Free some space, then try again."),
        (errno.EACCES, NoAccess, "/home/ada/runs cannot be read or written (no). Check who owns it"),
        (errno.EROFS, NoAccess, "whether its disk may be written to, then try again."),
    ],
)
def test_what_a_disk_refuses_is_a_sentence_with_the_next_step(code, kind, said):
    found = foreseen(OSError(code, "no", "/home/ada/runs"))

    assert type(found) is kind
    assert said in str(found)


def test_what_was_foreseen_stays_and_what_nobody_foresaw_is_none():
    error = BadInput("Row 3 has no question.")

    assert foreseen(error) is error
    assert foreseen(KeyError("x")) is None
    assert foreseen(FileNotFoundError(errno.ENOENT, "x")) is None
