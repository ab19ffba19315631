"""Files that are broken as files: encodings, cuts, nesting, lengths, wrong names, quotes."""

from __future__ import annotations

import gzip
import json

from tests.bad_files.expected import GOOD, Bad, Corpus

ROW = {"prompt": GOOD[0], "completion": GOOD[1]}
LINE = json.dumps(ROW).encode()
OTHER = ("And now?", "Still there.")
LATER = json.dumps({"prompt": OTHER[0], "completion": OTHER[1]}).encode()
BOTH = (GOOD, OTHER)
HEAD = b"prompt,completion\n"
CELLS = b"Where is it?,On the boat.\n"
AFTER = b"And now?,Still there.\n"


def corpus() -> Corpus:
    yield from lines()
    yield from lists()
    yield from tables()
    yield from encodings()
    yield from others()


def lines() -> Corpus:
    """What stands in the place of one row of JSON Lines."""
    bad = {
        "cut in the middle": (LINE[:20], "is not JSON"), "two objects in a line": (LINE + LINE, "is not JSON"), "no quotes": (b"{prompt: 1}", "is not JSON"),
        "single quotes": (b"{'prompt': 'x'}", "is not JSON"), "comma at the end": (b'{"prompt": "x",}', "is not JSON"), "a comment": (b"// nothing", "is not JSON"),
        "nan": (b'{"prompt": NaN}', "NaN"), "infinity": (b'{"prompt": -Infinity}', "Infinity"), "python": (b"{'prompt': None}", "is not JSON"),
        "a list": (b"[1]", "not an object"), "a number": (b"12", "not an object"), "a text": (b'"x"', "not an object"), "null": (b"null", "not an object"),
        "true": (b"true", "not an object"), "nested deeply": (b"[" * 100_000, "nested too deeply"), "nested objects": (b'{"a":' * 50_000, "nested too deeply"),
        "digits without end": (b'{"prompt": ' + b"1" * 5000 + b"}", "is not JSON"), "the same name twice": (b'{"prompt": "a", "prompt": "b", "completion": "c"}', "twice"),
        "the same name twice inside": (b'{"prompt": [{"role": "user", "role": "system", "content": "x"}], "completion": "x"}', "twice"),
        "latin 1": (b'{"prompt": "caf\xe9", "completion": "x"}', "not UTF-8"), "overlong utf 8": (b'{"prompt": "\xc0\xaf"}', "not UTF-8"),
        "utf 8 cut": (b'{"prompt": "\xe2\x82"}', "not UTF-8"), "surrogates in utf 8": (b'{"prompt": "\xed\xa0\x80"}', "not UTF-8"), "beyond unicode": (b'{"prompt": "\xf5\x80\x80\x80"}', "not UTF-8"),
        "raw control sign": (b'{"prompt": "a\x01b", "completion": "x"}', "is not JSON"), "raw nul": (b'{"prompt": "a\x7fb"}', "no `completion`"), "bad escape": (b'{"prompt": "\\x41"}', "is not JSON"),
        "half an escape": (b'{"prompt": "\\u12"}', "is not JSON"), "only a brace": (b"{", "is not JSON"), "markup": (b"<html></html>", "is not JSON"), "no fields": (b"{}", "has no `prompt`"),
        "other fields": (b'{"question": "x"}', "has no `prompt`"), "field is null": (b'{"prompt": null, "completion": "x"}', "has no `prompt`"), "field is a number": (b'{"prompt": 5, "completion": "x"}', "is not a list"),
        "bom in the middle": (b"\xef\xbb\xbf" + LINE, "is not JSON"), "longer than ten megabytes": (b'{"prompt": "' + b"x" * 11_000_000 + b'"}', "longer than 10 MB"),
    }  # fmt: skip
    for name, (content, reason) in bad.items():
        yield Bad(f"line, {name}.jsonl", b"\n".join([LINE, content, LATER]), BOTH, ((2, reason),))
    yield Bad("line, empty ones between.jsonl", b"\n\n" + LINE + b"\n \n\r\n" + LATER + b"\n\n", BOTH)
    yield Bad("line, last one cut.jsonl", LINE + b"\n" + LATER[:-5], (GOOD,), ((2, "is not JSON"),))
    yield Bad("line, the same twice.jsonl", LINE + b"\n" + LINE, (GOOD,))
    yield Bad("line, a hundred megabytes.jsonl", LINE + b"\n" + b'{"prompt": "' + b"x" * 100 * 2**20 + b'"}\n' + LATER, BOTH, ((2, "longer than 10 MB"),))  # fmt: skip
    yield Bad(
        "line, mixed shapes.jsonl", LINE + b'\n{"messages": []}\n' + LATER, BOTH, ((2, "has no `prompt`"),)
    )


