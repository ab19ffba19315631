"""Run on held-out: begin an evaluation, go on with it from the answers that are there, stop it within a token."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

from filelock import FileLock

from studio.core.errors import BadInput, StudioError
from studio.core.evaluation import Evaluation
from studio.core.formats import as_entry
from studio.core.records import Answer, Arm, Message, Person, Sampling
from studio.engine.api import Ask, Said
from studio.store import evaluations, runs
from studio.store.evaluations import Rows
from studio.work import comparing, evaluation_plan, measuring, occupied
from studio.work.evaluation_plan import Words, first_answer
from studio.work.studio import Studio

log = logging.getLogger(__name__)
AT_ONCE = 16  # rows of a batch
PAUSE = 0.2  # seconds between two looks whether a person's question is answered
UNFORESEEN = (
    "Something went wrong that the studio did not foresee; the log holds the details. The answers are kept."
)

Stopping = Callable[[], bool]
Item = TypeVar("Item")


def begin(
    studio: Studio,
    person: Person,
    project_id: str,
    names: Sequence[str],
    words: Words,
    limit: int | None = None,
) -> Evaluation:
    """Freeze an evaluation and start it in the background; one that was cut off and asks the same is gone on with.

    Raises as evaluation_plan does, and Busy while another one is going.
    """
    chosen = evaluation_plan.contenders(studio, project_id, names, words)
    spec, data = evaluation_plan.planned(studio, person, project_id, chosen, limit)
    frozen = {**spec, "same": same(spec, data)}
    cut = (
        each
        for each in all_of(studio, project_id)
        if each.state != "done" and each.spec["same"] == frozen["same"]
    )
    earlier = next(cut, None)
    return go_on(studio, project_id, earlier.id if earlier else evaluations.freeze(studio.home, frozen, data))


def same(spec: dict[str, object], data: dict[str, Rows]) -> str:
    """A text that two evaluations share when the same is asked of the same arms."""
    asked = {
        name: [(id, [as_entry(each) for each in rows]) for id, rows in found] for name, found in data.items()
    }
    parts = {key: spec[key] for key in ("project", "base", "arms", "sampling")}
    return sha256(json.dumps([parts, asked], sort_keys=True).encode()).hexdigest()


def go_on(studio: Studio, project_id: str, id: str) -> Evaluation:
    """Go on in the background from the answers that are there. Raises Busy, NotFound."""
    found = read(studio, project_id, id)
    if found.state == "stopped":
        lock = evaluations.take(studio.home, found)
        threading.Thread(
            target=work, args=(studio, found, lock), daemon=True, name=f"evaluation-{id}"
        ).start()
    return evaluations.load(studio.home, id)


def read(studio: Studio, project_id: str, id: str) -> Evaluation:
    """Raises NotFound, and BadInput for one of another project."""
    found = evaluations.load(studio.home, id)
    if found.spec["project"] != project_id:
        raise BadInput("This evaluation belongs to another project. Open that one first.")
    return found


def all_of(studio: Studio, project_id: str) -> list[Evaluation]:
    """A project's evaluations, newest first."""
    return [each for each in evaluations.newest_first(studio.home) if each.spec["project"] == project_id]


def newest(studio: Studio, project_id: str) -> Evaluation | None:
    """A project's newest evaluation."""
    return next(
        (each for each in evaluations.newest_first(studio.home) if each.spec["project"] == project_id), None
    )


def is_newest(studio: Studio, id: str) -> bool:
    """Whether none was begun after this one, in any project; without reading any."""
    return max((int(each.name) for each in evaluations.folders(studio.home)), default=0) == int(id)


def stop(studio: Studio, project_id: str, id: str) -> Evaluation:
    """Ask an evaluation to stop, whichever process it is in; its answers are kept. One that is over stays so."""
    found = read(studio, project_id, id)
    if found.state == "going":
        evaluations.ask_to_stop(found)
    return found


# --- in the background


def work(studio: Studio, evaluation: Evaluation, lock: FileLock) -> None:
    """Answer, measure, and write the result; or why that was not possible."""
    try:
        asked_to_stop = patient(evaluation)
        answer_all(studio, evaluation, asked_to_stop)
        measure_all(studio, evaluation, asked_to_stop)
        if not asked_to_stop():
            evaluations.write(evaluation.folder / "result.json", measuring.result(studio, evaluation))
    except Exception as error:
        if not isinstance(error, StudioError):
            log.exception("evaluation %s failed", evaluation.id)
        text = str(occupied.explained(studio, error)) if isinstance(error, StudioError) else UNFORESEEN
        evaluations.write(evaluation.folder / "trouble.json", {"text": text})
    finally:
        lock.release()


def patient(evaluation: Evaluation) -> Stopping:
    return lambda: evaluations.asked_to_stop(evaluation)


@dataclass(frozen=True)
class Task:
    """One question to one arm; "learned" and "drawn" are the base's, for the classifier and for its own surprise."""

    arm: str
    conversation: str
    ask: Ask


def tasks(studio: Studio, evaluation: Evaluation) -> Iterator[Task]:
    """All questions of an evaluation."""
    greedy = Sampling(**evaluation.spec["sampling"])
    for id, messages in runs.frozen_rows(evaluation.folder, "learned"):
        yield Task("learned", id, Ask(messages[: first_answer(messages)], None, greedy))
    for arm in evaluation.spec["arms"]:
        adapter = comparing.adapter(studio, Arm(arm["run"], point=arm.get("point")))
        for id, messages in runs.frozen_rows(evaluation.folder, arm["file"]):
            yield Task(arm["arm"], id, Ask(messages, adapter, greedy))
    # Drawn from all tokens at temperature 1: only then is an answer as likely to the base as it says.
    drawn = replace(greedy, temperature=1.0, top_p=1.0)
    for seed, (id, messages) in enumerate(runs.frozen_rows(evaluation.folder, "arm-0")):
        yield Task("drawn", id, Ask(messages, None, replace(drawn, seed=seed)))


