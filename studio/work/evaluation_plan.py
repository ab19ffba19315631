"""What an evaluation asks: which held-out questions, of which arms, under exactly which words and examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Any, Literal

from studio.core.errors import BadInput, NotFound, NothingToLearn
from studio.core.judging import titled
from studio.core.nearest import Nearest, asked
from studio.core.prompt import assemble, fitting, system_text
from studio.core.records import Arm, Conversation, Message, Person, Sampling
from studio.core.split import fraction
from studio.core.text import clean
from studio.store import runs
from studio.store.evaluations import Rows
from studio.work import comparing, planning, run_data
from studio.work.studio import Studio

USUAL = 100  # held-out questions that are asked where nobody says how many
LEARNED = 120  # learned questions that the base answers, for the classifier
MOST_SHOTS, MOST_SYSTEM = 32, 100_000  # examples; characters
LENGTHS = (
    64,
    128,
    192,
    256,
)  # tokens that an answer may take: the first that is twice as long as nine of ten of the experts'
Kind = Literal["base", "prompt", "run", "elsewhere"]


@dataclass(frozen=True)
class Words:
    """What stands before a question: a system text, conversations by their ids, and the `shots` nearest ones."""

    system: str = ""
    shots: int = 0
    pinned: tuple[str, ...] = ()


def typed(system: object, shots: int, pinned: Sequence[str] = ()) -> Words:
    """The words that somebody typed, and what they pinned. Raises BadInput for what cannot be used."""
    if not 0 <= shots <= MOST_SHOTS:
        raise BadInput(f"From 0 to {MOST_SHOTS} examples can be shown, not {shots}.")
    return Words(clean(str(system or ""), "The system text", MOST_SYSTEM), shots, tuple(pinned))


@dataclass(frozen=True)
class Contender:
    """An arm of an evaluation. `arm` as the command line names it, `title` as a sentence does.

    `prompted`: its words take the place of a conversation's own system text; those that a run was trained under do not.
    """

    arm: str
    title: str
    kind: Kind
    words: Words = Words()
    run: str | None = None
    prompted: bool = False
    point: int | None = None  # of the run; None: its best
    endpoint: str = ""  # as in Arm; only blind judging has such

    @property
    def tuned(self) -> Arm:
        """The weights that answer, under no words yet."""
        return Arm(self.run, point=self.point)


@dataclass(frozen=True)
class Held:
    """A held-out conversation: the turns up to its first answer that is learned, and what follows from there."""

    id: str
    number: int
    before: tuple[Message, ...]
    rest: tuple[Message, ...]


def contenders(
    studio: Studio, project_id: str, names: Sequence[str], words: Words, anywhere: bool = False
) -> list[Contender]:
    """What names such as "base", "prompt" (the given words) and those of `comparing.arm` mean; the base first, asked or not.

    Raises BadInput, NotFound.
    """
    wanted = dict.fromkeys(name.strip() for name in names if name.strip() and name.strip() != "base")
    return [
        Contender("base", "the base", "base"),
        *(contender(studio, project_id, each, words, anywhere) for each in wanted),
    ]


def contender(studio: Studio, project_id: str, name: str, words: Words, anywhere: bool) -> Contender:
    if name == "prompt":
        if not words.system.strip() and not words.shots and not words.pinned:
            raise BadInput(
                "The prompt has no words and no examples, so it is the base. Write a system text, or show examples."
            )
        return Contender(name, "the prompt", "prompt", words, prompted=True)
    arm = comparing.arm(studio, project_id, name, anywhere)
    if arm.run and all(each.id != arm.run for each in comparing.tuned(studio, project_id)):
        raise NotFound(f"Run {arm.run} is another project's. Choose one from the history of this one.")
    tuned, kept = titled(replace(arm, prompt=None).name) if arm.run or arm.endpoint else "", arm.prompt
    if not kept and arm.endpoint:
        return Contender(name, tuned, "elsewhere", endpoint=arm.endpoint)
    if not kept:
        words = Words(trained_under(studio, str(arm.run)))
        return Contender(name, tuned, "run", words, arm.run, point=arm.point)
    older = f", version {kept.version}" if "@" in name.partition("prompt:")[2] else ""
    title = f"{tuned and f'{tuned} under '}the prompt “{kept.name}”{older}"
    kind: Kind = "run" if arm.run else "elsewhere" if arm.endpoint else "prompt"
    words = Words(kept.system, kept.shots, kept.pinned)
    return Contender(name, title, kind, words, arm.run, True, arm.point, arm.endpoint)


def trained_under(studio: Studio, run: str) -> str:
    """The system text that stood before a run's conversations: that of its watch-prompts, which have no other."""
    first = next(iter(runs.frozen(studio.home.run(run), "watch")), ())
    return system_text(first)