def lists() -> Corpus:
    """JSON lists: behind a mistake of grammar nobody knows what is a row, so the whole file is refused, with the row."""
    broken = {
        "cut in the second row": b"[" + LINE + b"," + LATER[:-6], "cut behind a comma": b"[" + LINE + b",", "cut behind a row": b"[" + LINE,
        "comma at the end": b"[" + LINE + b",]", "two commas": b"[" + LINE + b",," + LATER + b"]", "no commas": b"[" + LINE + LATER + b"]",
        "something behind it": b"[" + LINE + b"]x", "second list behind it": b"[" + LINE + b"][" + LATER + b"]", "brace in the wrong place": b"[" + LINE + b"}",
        "single quotes": b"[" + LINE + b",{'a': 1}]", "a comment": b"[" + LINE + b", /* x */ " + LATER + b"]", "a word": b"[" + LINE + b", undefined]",
        "raw control sign": b"[" + LINE + b', {"prompt": "a\x01"}]', "bad escape": b"[" + LINE + b', {"prompt": "\\q"}]', "colon missing": b"[" + LINE + b', {"prompt" "x"}]',
        "leading zeros": b"[" + LINE + b", 007]",
    }  # fmt: skip
    for name, content in broken.items():
        yield Bad(f"list, {name}.json", content, whole="is not JSON")
    yield Bad(
        "list, nested deeply.json", b"[" + LINE + b"," + b"[" * 100_000, whole="row 2 is nested too deeply"
    )
    yield Bad("list, nested from the start.json", b"[" * 100_000, whole="nested too deeply")
    yield Bad("list, a row of eleven megabytes.json", b"[" + LINE + b',{"prompt": "' + b"x" * 11_000_000 + b'"}]', whole="Row 2")  # fmt: skip
    yield Bad("list, latin 1.json", b"[" + LINE + b',{"prompt": "caf\xe9"}]', whole="not UTF-8")
    yield Bad("list, of nothing.json", b"[]", whole="no rows")
    yield Bad("list, of lists.json", b"[[[]]]", whole="not an object")
    yield Bad("list, of numbers.json", b"[1, 2]", whole="not an object")
    yield Bad("list, only spaces in it.json", b"[ \n ]", whole="no rows")
    rows = {"nan": (b'{"prompt": NaN}', "NaN"), "a number": (b"5", "not an object"), "null": (b"null", "not an object"), "a list": (b"[{}]", "not an object"),
            "digits without end": (b'{"prompt": ' + b"9" * 5000 + b"}", "thousands of digits"), "the same name twice": (b'{"prompt": "a", "prompt": "b"}', "twice"),
            "infinity inside": (b'{"prompt": "x", "completion": [Infinity]}', "Infinity")}  # fmt: skip
    for name, (content, reason) in rows.items():
        content = b"[" + b",\n".join([LINE, content, LATER]) + b"]"
        yield Bad(f"list, a row with {name}.json", content, BOTH, ((2, reason),))
    yield Bad("list, one object alone.json", json.dumps(ROW, indent=2).encode(), (GOOD,))
    yield Bad("list, objects one after another.json", json.dumps(ROW, indent=2).encode() + b"\n" + json.dumps(json.loads(LATER), indent=2).encode(), BOTH)  # fmt: skip
    yield Bad(
        "list, one object and a word.json", json.dumps(ROW, indent=2).encode() + b"\nx", whole="is not JSON"
    )


