"""How long the choice of the nearest examples takes: python run_studio.py bench nearest.

Conversations are made of the words of the studio's own examples, as often as they stand there; the user says 8 to 60 words
in one to three turns. Each question is one of theirs with a word put in, and must find its own. The peer is scikit-learn's
tf-idf over words and pieces of four characters with a sparse product, kept as well.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

ASSETS = Path(__file__).parents[2] / "assets"
GOALS = {10_000: 50, 100_000: 200}  # conversations -> milliseconds a question
ASKED, K = 40, 4


def run() -> dict[str, Any]:
    rows = [row for count in GOALS for row in timed(count)]
    return {"what": f"the {K} nearest of many conversations, {ASKED} questions", "rows": rows}


def timed(count: int) -> list[dict[str, Any]]:
    from studio.core.nearest import Nearest, asked

    many = conversations(count)
    begun = time.perf_counter()
    kept = Nearest.of(many)
    built = time.perf_counter() - begun
    begun = time.perf_counter()
    Nearest.of(many, kept)
    again = time.perf_counter() - begun
    drawn = random.Random(1).sample(many, ASKED)
    questions = [(each.id, f"please {asked(each.messages)}") for each in drawn]
    ours = milliseconds(questions, lambda question: kept.ids(question, K))
    peer = milliseconds(questions, sklearns(many))
    named = f"of {count:,}"
    return [
        row(f"ms a question, median, {named}", ours[0], peer[0], GOALS[count]),
        row(f"ms a question, 95 of 100, {named}", ours[1], peer[1], GOALS[count]),
        row(f"s to build, {named}", built),
        row(f"s to build again when a few have changed, {named}", again),
    ]


def conversations(count: int) -> list[Any]:
    from studio.core.records import Conversation, Message

    drawn, words = random.Random(0), spoken()

    def messages() -> tuple[Message, ...]:
        turns = range(drawn.randint(1, 3))
        size = drawn.randint(8, 60) // len(turns) + 1
        said = [" ".join(drawn.choices(words, k=size)) for _ in turns]
        return tuple(turn for each in said for turn in (Message("user", each), Message("assistant", "So it is.")))  # fmt: skip

    return [
        Conversation(str(n), "p", n, 1, messages(), "approved", (), "", "", "") for n in range(1, count + 1)
    ]


def spoken() -> list[str]:
    lines = [
        line
        for name in ("general.jsonl", "starter_examples.jsonl")
        for line in (ASSETS / name).open(encoding="utf-8")
    ]
    return [word for line in lines for each in json.loads(line)["messages"] for word in each["content"].split()]  # fmt: skip


def milliseconds(
    questions: Sequence[tuple[str, str]], choose: Callable[[str], list[str]]
) -> tuple[float, float]:
    """The median and the 95th of 100."""
    taken = []
    for id, question in questions:
        begun = time.perf_counter()
        found = choose(question)
        taken.append(1000 * (time.perf_counter() - begun))
        if found[0] != id:
            raise RuntimeError(f"The question of conversation {id} found {found}.")
    cut = quantiles(taken, n=20)
    return cut[9], cut[18]


def sklearns(many: Sequence[Any]) -> Callable[[str], list[str]]:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    from studio.core.nearest import asked

    ways = make_union(TfidfVectorizer(), TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4)))
    kept = ways.fit_transform([asked(each.messages) for each in many]).tocsr()

    def choose(question: str) -> list[str]:
        likeness = (kept @ ways.transform([question]).T).toarray().ravel()
        return [many[at].id for at in np.argsort(-likeness)[:K]]

    return choose


def row(what: str, ours: float, peer: float | None = None, goal: float | None = None) -> dict[str, Any]:
    found = {"what": what, "ours": round(ours, 2), "peer": peer and round(peer, 2), "ratio": peer and round(peer / ours, 2)}  # fmt: skip
    return found | ({"goal": goal, "met": ours < goal} if goal else {})