def planned(
    studio: Studio, person: Person, project_id: str, chosen: Sequence[Contender], limit: int | None
) -> tuple[dict[str, Any], dict[str, Rows]]:
    """(spec, data) of an evaluation over `limit` held-out questions, all or USUAL if None.

    Raises NothingToLearn without a held-out question, BadInput for more than there are and for words that find no room,
    ModelNotReady for a base that is not here or has no chat template.
    """
    base = comparing.base_of(studio, project_id, [each.tuned for each in chosen])
    room = studio.engine.limit(base)
    sides = planning.sides(studio, project_id, room)
    held = held_out(studio, sides, chosen)
    questions = taken(held, limit)
    learned = sorted(map(parted, sides.learned), key=lambda each: fraction(each.id))[:LEARNED]
    longest = longest_answer(studio, base, [each.rest[0].content for each in questions])
    find = Nearest.of(sides.learned) if any(each.words.shots for each in chosen) else None
    asking = Asking(studio, base, room, longest, {each.id: each for each in sides.learned}, find)
    arms = {each.arm: [(one.id, asking.asked(each, one)) for one in questions] for each in chosen}
    sizes = {each.arm: asking.size(each.title, arms[each.arm], questions) for each in chosen}
    gauge = None if general(studio, base) is not None else run_data.asset("general_gauge.jsonl")
    told = [
        {**asdict(each), "file": f"arm-{place}", "tokens": max(sizes[each.arm] - sizes["base"], 0)}
        for place, each in enumerate(chosen)
    ]
    spec = {
        "project": project_id, "base": base, "arms": told, "questions": len(questions), "left": len(held) - len(questions),
        "numbers": {each.id: each.number for each in questions}, "sampling": asdict(Sampling(longest)), "by": person.name,
        "rows": len(learned) + (2 * len(chosen) + 2) * len(questions) + len(gauge or ()),
    }  # fmt: skip
    data: dict[str, Rows] = {
        "held_out": [(each.id, (*each.before, *each.rest)) for each in questions],
        "learned": [(each.id, (*each.before, each.rest[0])) for each in learned],
        "gauge": gauge or [],
        **{f"arm-{place}": arms[each.arm] for place, each in enumerate(chosen)},
    }
    return spec, data


def held_out(studio: Studio, sides: planning.Sides, chosen: Sequence[Contender]) -> list[Held]:
    """The held-out conversations, always in the same order, without those that one of the runs has learned after all."""
    seen = {
        id for each in chosen if each.run for id, _ in runs.frozen_rows(studio.home.run(each.run), "train")
    }
    found = [parted(each) for each in sides.held_out if each.id not in seen]
    if not found:
        raise NothingToLearn(
            "There is no held-out question to ask. Write or import more conversations: about one in eight is held out by itself."
        )
    return sorted(found, key=lambda each: fraction(each.id))


def taken(held: Sequence[Held], limit: int | None) -> list[Held]:
    if limit is None:
        return list(held[:USUAL])
    if not 1 <= limit <= len(held):
        there = (
            f"There are {len(held)} held-out questions" if len(held) > 1 else "There is 1 held-out question"
        )
        raise BadInput(f"{there}, so {limit} cannot be asked. Choose a number from 1 to {len(held)}.")
    return list(held[:limit])


