"""Answers through the studio's engine beside transformers' and PEFT's `generate`: python tests/bench/answer.py.

All ways take turns within a round, after one round that is not timed. STUDIO_BENCH_ROUNDS sets the rounds (5),
STUDIO_BENCH_QUESTIONS and STUDIO_BENCH_TOKENS the list (16 questions of up to 12 tokens; 100 and 32 take an hour).
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

CHECKOUT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("STUDIO_BENCH_ROUNDS", "5"))
QUESTIONS = int(os.environ.get("STUDIO_BENCH_QUESTIONS", "16"))
LISTED = int(os.environ.get("STUDIO_BENCH_TOKENS", "12"))  # tokens an answer of the list
AT_ONCE = 24  # rows of the list
NEW = 48  # tokens an answer
QUESTION = "How can I manage stress more effectively?"
BEFORE, AFTER = 600, 60  # tokens of the conversation so far, and of the next turn
STRENGTH = 0.03  # of the random adapters: enough to change the answers

Times = dict[str, float]  # what was timed -> seconds


@dataclass(frozen=True)
class Case:
    """Two ways of doing the same work. Each returns what was answered, which must be the same where `same`."""

    what: str
    ours: Callable[[], Any]
    peer: Callable[[], Any]
    same: bool = False


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    return measured(cases, rounds)


def measured(ways: Callable[[Path, str], Iterator[Case]], rounds: int) -> dict[str, Any]:
    """{"what", "conditions", "rows": [{what, ours, peer, ratio, spread}]}: medians, and the ratio's range over the rounds."""
    from studio.engine import device, starter

    chosen = device.choose()
    starter.ensure(user_cache_path("sft-studio-tests") / "models", lambda done, total: None)
    rows, begun = [], os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place:
        for precision in ("fp32", "bf16"):
            rows += compared(list(ways(Path(place), precision)), rounds)
    conditions = {
        "threads": chosen.threads,
        "load": [round(begun, 1), round(os.getloadavg()[0], 1)],
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        **{name: version(name) for name in ("torch", "transformers", "peft")},
    }
    what = f"the starter, {chosen.threads} thread(s), medians of {rounds} interleaved rounds"
    return {"what": what, "conditions": conditions, "rows": rows}


# --- measuring


def compared(cases: Sequence[Case], rounds: int) -> list[dict[str, Any]]:
    taken: dict[str, list[tuple[Times, Times]]] = {each.what: [] for each in cases}
    for number in range(rounds + 1):
        for each in cases:
            (ours, made), (peer, expected) = clocked(each.ours), clocked(each.peer)
            if each.same and made != expected:
                raise RuntimeError(f"{each.what}: the answers differ, {made} and {expected}.")
            if number:
                taken[each.what].append((ours, peer))
    return [row(what, unit, pairs) for what, pairs in taken.items() for unit in ("wall", "cpu")]


def clocked(way: Callable[[], Any]) -> tuple[Times, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    made = way()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}, made


def row(what: str, unit: str, pairs: Sequence[tuple[Times, Times]]) -> dict[str, Any]:
    ours, peer = ([each[which][unit] for each in pairs] for which in (0, 1))
    ratios = [theirs / own for own, theirs in zip(ours, peer, strict=True)]
    medians = statistics.median(ours), statistics.median(peer)
    return {
        "what": f"{what}, {unit} seconds",
        "ours": round(medians[0], 3),
        "peer": round(medians[1], 3),
        "ratio": round(medians[1] / medians[0], 2),
        "spread": [round(min(ratios), 2), round(max(ratios), 2)],
    }


# --- the ways


def cases(place: Path, precision: str) -> Iterator[Case]:
    """The fp32 answers must be the same; in 16 bits near ties turn with the number of rows, for generate as well."""
    peer = Peer(place, precision)
    ours, neutral = Ours(precision, peer.adapters), Ours(precision, peer.adapters, neutral=True)
    same = precision == "fp32"
    yield Case(f"two answers, {precision}", ours.both, peer.both, same)
    yield Case(f"two answers, neutral reader, {precision}", neutral.both, peer.both, same)
    if precision == "bf16":
        yield Case("two answers, against adapter_names, bf16", ours.both, peer.mixed)
        yield Case("first token of the second answer, bf16", ours.first_of_both, peer.first_of_second)
        yield Case("next turn, against reading all of it, bf16", ours.next_turn, ours.next_turn_forgetting)
        yield Case("next turn, against two generate calls, bf16", ours.next_turn, peer.next_turn)
        yield Case(f"{QUESTIONS} questions, three arms, one at a time, bf16", ours.listed, peer.listed)


