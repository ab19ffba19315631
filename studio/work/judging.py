"""The verbs of blind judging: the next round, a vote, taking it back, and what the votes come to."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from studio.core.errors import BadInput
from studio.core.judging import CALIBRATION, CHOICES, Judging, Round, Shown
from studio.core.nearest import Nearest
from studio.core.records import Message, Person, Sampling
from studio.core.text import clean
from studio.engine.api import Ask
from studio.store import judgings, rounds, runs
from studio.store.judgings import Last
from studio.work import comparing, elsewhere, evaluation_plan, planning
from studio.work.evaluating import AT_ONCE
from studio.work.evaluation_plan import USUAL, Asking, Contender, Held, Words
from studio.work.studio import Studio
from studio.work.writing import now

LIST = 500  # typed questions
LONGEST = 20_000  # characters of one
DRAWN = 0.7  # the temperature of both answers of a calibration round: greedy ones would be one and the same
REASONS = ("voice", "facts", "length", "format")
TYPED = "typed-"  # begins the id of a question that is of no conversation

Picked = tuple[Held, bool]  # a question, and whether it calibrates


@dataclass(frozen=True)
class Match:
    """A judging as it can be asked: the base under both arms, and every question there is."""

    base: str
    pair: tuple[Contender, Contender]
    questions: tuple[Held, ...]
    asking: Asking

    def asks(self, held: Held, same: bool) -> tuple[tuple[Contender, Ask], tuple[Contender, Ask]]:
        """Who is asked how; for a calibration one of both twice, each time drawn by another seed."""
        if not same:
            one, two = ((each, self.ask(each, held, Sampling(self.asking.longest))) for each in self.pair)
            return one, two
        twice = self.pair[secrets.randbelow(2)]
        seeds = secrets.randbelow(2**30), secrets.randbelow(2**30)
        one, two = (
            (twice, self.ask(twice, held, Sampling(self.asking.longest, DRAWN, seed=each))) for each in seeds
        )
        return one, two

    def ask(self, to: Contender, held: Held, sampling: Sampling) -> Ask:
        adapter = comparing.adapter(self.asking.studio, to.tuned)
        return Ask(self.asking.asked(to, held), adapter, sampling, to.arm)


def begin(studio: Studio, person: Person, project_id: str, wanted: Judging) -> Match:
    """What a judge is about to judge, kept as their choice for when they come again. Raises as `match` does."""
    found = match(studio, project_id, wanted)
    with studio.database.writing() as db:
        last = judgings.load(db, project_id, person.name)
        if last is None or last.wanted != wanted:
            judgings.keep(db, project_id, person.name, Last(wanted, now()))
    return found


def again(studio: Studio, person: Person, project_id: str, newest: str) -> Judging | None:
    """What a judge chose to judge last, to begin with; where the `newest` arm is a run that was begun since, base and it."""
    with studio.database.reading() as db:
        last = judgings.load(db, project_id, person.name)
    if last is None:
        return None
    kind, _, run = newest.partition(":")
    begun = float(str(runs.load(studio.home, run).spec["created_at"])) if kind == "run" else 0.0
    if begun > datetime.fromisoformat(last.at).timestamp():
        return Judging(("base", newest), last.wanted.questions)
    return last.wanted


def next_round(
    studio: Studio, person: Person, project_id: str, judging: Judging, ahead: int = 0
) -> Round | None:
    """The judge's first round that waits for a vote, made where there is none; None when every question was judged.

    With `ahead` so many waiting ones are passed over: one can be made while another is read. Raises BadInput, NotFound,
    NothingToLearn, and as `elsewhere.answer_all` does.
    """
    found = match(studio, project_id, judging)

    def waiting() -> Round | None:
        ready = [each for each in met(studio, person, project_id, found) if not each.choice]
        return ready[ahead] if len(ready) > ahead else None

    if ready := waiting():
        return ready
    # One at a time: who votes before the next round is there waits for it, instead of having it answered once more.
    with studio.unattended.making(project_id, person.name):
        return waiting() or next(made(studio, person, project_id, found, 1), None)


def made(studio: Studio, person: Person, project_id: str, found: Match, most: int) -> Iterator[Round]:
    """Make up to `most` rounds of questions that the judge has not met, each kept as soon as both answers are there."""
    chosen = picked(studio, person, project_id, found)[:most]
    if not chosen:  # the model is not waited for, nor loaded, to say that all was judged
        return
    yield from (each for _, each in answered(studio, person, project_id, found, chosen, lambda: False))


def picked(studio: Studio, person: Person, project_id: str, found: Match) -> list[Picked]:
    """The questions that the judge has not met, in their order, and by chance some between them to calibrate."""
    seen = met(studio, person, project_id, found)
    judged = {each.question for each in seen if not each.calibrates}
    calibrated = {each.question for each in seen if each.calibrates}
    left = [each for each in found.questions if each.id not in judged]
    chosen: list[Picked] = []
    for each in sorted(left, key=lambda each: order(person, each.id)):
        # Another question than the one that follows: asked twice in a row, it would tell what the first round was for.
        spare = [other for other in found.questions if other.id not in {*calibrated, each.id}]
        # Drawn anew after each: so the rate is the same for rounds that are made one by one.
        while spare and secrets.randbelow(CALIBRATION) == 0:
            other = spare.pop(secrets.randbelow(len(spare)))
            calibrated.add(other.id)
            chosen.append((other, True))
        chosen.append((each, False))
    return chosen


def answered(
    studio: Studio,
    person: Person,
    project_id: str,
    found: Match,
    chosen: Sequence[Picked],
    stopping: Callable[[], bool],
) -> Iterator[tuple[int, Round]]:
    """Yield (place in `chosen`, round) as each is answered and kept; ends within a token of `stopping()`."""
    asked = [found.asks(*each) for each in chosen]
    answers: dict[int, Shown] = {}
    rows = [(to.endpoint, ask) for pair in asked for to, ask in pair]
    for place, answer in elsewhere.answer_all(studio, found.base, rows, AT_ONCE, stopping):
        to = asked[place // 2][place % 2][0]
        answers[place] = Shown(to.arm, answer.text, answer.fingerprint)
        if place ^ 1 in answers:
            held, sides = chosen[place // 2][0], [answers[place], answers[place ^ 1]]
            first = sides.pop(secrets.randbelow(2))
            new = Round(
                uuid4().hex, project_id, person.name, found.base, held.id, held.before, first, sides[0], now()
            )
            with studio.database.writing() as db:
                kept = rounds.add(db, new)
            yield place // 2, kept


def met(studio: Studio, person: Person, project_id: str, found: Match) -> list[Round]:
    """The judge's rounds between these arms on this base, on the questions that are asked now, the oldest first."""
    names, asked = {each.arm for each in found.pair}, {each.id for each in found.questions}
    with studio.database.reading() as db:
        mine = rounds.of(db, project_id, person.name)
    return [
        each
        for each in mine
        if each.base == found.base and set(each.pair) <= names and each.question in asked
    ]


