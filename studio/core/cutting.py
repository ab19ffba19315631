"""Texts cut for measuring, in any script: into words, sentences, and pieces of so many words."""

from __future__ import annotations

import re
import unicodedata

from studio.core.words import SIGNED, UNSPACED

LETTER = rf"(?:[^\W_{UNSPACED}]|[{SIGNED}]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f])"
# "don't" and "l'eau" are one word each. Scripts without spaces have no words that could be seen without a dictionary:
# two characters are taken for one, which is about what a word of Chinese has.
WORD = re.compile(rf"[{UNSPACED}]{{1,2}}|{LETTER}+(?:['’]{LETTER}+)*")
UNIT = re.compile(
    rf"[{UNSPACED}]{{1,2}}[^\w\s{UNSPACED}]*|[^\s{UNSPACED}]+"
)  # a word with the signs at its ends
# A full stop within a number or an address ends nothing; those of Chinese and Japanese need no space after them.
END = re.compile(r"(?:[.!?…؟۔।॥։።]+[\"'”’»)\]]*(?=\s|$))|[。！？｡]+[」』”’）]*|\n+")
MARKER = re.compile(r"\s*(?:[-*•–+]|\d{1,3}[.)])\s")  # what begins a row of a list


def words(text: str) -> list[str]:
    """The words of a text in small letters, signs left out."""
    return WORD.findall(unicodedata.normalize("NFC", text).casefold())


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text that have a word in them; the mark that begins a row of a list is no sentence."""
    found, start = [], 0
    for match in END.finditer(text):
        if MARKER.fullmatch(text[start : match.end()] + " "):
            continue  # "1." at the beginning of a row
        found.append(text[start : match.end()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return [each for each in found if WORD.search(each)]


def length(text: str) -> int:
    """How many words a text has, with the signs at their ends; signs that stand alone count, too."""
    return sum(1 for _ in UNIT.finditer(text))


def pieces(text: str, size: int, most: int) -> list[str]:
    """Pieces of `size` words each, as they stand in the text, at most `most` of them, evenly spread over it.

    What is left over at the end is left out; a text that is shorter than one piece is one by itself.
    """
    places = [match.span() for match in UNIT.finditer(text)]
    whole = [places[at : at + size] for at in range(0, max(len(places) - size, 0) + 1, size)]
    chosen = [whole[at * len(whole) // min(len(whole), most)] for at in range(min(len(whole), most))]
    return [text[each[0][0] : each[-1][1]] for each in chosen if each]
