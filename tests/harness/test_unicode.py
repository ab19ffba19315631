"""Any text that Python can hold comes through import, edit and export to the byte, or is refused with a reason."""

import json
import random
from itertools import count
from unicodedata import normalize

import pytest

from studio.core import formats
from studio.core.errors import BadInput
from studio.core.records import Change, Message, Wanted
from studio.work import importing, writing

ENDS = ("\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\v", "\f", "\x1c", "\x1d", "\x1e")
BLANK = (" ", "\t", "\u00a0", "\u200b", "\u3000", "\ufeff", "")
ODD = ('"', "\\", "\\u0041", "\\n", "</script>", "{}", "\ufffd", "\ufffe", "\uffff", "🏳️‍🌈", "e\u0301", "\u1112\u1161\u11ab", "ﬁ", "İ", "ß")  # fmt: skip
RANGES = (
    (0x20, 0x7E),
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0xA0, 0x2FF),
    (0x300, 0x36F),  # marks that stand over the letter before them
    (0x200B, 0x200F),
    (0x202A, 0x202E),  # which way to read
    (0x2066, 0x2069),
    (0xD800, 0xDFFF),  # halves of characters
    (0xE000, 0xF8FF),
    (0x0, 0xFFFF),
    (0x10000, 0x1FFFF),
    (0x20000, 0x3FFFF),
    (0xE0000, 0xE01EF),
    (0xF0000, 0x10FFFF),
)
TURNS = 200  # of the conversations that are edited

pytestmark = pytest.mark.timeout(3600)


def generated(chance):
    """One text: mostly of one or two ranges, with line ends and blanks of all kinds within it and around it."""
    common = (0x20, 0x7E), (0xA0, 0x2FF), chance.choice(RANGES)
    parts = [chance.choice(BLANK)]
    for _ in range(chance.randrange(1, 12)):
        kind = chance.random()
        parts.append(chance.choice(ENDS if kind < 0.06 else ODD) if kind < 0.15 else chr(chance.randint(*chance.choice(common))))  # fmt: skip
    parts.append(chance.choice((*BLANK, *ENDS)))
    # Two halves that meet are one character, in escapes too.
    return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def unkept(text):
    """Whether a text is one of those that are refused: half of a character, or a control that is no white space."""
    return any((ord(each) < 32 and each not in "\t\n\r") or 0xD800 <= ord(each) < 0xE000 for each in text)


def imported(studio, ada, project, path, texts):
    """Which texts came in, by their places; each other one was refused in its own row, with a reason."""
    chance = random.Random(len(texts))
    with path.open("wb") as file:
        for place, text in enumerate(texts):
            said = [{"role": "user", "content": text}, {"role": "assistant", "content": f"answer {place}"}]
            # As it is or in escapes: half of a character can only be written so.
            escaped = unkept(text) or chance.random() < 0.5
            file.write(json.dumps({"messages": said}, ensure_ascii=escaped).encode() + b"\n")
    reading = importing.read_file(studio, project, path)
    refused = {row - 1: reason for row, reason in reading.rejected}
    for place, reason in refused.items():
        assert reason.startswith("Turn 1 "), reason
        assert unkept(texts[place]) or not texts[place].strip(), (texts[place], reason)
    importing.take(studio, ada, project, reading)
    return [place for place in range(len(texts)) if place not in refused]


def exported(studio, project):
    """Each conversation's texts, as the file has them."""
    path = studio.home.temporary / "out.jsonl"
    writing.export_file(studio, Wanted(project), path)
    for line in path.read_bytes().split(b"\n")[:-1]:
        yield [each["content"] for each in json.loads(line)["messages"]]


def changed(studio, project, texts, there):
    """The texts that came in and did not go out as they were."""
    out = list(exported(studio, project))
    assert [answer for _, answer in out] == [f"answer {place}" for place in there]
    return [text for (text, _), place in zip(out, there, strict=True) if text != texts[place]]


def test_every_text_comes_back_as_it_was_or_is_refused_with_a_reason(studio, ada, tmp_path, length):
    chance = random.Random(0)
    texts = [generated(chance) for _ in range(length(short=100_000, long=1_000_000))]
    project = writing.project(studio, "imported").id
    there = imported(studio, ada, project, tmp_path / "texts.jsonl", texts)

    assert changed(studio, project, texts, there) == []
    assert sum(map(unkept, texts)) > len(texts) // 50
    assert len(there) > len(texts) // 2

    edited = writing.project(studio, "edited").id
    requests = map(str, count())
    good = [text for text in texts if not unkept(text)]
    for start in range(0, len(good), TURNS):
        turns = good[start : start + TURNS]
        first = Change(next(requests), edited, "", 0, (Message("user", "first"),))
        made = writing.save(studio, ada, first)
        saved = writing.save(studio, ada, Change(next(requests), edited, made.id, 1, tuple(Message("user", each) for each in turns)))  # fmt: skip
        assert [each.content for each in writing.read(studio, saved.id, edited).messages] == turns
    assert [each for turns in exported(studio, edited) for each in turns] == good


def test_a_text_that_cannot_be_kept_is_refused_when_it_is_saved(studio, ada, length):
    chance = random.Random(1)
    project = writing.project(studio, "edited").id
    bad = [
        text
        for text in (generated(chance) for _ in range(length(short=100_000, long=1_000_000)))
        if unkept(text)
    ]
    for text in bad:
        with pytest.raises(BadInput, match=r"Turn 2 holds .* at .*Delete it there"):
            writing.save(
                studio, ada, Change("r", project, "", 0, (Message("user", "x"), Message("user", text)))
            )
    assert writing.count(studio, project) == 0


@pytest.mark.parametrize("harmless", [lambda text: normalize("NFC", text), str.strip, lambda text: "\n".join(text.splitlines())])  # fmt: skip
def test_what_looks_harmless_to_a_text_would_be_found_out(studio, ada, tmp_path, monkeypatch, harmless):
    turn = formats.as_entry

    def touched(message):
        return {**turn(message), "content": harmless(message.content)}

    chance = random.Random(2)
    texts = [generated(chance) for _ in range(500)]
    project = writing.project(studio, "imported").id
    there = imported(studio, ada, project, tmp_path / "texts.jsonl", texts)
    monkeypatch.setattr(formats, "as_entry", touched)

    assert changed(studio, project, texts, there) != []