def tables() -> Corpus:
    kinds = {
        "quote that never ends": (b'a,"b\n' + AFTER, ((2, "quotes do not match"),), (GOOD,)), "quote inside a cell": (b'a,"b" c\n', ((2, "quotes do not match"),), (GOOD,)),
        "more cells than columns": (b"a,b,c\n" + AFTER, ((2, "3 cells"),), BOTH), "fewer cells than columns": (b"a\n" + AFTER, ((2, "has no `completion`"),), BOTH),
        "an empty answer": (b"a,\n" + AFTER, ((2, "Turn 2 is empty"),), BOTH), "an empty question": (b",b\n" + AFTER, ((2, "Turn 1 is empty"),), BOTH),
        "only separators": (b",\n" + AFTER, (), BOTH), "empty lines": (b"\n\n" + AFTER, (), BOTH), "a nul": (b"a\x7f,b\0\n" + AFTER, ((2, "control character"),), BOTH),
        "a cell of five megabytes": (b'"' + b"x" * 5_000_000 + b'",b\n' + AFTER, ((2, "longer than 4 MB"),), BOTH), "a lone carriage return": (b'"a\rb",c\n', (), (GOOD, ("a\rb", "c"))),
        "a row that was there": (CELLS, (), (GOOD,)), "a bell": (b"a\x07,b\n" + AFTER, ((2, "control character"),), BOTH),
    }  # fmt: skip
    for name, (content, refused, taken) in kinds.items():
        whole = "is not text" if b"\0" in content else ""
        left = {} if whole else {"taken": taken, "refused": refused}
        yield Bad(f"table, {name}.csv", HEAD + CELLS + content, whole=whole, **left)
    yield Bad("table, nothing but a header.csv", HEAD, whole="no rows")
    yield Bad("table, one column.csv", b"prompt\nx\n", whole="none of the known shapes")
    yield Bad("table, columns of no meaning.csv", b"x,y\n1,2\n", whole="none of the known shapes")
    yield Bad("table, two columns of one name.csv", b"prompt,prompt\na,b\n", whole="none of the known shapes")
    yield Bad(
        "table, header with an open quote.csv",
        b'"prompt,completion\n' + CELLS,
        whole="none of the known shapes",
    )
    yield Bad("table, cut at the end.csv", HEAD + CELLS + b"a", (GOOD,), ((2, "has no `completion`"),))
    yield Bad("table, latin 1.csv", HEAD + b"caf\xe9,x\n", whole="not UTF-8")
    yield Bad("table, latin 1 far down.csv", HEAD + CELLS * 5000 + b"caf\xe9,x\n", whole="not UTF-8")
    yield Bad("table, latin 1 in the header.csv", b"question,r\xe9ponse\nx,y\n", whole="not UTF-8")
    yield Bad(
        "table, tabs and a wrong name.csv", b"prompt\tcompletion\nWhere is it?\tOn the boat.\n", (GOOD,)
    )
    yield Bad("table, semicolons and commas.csv", b"prompt;completion\nWhere is it?;On the boat.\na,b\n", (GOOD,), ((2, "has no `completion`"),))  # fmt: skip
    yield Bad("table, turns that come apart.csv", b"conversation,role,content\n1,user,Where is it?\n1,assistant,On the boat.\n2,user,x\n1,user,y\n", (GOOD,), ((3, "not an answer"), (4, "further up")))  # fmt: skip
    yield Bad("table, turns of nobody.csv", b"conversation,role,content\n1,user,Where is it?\n1,assistant,On the boat.\n,user,x\n3,wizard,y\n", (GOOD,), ((3, "no `conversation`"), (4, "unknown role")))  # fmt: skip
    yield Bad(
        "table, ours with formulas.csv",
        b"studio_conversation,role,content\n1,user,'=1\n1,assistant,''x\n",
        (("=1", "'x"),),
    )
    yield Bad("table, not ours with an apostrophe.csv", HEAD + b"'=1,'x\n", (("'=1", "'x"),))


