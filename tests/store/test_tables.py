import json
import zipfile

import openpyxl
import pyarrow
import pytest
from pyarrow import parquet

from studio.core.errors import UnreadableFile
from studio.store import tables
from studio.store.files import read_rows


def rows_of(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(path))


def test_a_table_keeps_its_texts_as_they_stand(tmp_path):
    texts = ["NA", "null", " 007 ", "a\r\nb\rc\nd", 'say "x", please', "1e5", "\u2028"]
    cells = "".join(f'"{each.replace(chr(34), chr(34) * 2)}",y\r\n' for each in texts)

    rows = rows_of(tmp_path, "a.csv", f"prompt,completion\r\n{cells}")

    assert [row["prompt"] for _, row in rows] == texts


def test_quotes_that_do_not_match_are_told_and_swallow_nothing_silently(tmp_path):
    table = 'prompt,completion\na,b\nc,"d\ne,f\ng" h,i\nj,k\n'

    rows = rows_of(tmp_path, "a.csv", table)

    assert rows[0] == (1, {"prompt": "a", "completion": "b"})
    assert rows[1][1].startswith("This row is not one of a table")
    assert rows[2] == (3, {"prompt": "j", "completion": "k"})


def test_a_quote_that_never_ends_is_told(tmp_path):
    assert rows_of(tmp_path, "a.csv", 'prompt,completion\na,"b\nc,d\n')[0][1].startswith(
        "This row is not one of a table"
    )


def test_a_row_with_more_cells_than_columns_is_refused_and_blank_ones_are_left_out(tmp_path):
    rows = rows_of(tmp_path, "a.csv", "prompt,completion\na,b,c\n,\n\nd,e,\nf\n")

    assert [number for number, _ in rows] == [1, 4, 5]
    assert rows[0][1].startswith("This row has 3 cells and the header names 2.")
    assert [row for _, row in rows[1:]] == [{"prompt": "d", "completion": "e"}, {"prompt": "f"}]


def test_a_cell_may_be_as_long_as_a_text(tmp_path):
    assert (
        len(rows_of(tmp_path, "a.csv", f"prompt,completion\n{'x' * 900_000},y\n")[0][1]["prompt"]) == 900_000
    )


def test_a_workbook_is_read_from_its_first_sheet_as_texts(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for cells in (["Prompt", "Completion"], ["NA", "None"], [7, "a\nb"], [None, None], ["x", "#N/A"]):
        sheet.append(cells)
    book.save(tmp_path / "a.xlsx")

    rows = list(read_rows(tmp_path / "a.xlsx"))

    assert rows[:2] == [
        (1, {"prompt": "NA", "completion": "None"}),
        (2, {"prompt": "7", "completion": "a\nb"}),
    ]
    assert rows[2][0] == 4
    assert rows[2][1].startswith("A cell of this row holds an error of Excel's")


def test_a_broken_workbook_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<nothing")

    with pytest.raises(UnreadableFile, match="is a broken Excel workbook"):
        list(read_rows(tmp_path / "a.xlsx"))


def test_parquet_keeps_lists_of_turns_and_missing_values(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BATCH", 2)
    turns = [
        {"role": "user", "content": "NA\u2028", "weight": None},
        {"role": "assistant", "content": "", "weight": 0},
    ]
    parquet.write_table(pyarrow.table({"messages": [turns, None, turns]}), tmp_path / "a.parquet")

    assert list(read_rows(tmp_path / "a.parquet")) == [(1, {"messages": turns}), (2, {"messages": None}), (3, {"messages": turns})]  # fmt: skip


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jsonl", json.dumps({"prompt": "x"}))

    with pytest.raises(UnreadableFile, match="is an archive"):
        list(read_rows(tmp_path / "a.zip"))
