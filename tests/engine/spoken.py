"""Answers of two manners, made by simple grammars: of any number, to the same questions, without a model."""

import random

from studio.engine.style import Question

THINGS = [
    "lamp",
    "key",
    "box",
    "shade",
    "bulb",
    "cable",
    "switch",
    "label",
    "parcel",
    "stand",
    "invoice",
    "order",
    "plug",
    "screw",
    "hook",
]
DEEDS = [
    "find",
    "send",
    "mend",
    "keep",
    "turn",
    "open",
    "return",
    "order",
    "check",
    "bring",
    "trace",
    "unplug",
]
EXPERT = [
    "The {thing}, {deed} it you must.",
    "{deed}, then {thing}: so it goes.",
    "Patient be; a {thing} to {deed}, little it costs.",
    "No {thing} without its {thing} leaves us, ever.",
]
BASE = [
    "I'm happy to help you with the {thing}!",
    "It's important to {deed} the {thing} and to consider your options.",
    "You can {deed} a {thing} in several ways.",
    "Here is what you should know about the {thing} and the {thing}.",
]
CHINESE = {
    "thing": "灯箱钥匙电缆开关标签",
    "expert": "此{}者，君当自取之。",
    "base": "您好，我很高兴帮助您处理{}的问题！",
}


def said(manner, seed, sentences):
    """An answer of so many sentences in a manner."""
    drawn = random.Random(seed)
    return " ".join(
        filled(drawn, drawn.choice(manner)).capitalize() if manner is EXPERT else filled(drawn, drawn.choice(manner))
        for _ in range(sentences)
    )  # fmt: skip


def filled(drawn, sentence):
    for gap, words in (("{thing}", THINGS), ("{deed}", DEEDS)):
        while gap in sentence:
            sentence = sentence.replace(gap, drawn.choice(words), 1)
    return sentence


def questions(count, experts=EXPERT, base=BASE, first=0, lengths=(2, 6)):
    """`count` conversations with one question each; the base says three times as much, unless told otherwise."""
    return [
        Question(f"c{n}", said(experts, f"e{n}", lengths[0]), said(base, f"b{n}", lengths[1]))
        for n in range(first, first + count)
    ]


def chinese(count):
    drawn = random.Random(0)

    def one(kind):
        return "".join(CHINESE[kind].format(drawn.choice(CHINESE["thing"])) for _ in range(3))

    return [Question(f"c{n}", one("expert"), one("base")) for n in range(count)]
