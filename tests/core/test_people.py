import pytest

from studio.core.errors import BadInput
from studio.core.people import LONGEST, named


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Ada", "Ada"), ("  Ada   Lovelace ", "Ada Lovelace"), ("Ame\u0301lie", "Amélie"), ("李雷", "李雷"), ("מרים", "מרים"),
     ("x" * LONGEST, "x" * LONGEST), ("<b>Ada</b>", "<b>Ada</b>")],
)  # fmt: skip
def test_a_name_has_one_form_however_it_was_typed(typed, name):
    assert named(typed).name == name


@pytest.mark.parametrize(
    "odd", ["", "  ", "a\x00b", "a\x1bb", "a\x85\x9fb", "a\u202eb", "\u200bAda", "a\ud800", "a\ue000", "x" * (LONGEST + 1), None, 5]
)  # fmt: skip
def test_what_cannot_be_read_as_a_name_is_refused(odd):
    with pytest.raises(BadInput):
        named(odd)
