"""Is the style score right? The experts' answers of a file against the starter's own: python run_studio.py bench style.

The conversations are those of STUDIO_BENCH_DATA, else the starter examples. The base answers each of their turns, drawn at
STUDIO_BENCH_TEMPERATURE (0: the likeliest words) and up to STUDIO_BENCH_TOKENS (80) long; that takes some minutes, the rest
seconds. A fifth of the conversations is held out. What each row should be stands beside it as its goal.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

CHECKOUT = Path(__file__).parents[2]
NEW = int(os.environ.get("STUDIO_BENCH_TOKENS", "80"))
TEMPERATURE = float(os.environ.get("STUDIO_BENCH_TEMPERATURE", "0"))
AT_ONCE = 24
HELD_OUT = 5  # every so many-th conversation
SPLITS = 20
SHOWN = 10  # questions with both answers and their scores, to read


def run() -> dict[str, Any]:
    begun = time.perf_counter()
    answered = questions()
    seconds = time.perf_counter() - begun
    return {
        "what": f"{len(answered)} answers of the experts and of the starter, {seconds:.0f} s to answer",
        **measured(answered),
    }


def questions() -> list[Any]:
    """Every turn that the experts answered, with the base's own answer to it."""
    from studio.core.records import Sampling
    from studio.engine import starter
    from studio.engine.api import Ask
    from studio.engine.local import LocalEngine
    from studio.engine.style import Question
    from tests.bench.training import talks

    models = user_cache_path("sft-studio-tests") / "models"
    starter.ensure(models, lambda done, total: None)
    file = os.environ.get("STUDIO_BENCH_DATA", str(CHECKOUT / "assets" / "starter_examples.jsonl"))
    turns = [
        (str(number), talk[:at], each.content)
        for number, talk in enumerate(talks.of(Path(file)))
        for at, each in enumerate(talk)
        if each.role == "assistant"
    ]
    asks = [
        Ask(before, None, Sampling(NEW, TEMPERATURE, seed=seed)) for seed, (_, before, _) in enumerate(turns)
    ]
    answers = dict(LocalEngine(models).answer_all("starter", asks, AT_ONCE, lambda: False))
    return [Question(number, expert, answers[at].text) for at, (number, _, expert) in enumerate(turns)]


def measured(answered: Sequence[Any]) -> dict[str, Any]:
    """The rows, from questions with both answers."""
    from studio.engine import style

    learned = [each for each in answered if int(each.conversation) % HELD_OUT]
    held_out = [each for each in answered if not int(each.conversation) % HELD_OUT]
    begun = time.process_time()
    judge = style.learn(learned)
    own = judge.score(held_out, [each.expert for each in held_out], [False] * len(held_out))
    seconds = time.process_time() - begun
    everything = style.learn(answered)
    rows = [
        row("AUC, experts against the base", everything.auc, "0.95 or more", everything.auc.value >= 0.95),
        row("P(expert) of the experts' held-out answers", own.experts),
        row("P(expert) of the base's held-out answers", own.base),
        *halved(answered),
        *controls(judge, learned, held_out),
        row("CPU seconds to learn and to score", seconds, "below 2", seconds < 2),
    ]
    shown = [
        {"P(expert)": round(chance, 2), "expert": each.expert, "base": each.base}
        for each, chance in zip(held_out, own.each, strict=True)
    ]
    return {"rows": rows, "answers": shown[:SHOWN]}


def halved(answered: Sequence[Any]) -> list[dict[str, Any]]:
    """Two random halves of the experts' conversations, and of the base's answers, as if one half were another's."""
    from studio.engine import style

    rows = []
    for who in ("expert", "base"):
        judges = [style.learn(halves(answered, who, seed)) for seed in range(SPLITS)]
        inside = sum(each.auc.low <= 0.5 <= each.auc.high for each in judges)
        scored = sum(not each.why_not for each in judges)
        rows += [
            row(f"halves of the {who}'s answers: 0.5 inside the interval, of {SPLITS}", inside, "18 or more", inside >= 18),
            row(f"halves of the {who}'s answers: a score was given, of {SPLITS}", scored, "0", not scored),
        ]  # fmt: skip
    return rows


def halves(answered: Sequence[Any], who: str, seed: int) -> list[Any]:
    """Conversations in pairs: the answers of one stand as the experts', those of the other as the base's."""
    from studio.engine.style import Question

    by: dict[str, list[str]] = {}
    for each in answered:
        by.setdefault(each.conversation, []).append(getattr(each, who))
    mixed = list(by.values())
    random.Random(seed).shuffle(mixed)
    pairs = zip(mixed[::2], mixed[1::2], strict=False)
    return [
        Question(str(number), one, two)
        for number, pair in enumerate(pairs)
        for one, two in zip(*pair, strict=False)
    ]


def controls(judge: Any, learned: Sequence[Any], held_out: Sequence[Any]) -> list[dict[str, Any]]:
    """What must not be rewarded: the share of the gap that it closes."""
    from studio.core.copied import Learned

    index, drawn = Learned.of([each.expert for each in learned]), random.Random(0)
    sizes = [len(each.expert.split()) for each in held_out]
    letters = "qxzwvkjßøłđaeiou   "
    arms = {
        "copies of learned answers": [drawn.choice(learned).expert for _ in held_out],
        "the base's answers, cut to the experts' length": [
            " ".join(each.base.split()[:size]) for each, size in zip(held_out, sizes, strict=True)
        ],
        "the base's answers, three times over": [f"{each.base} {each.base} {each.base}" for each in held_out],
        "nonsense": ["".join(drawn.choices(letters, k=6 * size)) for size in sizes],
    }
    rows = []
    for what, answers in arms.items():
        copied = [index.copied(answer, each.expert).mostly for answer, each in zip(answers, held_out, strict=True)]  # fmt: skip
        closed = judge.score(held_out, answers, copied).closed
        rows.append(
            row(f"share of the gap closed by {what}", closed, "10 % or less", abs(closed.value) <= 0.1)
        )
        if any(copied):
            unseen = judge.score(held_out, answers, [False] * len(held_out)).closed
            rows.append(
                row(f"the same, were copies not looked for ({sum(copied)} of {len(copied)} are)", unseen)
            )
    return rows


def row(what: str, figure: Any, goal: str | None = None, met: bool | None = None) -> dict[str, Any]:
    """`figure` is a number or an Estimate; its interval then stands beside it."""
    value = getattr(figure, "value", figure)
    spread = [round(figure.low, 4), round(figure.high, 4)] if value is not figure else None
    found = {"what": what, "ours": round(value, 4), "peer": None, "ratio": None, "spread": spread}
    return found | ({"goal": goal, "met": met} if goal else {})