def match(studio: Studio, project_id: str, judging: Judging) -> Match:
    """Raises BadInput for one arm against itself, and as `evaluation_plan.contenders` does."""
    # A prompt by its version: votes on an older one are on another arm.
    one, two = (comparing.arm(studio, project_id, each.strip(), anywhere=True).name for each in judging.arms)
    if one == two:
        raise BadInput("Both sides are the same. Choose two different ones to judge.")
    both = evaluation_plan.contenders(studio, project_id, [one, two], Words(), anywhere=True)
    known = {each.arm: each for each in both}
    pair = (known[one], known[two])
    base = comparing.base_of(studio, project_id, [each.tuned for each in pair])
    room = studio.engine.limit(base)
    sides = planning.sides(studio, project_id, room)
    asked = [typed(each) for each in judging.questions] or evaluation_plan.held_out(studio, sides, pair)
    if judging.questions:
        fit(studio, base, room, pair, asked)
    references = [each.rest[0].content for each in asked[:USUAL] if each.rest]
    longest = (
        evaluation_plan.longest_answer(studio, base, references) if references else Sampling().max_tokens
    )
    learned = {each.id: each for each in sides.learned}
    find = Nearest.of(sides.learned) if any(each.words.shots for each in pair) else None
    return Match(base, pair, tuple(asked), Asking(studio, base, room, longest, learned, find))