def parted(conversation: Conversation) -> Held:
    at = first_answer(conversation.messages)
    return Held(conversation.id, conversation.number, conversation.messages[:at], conversation.messages[at:])


def first_answer(messages: Sequence[Message]) -> int:
    """The place of the first answer that is learned."""
    return next(place for place, each in enumerate(messages) if each.learned)


def longest_answer(studio: Studio, base: str, references: Sequence[str]) -> int:
    """In tokens; one of few figures, so that what the base answered for an earlier evaluation is found again."""
    lengths = sorted(studio.engine.counts(base, references))
    wanted = 2 * lengths[ceil(0.9 * len(lengths)) - 1]
    return next((each for each in LENGTHS if each >= wanted), LENGTHS[-1])


def general(studio: Studio, base: str) -> float | None:
    """The base's loss on general text, as a run of it has measured it; None without such a run."""
    measured: Iterator[Any] = (
        run.card["general_loss"]
        for run in runs.load_all(studio.home)
        if run.card and run.spec["base"] == base
    )
    return next((float(each["before"]) for each in measured if each.get("before") is not None), None)


@dataclass(frozen=True)
class Asking:
    """How a question is put to a contender, with the examples that fit."""

    studio: Studio
    base: str
    room: int  # tokens that the model takes
    longest: int  # tokens of an answer
    learned: dict[str, Conversation]
    find: Nearest | None

    def asked(self, to: Contender, question: Held) -> tuple[Message, ...]:
        """The messages as they are sent; examples before them are marked as not learned.

        A conversation's own system text gives way to a prompt's, and stands before what a run was trained under.
        """
        own = system_text(question.before)
        turns = [each for each in question.before if each.role != "system"]
        first, second = (to.words.system, own) if to.prompted else (own, to.words.system)
        system = first if first.strip() else second
        shots = self.fitting(self.examples(to.words, question), system, question, turns)
        return assemble(system, shots, turns[:-1], turns[-1].content)

    def fitting(
        self, chosen: Sequence[Conversation], system: str, question: Held, turns: Sequence[Message]
    ) -> list[Sequence[Message]]:
        """As many of the examples, nearest first, as fit beside the question, and its answer or the longest one."""

        def size(shots: Sequence[Sequence[Message]]) -> int:
            before = assemble(system, shots, turns[:-1], turns[-1].content)
            alone, whole = self.studio.engine.sizes(self.base, [before, (*before, *question.rest)])
            return max(alone.tokens + self.longest, whole.tokens)

        unlearned = [
            [replace(each, weight=0) if each.role == "assistant" else each for each in one.messages]
            for one in chosen
        ]
        return fitting(unlearned, size, self.room)

    def examples(self, words: Words, question: Held) -> list[Conversation]:
        """The pinned ones that are learned, then the nearest; never one that is held out."""
        near = self.find.ids(asked(question.before), words.shots) if self.find and words.shots else []
        return [self.learned[id] for id in dict.fromkeys((*words.pinned, *near)) if id in self.learned]

    def size(self, title: str, rows: Rows, questions: Sequence[Held]) -> float:
        """The mean tokens of an arm's questions. Raises BadInput where one leaves no room for an answer."""
        whole = [(*messages, *each.rest) for (_, messages), each in zip(rows, questions, strict=True)]
        asked_sizes = [
            each.tokens for each in self.studio.engine.sizes(self.base, [messages for _, messages in rows])
        ]
        whole_sizes = [each.tokens for each in self.studio.engine.sizes(self.base, whole)]
        most = max(*(each + self.longest for each in asked_sizes), *whole_sizes)
        if most > self.room:
            raise BadInput(
                f"With the words of {title} a question and its answer take {most:,} tokens; the model takes {self.room:,}. "
                "Shorten the system text."
            )
        return sum(asked_sizes) / len(asked_sizes)