def encodings() -> Corpus:
    text = LINE.decode()
    for code, word in (("utf-16", "UTF-16"), ("utf-16-le", "is not text"), ("utf-16-be", "is not text"), ("utf-32", "UTF-16"), ("utf-32-be", "is not text")):  # fmt: skip
        yield Bad(f"encoding, {code}.jsonl", text.encode(code), whole=word)
    yield Bad("encoding, ebcdic.jsonl", text.encode("cp500"), whole="none of the known shapes")
    yield Bad(
        "encoding, utf-7.jsonl",
        '{"prompt": "ü", "completion": "x"}'.encode("utf-7"),
        (("+APw", "x"),),  # these are letters of UTF-8, too
    )
    yield Bad(
        "encoding, two byte order marks.jsonl",
        b"\xef\xbb\xbf\xef\xbb\xbf" + LINE,
        whole="none of the known shapes",
    )
    yield Bad("encoding, byte order mark.jsonl", b"\xef\xbb\xbf" + LINE, (GOOD,))
    yield Bad("encoding, shift jis.csv", HEAD + "質問,答え\n".encode("shift-jis"), whole="not UTF-8")
    yield Bad("encoding, gbk.csv", HEAD + "问题,回答\n".encode("gbk"), whole="not UTF-8")


def others() -> Corpus:
    plain = {
        "nothing.jsonl": (b"", "is empty"), "only spaces.json": (b" \n\t", "is empty"), "only a byte order mark.csv": (b"\xef\xbb\xbf", "is empty"),
        "a picture.json": (b"\x89PNG\r\n\x1a\n\0\0", "is not text"), "a program.csv": (b"\x7fELF\0\1", "is not text"), "a page.json": (b"<!doctype html><p>x", "none of the known shapes"),
        "a story.txt": (b"Once upon a time\nthere was", "none of the known shapes"), "gzip.jsonl": (gzip.compress(LINE), "is not text"), "a pdf.csv": (b"%PDF-1.7\n1 0 obj", "none of the known shapes"),
        "yaml.json": (b"- prompt: x\n  completion: y\n", "none of the known shapes"), "rtf.csv": (b"{\\rtf1 x}", "is not JSON"), "zeros.jsonl": (b"\0" * 1000, "is not text"),
        "xml.json": (b"<?xml version='1.0'?><x/>", "none of the known shapes"), "a word.json": (b"null", "none of the known shapes"), "a number.json": (b"42", "none of the known shapes"),
        "other fields.json": (b'[{"name": "Ada", "age": 36}]', "none of the known shapes"), "preferences.jsonl": (b'{"prompt": "x", "rejected": "y"}', "none of the known shapes"),
    }  # fmt: skip
    for name, (content, word) in plain.items():
        yield Bad(f"other, {name}", content, whole=word)
    task = {
        "id": 1,
        "data": {"text": GOOD[0]},
        "annotations": [
            {
                "result": [
                    {
                        "type": "textarea",
                        "from_name": "answer",
                        "to_name": "text",
                        "value": {"text": [GOOD[1]]},
                    }
                ]
            }
        ],
    }
    bad = {"nobody annotated": {**task, "annotations": []}, "skipped": {**task, "annotations": [{**task["annotations"][0], "was_cancelled": True}]}, "no data": {**task, "data": "x"},
           "annotations are a text": {**task, "annotations": "x"}, "two lists": {**task, "data": {"a": [{}], "b": [{}]}}, "an unknown speaker": {**task, "data": {"d": [{"author": "Bob", "text": "x"}]}}}  # fmt: skip
    reasons = ("Nobody", "Nobody", "`data`", "Nobody", "several lists", "Bob")
    for (name, each), reason in zip(bad.items(), reasons, strict=True):
        yield Bad(f"label studio, {name}.json", json.dumps([task, each]).encode(), (GOOD,), ((2, reason),))
    record = {"fields": {"prompt": GOOD[0]}, "responses": {"answer": [{"value": GOOD[1]}]}, "suggestions": {}}
    worse = {"fields are a text": ({**record, "fields": "x"}, "`fields`"), "no question": ({**record, "fields": {"a": 1}}, "neither"), "not answered": ({**record, "responses": {}}, "not an answer"),
             "responses are a number": ({**record, "responses": 5}, "not an answer"), "two answers": ({**record, "responses": {"answer": [{"value": "x"}], "response": [{"value": "y"}]}}, "several texts")}  # fmt: skip
    for name, (each, reason) in worse.items():
        yield Bad(f"argilla, {name}.json", json.dumps([record, each]).encode(), (GOOD,), ((2, reason),))