def answer_all(studio: Studio, evaluation: Evaluation, stopping: Stopping) -> None:
    """Answer what has no answer yet, in one list over all arms; each answer is kept as it comes."""
    made = {
        (each["arm"], each["conversation"]) for each in evaluations.rows(evaluation.folder / "answers.jsonl")
    }
    waiting = [each for each in tasks(studio, evaluation) if (each.arm, each.conversation) not in made]
    known = evaluations.answered_before(studio.home, base_key(studio, evaluation))
    before = {each["question"]: each for each in evaluations.rows(known)}
    with (
        evaluations.appending(evaluation.folder / "answers.jsonl") as answers,
        evaluations.appending(known) as kept,
    ):
        for each in [each for each in waiting if each.arm == "learned" and question_key(each) in before]:
            answers.add({"arm": each.arm, "conversation": each.conversation, **before[question_key(each)]})
            waiting.remove(each)

        def listed(now: Sequence[Task], ended: Stopping) -> Iterator[int]:
            asks = [each.ask for each in now]
            for place, answer in studio.engine.answer_all(evaluation.spec["base"], asks, AT_ONCE, ended):
                if now[place].arm == "learned":
                    kept.add({"question": question_key(now[place]), **as_row(answer)})
                answers.add(
                    {"arm": now[place].arm, "conversation": now[place].conversation, **as_row(answer)}
                )
                yield place

        in_turns(studio, waiting, listed, stopping)


def in_turns(
    studio: Studio,
    waiting: Sequence[Item],
    listed: Callable[[Sequence[Item], Stopping], Iterator[int]],
    stopping: Stopping,
) -> None:
    """Work through a list that makes room, within a token, for whoever waits for the model, and goes on after them.

    What was not whole then is made again. `listed` works on what it is given and yields the places that are done.
    """
    left = list(waiting)
    while left and not stopping():
        if studio.engine.wanted() or studio.engine.answering_now():
            time.sleep(PAUSE)
            continue
        if not studio.unattended.turn.acquire(timeout=PAUSE):
            continue  # another list is being answered: that one ends its turn when it is done, or for a person
        done: set[int] = set()
        try:
            done.update(listed(left, lambda: stopping() or studio.engine.wanted()))
        finally:
            studio.unattended.turn.release()
        left = [each for place, each in enumerate(left) if place not in done]


def as_row(answer: Answer) -> dict[str, object]:
    return {
        "text": answer.text, "tokens": answer.tokens, "seconds": round(answer.seconds, 3),
        "fingerprint": answer.fingerprint, "cut": answer.cut,
    }  # fmt: skip


def question_key(task: Task) -> str:
    return sha256(json.dumps([as_entry(each) for each in task.ask.messages]).encode()).hexdigest()


def base_key(studio: Studio, evaluation: Evaluation) -> str:
    """All that a base's answer depends on beside the question: its files, and how it is drawn."""
    path = studio.engine.base(evaluation.spec["base"]).path
    files = sorted(path.glob("*.safetensors")) if path else []
    weights = [(each.name, each.stat().st_size, each.stat().st_mtime_ns) for each in files]
    return json.dumps([evaluation.spec["base"], weights, evaluation.spec["sampling"]])


def measure_all(studio: Studio, evaluation: Evaluation, stopping: Stopping) -> None:
    """Measure the loss of the experts' answers under each arm, and of what the base drew by itself."""
    made = {
        (each["arm"], each["conversation"]) for each in evaluations.rows(evaluation.folder / "losses.jsonl")
    }
    waiting = [each for each in to_measure(studio, evaluation) if each[:2] not in made]
    with evaluations.appending(evaluation.folder / "losses.jsonl") as losses:

        def listed(now: Sequence[tuple[str, str, Said]], ended: Stopping) -> Iterator[int]:
            said = [each for _, _, each in now]
            for place, found in studio.engine.losses(evaluation.spec["base"], said, ended):
                arm, id, _ = now[place]
                losses.add(
                    {"arm": arm, "conversation": id, "losses": [(each.nats, each.tokens) for each in found]}
                )
                yield place

        in_turns(studio, waiting, listed, stopping)


def to_measure(studio: Studio, evaluation: Evaluation) -> Iterator[tuple[str, str, Said]]:
    """(arm, conversation, what is measured) of an evaluation whose answers are all there."""
    held = dict(runs.frozen_rows(evaluation.folder, "held_out"))
    for arm in evaluation.spec["arms"]:
        adapter = comparing.adapter(studio, Arm(arm["run"], point=arm.get("point")))
        for id, messages in runs.frozen_rows(evaluation.folder, arm["file"]):
            yield arm["arm"], id, Said((*messages, *held[id][first_answer(held[id]) :]), adapter)
    asked = dict(runs.frozen_rows(evaluation.folder, "arm-0"))
    for each in evaluations.rows(evaluation.folder / "answers.jsonl"):
        if each["arm"] == "drawn":
            answer = Message("assistant", each["text"])
            yield (
                "drawn",
                each["conversation"],
                Said((*asked[each["conversation"]], answer), None, not each["cut"]),
            )
    for id, messages in runs.frozen_rows(evaluation.folder, "gauge"):
        yield "gauge", id, Said(messages, None)