class Ours:
    """The studio's engine with the starter in one precision."""

    def __init__(self, precision: str, adapters: Sequence[Path], neutral: bool = False) -> None:
        from studio.engine import models, packing
        from studio.engine.local import LocalEngine
        from studio.engine.neutral import NeutralReader

        self.engine = LocalEngine(user_cache_path("sft-studio-tests") / "models")
        self.arms = [None, *adapters]
        self.held = self.engine.answering.hold(
            self.engine.base("starter"), self.engine.template("starter"), precision, "cpu"
        )
        if neutral:
            model = models.load(self.held.template.folder, precision, "cpu")
            packing.pack(model)
            self.held = self.engine.answering.loaded = replace(self.held, reader=NeutralReader(model))

    def asks(self, talk: Any, arms: Sequence[Path | None], new: int) -> list[Any]:
        from studio.core.records import Sampling
        from studio.engine.api import Ask

        return [Ask(talk, arm, Sampling(new)) for arm in arms]

    def answers(self, talk: Any, new: int) -> list[str]:
        *_, last = self.engine.answers("starter", self.asks(talk, self.arms[:2], new), lambda: False)
        if any(answer.tokens != new for answer in last):
            raise RuntimeError(f"The answers have {[each.tokens for each in last]} tokens, not {new} each.")
        return [answer.text for answer in last]

    def both(self) -> list[str]:
        self.held.kept.entries.clear()
        return self.answers(question(), NEW)

    def first_of_both(self) -> None:
        self.held.kept.entries.clear()
        answers = self.engine.answers("starter", self.asks(question(), self.arms[:2], NEW), lambda: False)
        next(each for each in answers if each[1].tokens)
        answers.close()

    def next_turn(self) -> None:
        """Both first tokens of a turn whose conversation was read before, in the round that is not timed."""
        self.held.kept.entries[:] = self.prepared()
        self.answers(talk(self.held.template)[1], 1)

    def next_turn_forgetting(self) -> None:
        self.held.kept.entries.clear()
        self.answers(talk(self.held.template)[1], 1)

    def prepared(self) -> list[Any]:
        if not hasattr(self, "before"):
            self.held.kept.entries.clear()
            self.answers(talk(self.held.template)[0], 1)
            self.before = list(self.held.kept.entries)
        return self.before

    def listed(self) -> int:
        asks = [ask for each in listed_questions() for ask in self.asks(each, self.arms, LISTED)]
        answers = self.engine.answer_all("starter", asks, AT_ONCE, lambda: False)
        return sum(answer.tokens for _, answer in answers)


class Peer:
    """The same base with two random adapters through PEFT, which are saved for the studio to answer with."""

    def __init__(self, place: Path, precision: str) -> None:
        import torch
        from peft import LoraConfig, get_peft_model

        from studio.engine import models

        folder = user_cache_path("sft-studio-tests") / "models" / "starter"
        self.template = models.ChatTemplate(models.load_tokenizer(folder))
        torch.manual_seed(0)
        config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        self.model = get_peft_model(models.load(folder, precision, "cpu"), config, "first").eval()
        self.model.add_adapter("second", config)
        for name, weight in self.model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=STRENGTH)
        self.model.save_pretrained(place / precision, save_embedding_layers=False)
        self.adapters = [place / precision / name for name in ("first", "second")]

    def generate(self, talk: Any, new: int, arm: str | None) -> list[int]:
        import torch

        ids = torch.tensor([self.ids(talk)])
        if arm is None:
            with self.model.disable_adapter():
                return self.generated(ids, new)[0]
        self.model.set_adapter(arm)
        return self.generated(ids, new)[0]

    def generated(self, ids: Any, new: int, **given: Any) -> list[list[int]]:
        import torch

        made = self.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=new,
            do_sample=False,
            pad_token_id=2,
            **given,
        )
        return [
            [id for id in each[ids.shape[1] :].tolist() if id not in self.template.end_ids] for each in made
        ]

    def ids(self, talk: Any) -> list[int]:
        from studio.core.encode import prompt

        return prompt(talk, self.template)

    def both(self) -> list[str]:
        base, tuned = (self.template.decode(self.generate(question(), NEW, arm)) for arm in (None, "first"))
        if base == tuned:
            raise RuntimeError(
                "The adapter does not change the answer, so that a row answered wrongly would not be seen."
            )
        return [base, tuned]

    def mixed(self, new: int = NEW) -> None:
        import torch

        ids = torch.tensor([self.ids(question())] * 2)
        self.generated(ids, new, adapter_names=["__base__", "first"])

    def first_of_second(self) -> None:
        """The base's answer as a whole, then the adapter's first token."""
        self.generate(question(), NEW, None)
        self.generate(question(), 1, "first")

    def next_turn(self) -> None:
        for arm in (None, "first"):
            self.generate(talk(self.template)[1], 1, arm)

    def listed(self) -> int:
        return sum(
            len(self.generate(each, LISTED, arm))
            for each in listed_questions()
            for arm in (None, "first", "second")
        )


# --- the questions


def question() -> tuple[Any, ...]:
    from studio.core.records import Message

    return (Message("user", QUESTION),)


def listed_questions() -> list[tuple[Any, ...]]:
    """Questions of the starter examples, of many lengths; the same again, with a word before them, where there are too few."""
    from studio.core.records import Message

    lines = (CHECKOUT / "assets" / "starter_examples.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["messages"][0]["content"] for line in lines]
    return [
        (Message("user", "Hello. " * (at // len(texts)) + texts[at % len(texts)]),) for at in range(QUESTIONS)
    ]


def talk(template: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """A conversation of about BEFORE tokens, and the same with one more turn of about AFTER."""
    from studio.core.records import Message

    first = Message("user", words(template, BEFORE))
    return (first,), (first, Message("assistant", "It is."), Message("user", words(template, AFTER - 20)))


def words(template: Any, tokens: int) -> str:
    """A text of about so many tokens."""
    text = (CHECKOUT / "README.md").read_text("utf-8")
    return str(template.decode(template.tokenize(text)[0][:tokens]))


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
