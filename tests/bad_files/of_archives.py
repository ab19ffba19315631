"""Workbooks and Parquet files: broken, swollen, with formulas, macros and links, or of something else."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable

from tests.bad_files.expected import GOOD, Bad, Corpus

HEAD = ["prompt", "completion"]
OTHER = ("And now?", "Still there.")
LAUGHS = "<!DOCTYPE l [<!ENTITY a 'ha'>" + "".join(f"<!ENTITY {new} '{f'&{old};' * 10}'>" for old, new in zip("abcdefgh", "bcdefghi", strict=True)) + "]>"  # fmt: skip


def corpus() -> Corpus:
    yield from workbooks()
    yield from archives()
    yield from parquets()


def book(*rows: list[object], change: Callable[[object], None] | None = None) -> bytes:
    import openpyxl

    made = openpyxl.Workbook()
    for each in rows:
        made.active.append(each)
    if change:
        change(made)
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def with_member(content: bytes, name: str, value: bytes | None) -> bytes:
    """The archive with a member of another content, or without it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            if each != name:
                new.writestr(each, old.read(each))
        if value is not None:
            new.writestr(name, value)
    return out.getvalue()


def workbooks() -> Corpus:
    plain = book(HEAD, list(GOOD), list(OTHER))
    sheet, both = "xl/worksheets/sheet1.xml", (GOOD, OTHER)
    xml = zipfile.ZipFile(io.BytesIO(plain)).read(sheet)
    broken = {
        "cut in half": plain[: len(plain) // 2], "without its end": plain[:-30], "only its first bytes": plain[:10],
        "a sheet that is no xml": with_member(plain, sheet, b"<nothing"), "a sheet cut": with_member(plain, sheet, xml[: len(xml) // 2]),
        "no sheet": with_member(plain, sheet, None), "no list of sheets": with_member(plain, "xl/_rels/workbook.xml.rels", None),
        "a workbook that is no xml": with_member(plain, "xl/workbook.xml", b"\0"), "types missing": with_member(plain, "[Content_Types].xml", None),
        "a million laughs": with_member(plain, sheet, LAUGHS.encode() + b"<worksheet>&i;</worksheet>"),
        "one byte wrong": plain[:-2000] + bytes([plain[-2000] ^ 255]) + plain[-1999:],
    }  # fmt: skip
    for name, content in broken.items():
        yield Bad(f"workbook, {name}.xlsx", content, whole="broken")
    yield Bad("workbook, wrong ending.csv", plain, both)
    yield Bad(
        "workbook, macros.xlsx", with_member(plain, "xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" * 100), both
    )
    yield Bad("workbook, links to elsewhere.xlsx", with_member(plain, "xl/externalLinks/externalLink1.xml", b"<externalLink/>"), both)  # fmt: skip
    yield Bad("workbook, a name that leads out.xlsx", with_member(plain, "../../evil.txt", b"x"), both)
    yield Bad("workbook, formulas never computed.xlsx", book(HEAD, list(GOOD), ["=1+1", "x"], list(OTHER)), both, ((2, "Turn 1 is empty"),))  # fmt: skip
    yield Bad("workbook, errors.xlsx", book(HEAD, list(GOOD), ["x", "#N/A"], list(OTHER)), both, ((2, "error of Excel"),))  # fmt: skip
    yield Bad(
        "workbook, numbers and dates.xlsx", book(HEAD, [7, 1.5], [True, "x"]), (("7", "1.5"), ("TRUE", "x"))
    )
    yield Bad("workbook, empty rows between.xlsx", book(HEAD, [], list(GOOD), [None, " "], list(OTHER)), both)
    yield Bad("workbook, nothing in it.xlsx", book(), whole="no rows")
    yield Bad("workbook, only a header.xlsx", book(HEAD), whole="no rows")
    yield Bad("workbook, other columns.xlsx", book(["x", "y"], [1, 2]), whole="none of the known shapes")
    yield Bad("workbook, a size that is not true.xlsx", with_member(plain, sheet, xml.replace(b'ref="A1:B3"', b'ref="A1:XFD1048576"')), both)  # fmt: skip
    yield Bad("workbook, escaped control sign.xlsx", book(HEAD, list(GOOD), ["a_x0000_b", "x"], list(OTHER)), both, ((2, "control character"),))  # fmt: skip
    yield Bad("workbook, escaped line end.xlsx", book(HEAD, ["a_x000D_b", "x"]), (("a\rb", "x"),))
    swollen = io.BytesIO()
    with zipfile.ZipFile(swollen, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/sharedStrings.xml", "w") as member:
            for _ in range(60):
                member.write(b" " * 2**20)
    yield Bad("workbook, a bomb of texts.xlsx", swollen.getvalue(), whole="MB of texts")
    # The size that the archive's list claims for its member, in both of its places.
    claimed = plain.replace(struct.pack("<L", len(xml)), struct.pack("<L", 2**31 + 5))
    yield Bad("workbook, a size of two gigabytes.xlsx", claimed, whole="2 GB")


def archives() -> Corpus:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.jsonl", json.dumps({"prompt": "x", "completion": "y"}))
    yield Bad("archive, of json lines.zip", inner.getvalue(), whole="is an archive")
    yield Bad("archive, called a workbook.xlsx", inner.getvalue(), whole="is an archive")
    yield Bad("archive, empty.xlsx", b"PK\x05\x06" + b"\0" * 18, whole="is not text")
    yield Bad(
        "archive, old workbook.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, whole="is not text"
    )
    for name in ("document.docx", "slides.pptx", "sheet.ods"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("content.xml", "<x/>")
        yield Bad(f"archive, {name}", out.getvalue(), whole="is an archive")


def parquet_of(**columns: object) -> bytes:
    import pyarrow
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def parquets() -> Corpus:
    both = {"prompt": [GOOD[0], OTHER[0]], "completion": [GOOD[1], OTHER[1]]}
    plain = parquet_of(**both)
    footer = struct.unpack("<L", plain[-8:-4])[0]
    broken = {
        "cut in half": plain[: len(plain) // 2], "without its footer": plain[: -footer - 8] + plain[-8:], "a footer too long": plain[:-8] + struct.pack("<L", 2**31 - 1) + b"PAR1",
        "a footer of nothing": plain[:-8] + struct.pack("<L", 0) + b"PAR1", "a footer of noise": plain[: -footer - 8] + b"\xff" * footer + plain[-8:], "only its name": b"PAR1",
        "its name twice": b"PAR1PAR1", "a wrong end": plain[:-4] + b"PAR2", "encrypted": plain[:-4] + b"PARE", "pages of noise": plain[:4] + b"\xff" * (len(plain) - footer - 12) + plain[-footer - 8 :],
    }  # fmt: skip
    for name, content in broken.items():
        yield Bad(f"parquet, {name}.parquet", content, whole="broken Parquet")
    yield Bad("parquet, wrong ending.csv", plain, (GOOD, OTHER))
    yield Bad("parquet, no rows.parquet", parquet_of(prompt=[], completion=[]), whole="no rows")
    yield Bad(
        "parquet, numbers.parquet", parquet_of(prompt=[1], completion=[2]), refused=((1, "is not a list"),)
    )
    yield Bad("parquet, missing values.parquet", parquet_of(prompt=[GOOD[0], None], completion=[GOOD[1], "x"]), (GOOD,), ((2, "has no `prompt`"),))  # fmt: skip
    yield Bad(
        "parquet, bytes.parquet",
        parquet_of(prompt=[b"\xff"], completion=["x"]),
        refused=((1, "is not a list"),),
    )
    yield Bad(
        "parquet, other columns.parquet", parquet_of(x=["a"], y=["b"]), whole="none of the known shapes"
    )
    turns = [{"role": "user", "content": GOOD[0]}, {"role": "assistant", "content": GOOD[1]}]
    yield Bad("parquet, lists of turns.parquet", parquet_of(messages=[turns, turns[:1], None]), (GOOD,), ((2, "not an answer"), (3, "has no `messages`")))  # fmt: skip
