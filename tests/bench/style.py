"""Is the style score right? The experts' answers of a file against the starter's own: python run_studio.py bench style.

The conversations are those of STUDIO_BENCH_DATA (the first STUDIO_BENCH_CONVERSATIONS of them, 150), else the starter
examples. The base answers each of their turns, drawn at STUDIO_BENCH_TEMPERATURE (0: the likeliest words) and up to
STUDIO_BENCH_TOKENS (80) long. A fifth of the conversations is held out; the base answers these under the four nearest
learned examples, too, and once drawn from all tokens, for its own surprise. All that takes some minutes, the scores seconds.
What each row should be stands beside it as its goal.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

CHECKOUT = Path(__file__).parents[2]
NEW = int(os.environ.get("STUDIO_BENCH_TOKENS", "80"))
TEMPERATURE = float(os.environ.get("STUDIO_BENCH_TEMPERATURE", "0"))
CONVERSATIONS = int(os.environ.get("STUDIO_BENCH_CONVERSATIONS", "150"))
AT_ONCE = 24
HELD_OUT = 5  # every so many-th conversation
SPLITS = 20
SHOTS = 4


def run() -> dict[str, Any]:
    from studio.core.gap import surprise

    begun = time.perf_counter()
    base = Base()
    answered = [base.question(turn, text) for turn, text in zip(base.turns, base.answers(base.turns), strict=True)]  # fmt: skip
    asked = [turn for turn in base.turns if not int(turn.conversation) % HELD_OUT]
    shown = base.under_examples(asked)
    surprised = surprise(*base.losses(asked))
    seconds = time.perf_counter() - begun
    return {
        "what": f"{len(answered)} answers of the experts and of the starter, {seconds:.0f} s to answer and to read",
        **measured(answered, Arm(shown, base.tokens, surprised)),
    }


@dataclass(frozen=True)
class Turn:
    """What an expert answered: all that was said before, and the answer."""

    conversation: str
    before: tuple[Any, ...]
    expert: str


@dataclass(frozen=True)
class Arm:
    """The answers to held-out questions under the nearest examples, their tokens, and what surprises the base."""

    answers: list[str]
    tokens: float
    surprise: Any


class Base:
    """The starter, asked every turn that the experts answered."""

    def __init__(self) -> None:
        from studio.engine import starter
        from studio.engine.local import LocalEngine
        from tests.bench.training import talks

        models = user_cache_path("sft-studio-tests") / "models"
        self.folder = starter.ensure(models, lambda done, total: None)
        self.engine = LocalEngine(models)
        file = os.environ.get("STUDIO_BENCH_DATA", str(CHECKOUT / "assets" / "starter_examples.jsonl"))
        self.talks = talks.of(Path(file))[:CONVERSATIONS]
        self.turns = [
            Turn(str(number), talk[:at], each.content)
            for number, talk in enumerate(self.talks)
            for at, each in enumerate(talk)
            if each.role == "assistant"
        ]
        self.tokens = 0.0

    def question(self, turn: Turn, text: str) -> Any:
        from studio.engine.style import Question

        return Question(turn.conversation, turn.expert, text)

    def answers(self, turns: Sequence[Turn], temperature: float = TEMPERATURE, top_p: float = 0.95) -> list[str]:  # fmt: skip
        from studio.core.records import Sampling
        from studio.engine.api import Ask

        asks = [
            Ask(turn.before, None, Sampling(NEW, temperature, top_p, seed)) for seed, turn in enumerate(turns)
        ]
        found = dict(self.engine.answer_all("starter", asks, AT_ONCE, lambda: False))
        return [found[at].text for at in range(len(asks))]

    def under_examples(self, turns: Sequence[Turn]) -> list[str]:
        from studio.core.nearest import asked, nearest
        from studio.core.prompt import assemble
        from studio.core.records import Conversation

        learned = [
            Conversation(str(n), "", n, 1, talk, "approved", (), "", "", "")
            for n, talk in enumerate(self.talks)
            if n % HELD_OUT
        ]
        prompted = []
        for turn in turns:
            shots = [each.messages for each in nearest(asked(turn.before), learned, SHOTS)]
            whole = assemble("", shots, turn.before[:-1], turn.before[-1].content)
            prompted.append(replace(turn, before=tuple(whole)))
        more = [
            long.tokens - short.tokens
            for long, short in zip(self.sizes(prompted), self.sizes(turns), strict=True)
        ]
        self.tokens = sum(more) / len(more)
        return self.answers(prompted)

    def sizes(self, turns: Sequence[Turn]) -> list[Any]:
        return self.engine.sizes("starter", [(*turn.before, answer(".")) for turn in turns])

    def losses(self, turns: Sequence[Turn]) -> tuple[list[float], list[float]]:
        """The base's mean loss on the experts' answers and on its own, drawn at temperature 1 from all tokens."""
        from studio.core.encode import encode
        from studio.engine import batches, kernels, loop, models

        own = self.answers(turns, 1.0, 1.0)
        template = models.ChatTemplate(models.load_tokenizer(self.folder))
        model = models.load(self.folder, "bf16", "cpu")

        def loss(turn: Turn, text: str) -> float:
            before = tuple(replace(each, weight=0) if each.role == "assistant" else each for each in turn.before)  # fmt: skip
            packs = batches.packs([encode((*before, answer(text)), template)])
            return loop.mean_loss(model, kernels.plain_loss, packs)

        pairs = [(loss(turn, turn.expert), loss(turn, text)) for turn, text in zip(turns, own, strict=True) if text]  # fmt: skip
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def answer(text: str) -> Any:
    from studio.core.records import Message

    return Message("assistant", text)


def measured(answered: Sequence[Any], arm: Arm | None = None) -> dict[str, Any]:
    """The rows, from questions with both answers; with an arm, what would be said of it."""
    from studio.engine import style

    learned = [each for each in answered if int(each.conversation) % HELD_OUT]
    held_out = [each for each in answered if not int(each.conversation) % HELD_OUT]
    begun = time.process_time()
    judge = style.learn(learned)
    own = None if judge.why_not else judge.score(held_out, [each.expert for each in held_out], [False] * len(held_out))  # fmt: skip
    seconds = time.process_time() - begun
    everything = style.learn(answered)
    rows = [
        row("AUC, experts against the base", everything.auc, "0.95 or more", everything.auc.value >= 0.95),
        *halved(answered),
        row("CPU seconds to learn and to score", seconds, "below 2", seconds < 2),
    ]
    if own:
        rows += [
            row("P(expert) of the experts' held-out answers", own.experts),
            row("P(expert) of the base's held-out answers", own.base),
            *controls(judge, learned, held_out),
        ]
    return {"rows": rows, **(told(judge, learned, held_out, arm) if arm else {})}


def told(judge: Any, learned: Sequence[Any], held_out: Sequence[Any], arm: Arm) -> dict[str, Any]:
    """The sentence, and the answers with their scores, to see whether a person would say so, too."""
    from studio.core.copied import Learned
    from studio.core.estimate import Estimate
    from studio.core.gap import Known, Measured, verdict
    from studio.core.traits import differences

    index = Learned.of([each.expert for each in learned])
    copied = [index.copied(text, each.expert).mostly for text, each in zip(arm.answers, held_out, strict=True)]  # fmt: skip
    score = None if judge.why_not else judge.score(held_out, arm.answers, copied)
    closed = score and score.closed
    shots = Measured("the prompt with the four nearest examples", "prompt", closed or Estimate(0, 0, 0), (("repeat learned answers word for word", sum(copied) / len(copied)),), arm.tokens)  # fmt: skip
    count = len({each.conversation for each in held_out})
    known = Known(
        (shots,), count, 0, judge.auc, judge.why_not, apart=closed is not None, surprise=arm.surprise
    )
    rows = zip(held_out, arm.answers, score.each if score else [0.5] * len(held_out), copied, strict=True)
    return {
        "verdict": asdict(verdict(known)),
        "prompt": asdict(shots),
        "surprise": asdict(arm.surprise),
        "traits": [
            each.says
            for each in differences([q.expert for q in held_out], [q.base for q in held_out])
            if each.clear
        ],
        "answers": [
            {
                "P(expert)": round(chance, 2),
                "copied": is_copy,
                "expert": each.expert,
                "base": each.base,
                "prompted": text,
            }
            for each, text, chance, is_copy in rows
        ],
    }


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
        rows.append(row(f"share of the gap closed by {what}", closed, "10 % or less", closed.value <= 0.1))
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
