import json
import resource

import pytest

from studio.core.errors import BadInput, DoesNotFit, UnreadableFile
from studio.store import files, scanning
from studio.store.files import read_rows, write_lines

ROW = {"prompt": "Where is it?", "completion": "On the boat."}


def rows_of(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(path))


def refusal(folder, name, content):
    with pytest.raises(UnreadableFile) as refused:
        rows_of(folder, name, content)
    return str(refused.value)


LINE = json.dumps(ROW)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", f"{LINE}\n"),
        ("no line end.jsonl", LINE),
        ("dos.jsonl", f"{LINE}\r\n"),
        ("bom.jsonl", b"\xef\xbb\xbf" + LINE.encode()),
        ("lines.json", f"{LINE}\n\n"),
        ("no suffix", LINE),
        ("list.json", f" [{LINE}]"),
        ("list.jsonl", json.dumps([ROW], indent=2)),
        ("bom.json", b"\xef\xbb\xbf" + json.dumps([ROW]).encode()),
        ("one.json", json.dumps(ROW, indent=2)),
        ("a.csv", "prompt,completion\nWhere is it?,On the boat.\n"),
        ("excel.csv", b"\xef\xbb\xbf Prompt ;COMPLETION\r\nWhere is it?;On the boat.\r\n"),
        ("a.tsv", "prompt\tcompletion\nWhere is it?\tOn the boat.\n"),
        ("a.txt", '"prompt","completion"\n"Where is it?","On the boat."\n\n'),
    ],
)
def test_a_file_is_known_by_what_is_in_it(tmp_path, name, content):
    assert rows_of(tmp_path, name, content) == [(1, ROW)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n\n", "is empty"),
        (b"\x7fELF\x00\x00\x01", "is not text"),
        (b"\xff\xfe[\x00]\x00", "is in UTF-16"),
        (b"PK\x03\x04 and no more", "is a broken archive"),
        (b"PAR1 and no more PAR1", "is a broken Parquet file"),
        (b"Once upon a time\nthere was", "has none of the known shapes"),
        (b"name,age\nAda,36\n", "has none of the known shapes"),
        (b"\xc2\xa0", "has none of the known shapes"),
        (b'[{"prompt": "\xff"}]', "is not UTF-8: byte 14 is none of its characters"),
        (b'[{"prompt": "x"},\n]', "is not JSON: Expecting value in line 2, character 1"),
        (b"[" * 100_000, "nested too deeply"),
        (b"prompt,completion\nx,\xe9\n", "is not UTF-8. Save it as"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(tmp_path, content, said):
    sentence = refusal(tmp_path, "some file", content)

    assert sentence.startswith("some file ")
    assert said in sentence
    assert sentence.endswith(".")
    assert sentence.count(".") >= 2  # what is wrong, and the next step


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    for path, said in (
        (tmp_path, "is a folder"),
        (tmp_path / "none", "No such file"),
        (tmp_path / "a\0b", "cannot be opened"),
    ):
        with pytest.raises(UnreadableFile, match=said):
            list(read_rows(path))


def test_a_file_over_two_gigabytes_is_refused_unread(tmp_path):
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.write(LINE.encode())
        file.truncate(files.LARGEST + 1)  # a hole: it takes no room on the disk

    with pytest.raises(UnreadableFile, match="the limit is 2 GB"):
        list(read_rows(path))


def test_a_row_of_a_json_list_that_would_fill_the_memory_is_refused(tmp_path):
    path = tmp_path / "large.json"
    path.write_bytes(b'[{"prompt": "x"}, {"prompt": "' + b"x" * 2 * scanning.LONGEST + b'"}]')

    read = read_rows(path)
    assert next(read) == (1, {"prompt": "x"})
    with pytest.raises(UnreadableFile, match="is longer than 10 MB"):
        next(read)


def test_bad_rows_of_jsonl_come_as_reasons_in_their_place(tmp_path):
    bad = [
        b'{"prompt": NaN}',
        b'{"prompt": "\xff"}',
        b"{",
        b"[1]",
        b'"text"',
        b'{"prompt": ' + b"[" * 100_000,
    ]

    rows = rows_of(tmp_path, "a.jsonl", b"\n".join([LINE.encode(), b"", *bad, LINE.encode()]))

    assert rows[0] == (1, ROW)
    assert rows[-1] == (9, ROW)
    assert [number for number, _ in rows[1:-1]] == [3, 4, 5, 6, 7, 8]
    assert [reason for _, reason in rows[1:-1]] == [
        "This row is not JSON: NaN is not a number that JSON knows.",
        "This row is not UTF-8: byte 13 is none of its characters.",
        "This row is not JSON: Expecting property name enclosed in double quotes at character 2.",
        "This row is not an object with fields.",
        "This row is not an object with fields.",
        "This row is not JSON: it is nested too deeply.",
    ]


def test_a_bad_first_row_does_not_make_lines_into_something_else(tmp_path):
    rows = rows_of(tmp_path, "a.json", f'{{"prompt": NaN}}\n{LINE}')

    assert [number for number, _ in rows] == [1, 2]
    assert rows[1] == (2, ROW)


def test_records_of_jsonl_end_at_line_feeds_only(tmp_path):
    row = {"prompt": "a\u2028b\u2029c", "completion": "d\u0085e"}

    assert rows_of(tmp_path, "a.jsonl", json.dumps(row, ensure_ascii=False)) == [(1, row)]


def test_a_line_of_fifty_megabytes_is_refused_without_being_held(tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.write(LINE.encode() + b'\n{"prompt": "')
        for _ in range(50):
            file.write(b"x" * 2**20)
        file.write(b'"}\n' + LINE.encode())

    read = iter(read_rows(path))
    most = memory_of(lambda: [next(read), next(read), next(read)])

    assert [(number, isinstance(row, str)) for number, row in most.result] == [
        (1, False),
        (2, True),
        (3, False),
    ]
    assert most.result[1][1] == "This row is longer than 10 MB. Shorten or split it."
    assert most.bytes < 45 * 2**20


class memory_of:
    """What a call returned, and the most memory that Python held during it."""

    def __init__(self, call):
        import tracemalloc

        tracemalloc.start()
        self.result = call()
        self.bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


def test_what_is_odd_in_a_json_list_refuses_its_row_alone(tmp_path):
    digits = "1" * 10_000
    rows = rows_of(
        tmp_path,
        "a.json",
        f'[{LINE}, {{"prompt": Infinity}}, 5, {LINE}, [{digits}], {{"a": {{"b": 1, "b": 2}}}}]',
    )

    assert rows == [
        (1, ROW),
        (2, "This row holds NaN or Infinity, which JSON does not know."),
        (3, "This row is not an object with fields."),
        (4, ROW),
        (5, "This row holds a number of thousands of digits."),
        (6, "This row is not clear: `b` stands in it twice."),
    ]


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("old")

    with path.open() as reader:
        assert write_lines(path, iter([b"a\n", b"b\n"])) == 2
        assert reader.read() == "old"  # replaced, not written over

    assert path.read_bytes() == b"a\nb\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_half(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("old")

    with room_for(10_000), pytest.raises(DoesNotFit, match="could not be written"):
        write_lines(path, (b"x" * 1000 for _ in range(100)))

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


class room_for:
    """Let no file of this process grow beyond `size` bytes: writing then fails as it does on a full disk."""

    def __init__(self, size):
        self.size = size

    def __enter__(self):
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.before[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


def test_a_place_that_takes_no_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="is not a file"):
        write_lines(tmp_path, [b"x"])
    with pytest.raises(DoesNotFit, match="No such file or directory"):
        write_lines(tmp_path / "none" / "out.jsonl", [b"x"])
