"""Excel writes what XML cannot hold in letters, and the letters of that in letters again."""

import openpyxl

from studio.store.files import read_rows


def test_what_excel_escapes_is_read_as_it_was_typed(tmp_path):
    book = openpyxl.Workbook()
    for cells in (["prompt", "completion"], ["one_x000D_\ntwo", "_x005F_x000D_ and _x0 and A_x_B"]):
        book.active.append(cells)
    book.save(tmp_path / "a.xlsx")

    assert list(read_rows(tmp_path / "a.xlsx")) == [
        (1, {"prompt": "one\r\ntwo", "completion": "_x000D_ and _x0 and A_x_B"})
    ]