def typed(text: str) -> Held:
    asked = clean(text, "The question", LONGEST).strip()
    return Held(f"{TYPED}{hashed(asked)}", 0, (Message("user", asked),), ())


def fit(studio: Studio, base: str, room: int, pair: Sequence[Contender], asked: Sequence[Held]) -> None:
    """Raises BadInput for a typed question that leaves no room for an answer: nobody could get past it, only stop."""
    for to in pair:
        system = [Message("system", to.words.system)] if to.words.system.strip() else []
        words = f" with the words of {to.title}" if system else ""
        sizes = studio.engine.sizes(base, [[*system, *each.before] for each in asked])
        for place, size in enumerate(sizes, 1):
            if size.tokens >= room:
                raise BadInput(
                    f"Question {place} has {size.tokens:,} tokens{words}, and the model takes {room:,}. "
                    "Shorten it, or leave it out."
                )


def listed(text: str) -> tuple[str, ...]:
    """The questions of a text with one on each line. Raises BadInput for too many."""
    found = tuple(dict.fromkeys(filter(None, map(str.strip, text.split("\n")))))
    if len(found) > LIST:
        raise BadInput(f"At most {LIST} questions can be judged as one list; these are {len(found):,}.")
    return found


def order(person: Person, question: str) -> str:
    """Each judge meets the questions in an order of their own, and always in the same."""
    return hashed(f"{person.name} {question}")


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# --- votes


def vote(
    studio: Studio, person: Person, project_id: str, id: str, choice: str, reasons: Sequence[str] = ()
) -> Round:
    """Write down what a judge chose in a round of theirs, and return it. The same vote again, as by a key that was pressed
    twice or an answer that was lost, changes nothing. The votes before it can be revealed now. Raises BadInput, NotFound.
    """
    if choice not in CHOICES or not set(reasons) <= set(REASONS):
        raise BadInput(f"A vote is one of {', '.join(CHOICES)}, and its reasons are of {', '.join(REASONS)}.")
    with studio.database.writing() as db:
        found = rounds.load(db, project_id, person.name, id)
        if found.choice and found.choice != choice:
            raise BadInput("This round was voted on already. Take that vote back first.")
        rounds.decide(db, id, choice, reasons, found.voted_at or now())
        return rounds.load(db, project_id, person.name, id)


def undo(studio: Studio, person: Person, project_id: str) -> Round | None:
    """Take back the judge's last vote, so that its round waits again. None where nothing can be taken back: who has been
    told which arm was where would not be blind a second time.
    """
    with studio.database.writing() as db:
        covered = still_covered(rounds.of(db, project_id, person.name))
        if covered:
            rounds.decide(db, covered[-1].id, None, (), "")
    return replace(covered[-1], choice=None, reasons=(), voted_at="") if covered else None


def reveal(studio: Studio, person: Person, project_id: str, last: bool = False) -> Round | None:
    """Reveal the judge's votes before the last one, and with `last` that one too; they can no longer be taken back.

    Returns the newest that is revealed; None where there is none.
    """
    with studio.database.writing() as db:
        everything = rounds.of(db, project_id, person.name)
        covered = still_covered(everything)
        told = covered if last else covered[:-1]
        rounds.reveal(db, [each.id for each in told])
    known = [each for each in everything if each.revealed or each in told]
    return max(known, key=lambda each: each.voted_at, default=None)


def still_covered(mine: Sequence[Round]) -> list[Round]:
    """The votes that can be taken back, the oldest first."""
    return sorted(
        (each for each in mine if each.choice and not each.revealed), key=lambda each: each.voted_at
    )


def all_of(studio: Studio, project_id: str) -> list[Round]:
    """Every round of a project, of all judges, the oldest first."""
    with studio.database.reading() as db:
        return rounds.of(db, project_id)
