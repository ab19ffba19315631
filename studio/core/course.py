"""How a run is going, told from its events: how far, how fast, what was best, and the sentence if it went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from studio.core.records import Run

RESUME = "Nothing in the set was lost. Resume it: it goes on from where it was saved last."
Point = tuple[int, float]  # update, loss in nats a token


@dataclass(frozen=True)
class Course:
    """`learned`, `held_out` and `general` are the loss curves. `trouble` is the sentence of a run without a result."""

    done: int
    updates: int
    tokens_a_second: float
    seconds_left: float | None
    learned: tuple[Point, ...]
    held_out: tuple[Point, ...]
    general: tuple[Point, ...]
    best: Point | None
    doing: str  # a few words for the header: fetching, loading, training ...
    trouble: str
    loading: dict[str, Any] | None
    rate: float = 0.0  # the learning rate of the last update
    memory: int = 0  # bytes, the most that the worker has held
    watched: tuple[tuple[int, tuple[str, ...]], ...] = ()  # update, and the answers to the watch-prompts then
    remarks: tuple[str, ...] = ()  # sentences on what did not go as planned, and was coped with

    @property
    def share(self) -> float:
        return self.done / self.updates if self.updates else 0.0


def course(run: Run) -> Course:
    """Read a run's events as one picture."""
    events = lasting(run.events)
    of = {
        kind: [each for each in events if each["kind"] == kind]
        for kind in ("stepped", "evaluated", "planned", "loading", "sampled")
    }
    steps, evaluated = of["stepped"], of["evaluated"]
    updates = of["planned"][-1]["updates"] if of["planned"] else 0
    done = steps[-1]["update"] if steps else 0
    held_out = curve(evaluated, "held_out_loss")
    return Course(
        done=done,
        updates=updates,
        tokens_a_second=pace(steps),
        seconds_left=seconds_left(events, done, updates) if run.state == "running" else None,
        learned=curve(steps, "loss"),
        held_out=held_out,
        general=curve(evaluated, "general_loss"),
        best=next(
            ((each["update"], each["held_out_loss"]) for each in reversed(evaluated) if each["best"]), None
        ),
        doing=doing(run, events),
        trouble=trouble(run, events, done),
        loading=of["loading"][-1] if of["loading"] else None,
        rate=steps[-1]["learning_rate"] if steps else 0.0,
        memory=steps[-1].get("memory_mb", 0) * 2**20 if steps else 0,
        watched=tuple((each["update"], tuple(each["answers"])) for each in of["sampled"]),
        remarks=tuple(remarks(events)),
    )


def curve(events: Sequence[dict[str, Any]], field: str) -> tuple[Point, ...]:
    return tuple((each["update"], each[field]) for each in events if each[field] is not None)


def as_csv(told: Course) -> str:
    """The curves as a table: update, learned, held-out and general loss; empty where nothing was measured."""
    columns = [dict(told.learned), dict(told.held_out), dict(told.general)]
    rows = [
        ",".join([str(update), *(str(each.get(update, "")) for each in columns)])
        for update in sorted(set().union(*columns))
    ]
    return "\n".join(["update,learned_loss,held_out_loss,general_loss", *rows]) + "\n"


def pace(steps: Sequence[dict[str, Any]]) -> float:
    """Tokens a second over the last twenty updates."""
    last = steps[-20:]
    seconds = sum(each["seconds"] for each in last)
    return float(sum(each["tokens"] for each in last) / seconds) if seconds else 0.0


def lasting(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without those that a resumed run makes again: what was done after the checkpoint that it goes on from."""
    kept: list[dict[str, Any]] = []
    for event in events:
        if event["kind"] == "resumed":
            kept = [each for each in kept if not undone(each, event)]
        kept.append(event)
    return kept


def undone(event: dict[str, Any], resumed: dict[str, Any]) -> bool:
    last = {"stepped": "update", "skipped": "update", "evaluated": "evaluated", "sampled": "evaluated"}
    return event["kind"] in last and event["update"] > resumed[last[event["kind"]]]


def clock(event: dict[str, Any]) -> float:
    """When an event was, in seconds; by the machine's own time in runs from before events told of a steadier one."""
    return float(event.get("clock", event["at"]))


def seconds_left(events: Sequence[dict[str, Any]], done: int, updates: int) -> float | None:
    """The time since the first evaluation, or since the run was resumed, carried on to the end; evaluations included."""
    begins = [each for each in events if each["kind"] == "evaluated"][:1]
    begins += [each for each in events if each["kind"] == "resumed" and each["update"]]
    if not begins or done <= begins[-1]["update"]:
        return None
    last = next(each for each in reversed(events) if each["kind"] == "stepped")
    so_far = clock(last) - clock(begins[-1])
    return so_far / (done - int(begins[-1]["update"])) * (updates - done)


def doing(run: Run, events: Sequence[dict[str, Any]]) -> str:
    if run.state == "starting" or not events:
        return "starting"
    last = events[-1]
    if last["kind"] == "fetching":
        return f"fetching the base model, {last['done'] / 1e6:.0f} of {last['total'] / 1e6:.0f} MB"
    return {"loading": "loading the base model", "planned": "measuring the base model"}.get(
        last["kind"], "training"
    )


def trouble(run: Run, events: Sequence[dict[str, Any]], done: int) -> str:
    if run.state == "failed":
        return str(events[-1]["message"])
    if run.state == "paused":
        if events[-1].get("early"):
            return f"It was stopped after {updates(done)}, before the held-out loss had fallen, so there is nothing to keep yet. {RESUME}"
        return f"It was told to end after {updates(done)}, as when a computer is shut down. {RESUME}"
    if run.state == "killed":
        return f"{killed(run.ended or {}, updates(done))} {RESUME}"
    return ""


def remarks(events: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What a run coped with: updates that were not made, rows that were halved, and how it was resumed."""
    if skipped := [each for each in events if each["kind"] == "skipped"]:
        last = skipped[-1]
        which = "" if len(skipped) == 1 else "the last of them, "
        yield f"{updates(len(skipped))} of the plan could not be made ({which}update {last['update']:,}): {last['why']}."
    for each in events:
        if each["kind"] == "halved":
            yield f"Memory ran short at update {each['update']:,}, so it goes on in rows of {each['row']:,} tokens: the same updates, more slowly."
        elif each["kind"] == "resumed":
            yield resumed(each)


def resumed(event: dict[str, Any]) -> str:
    where = f"after {updates(event['update'])}" if event["update"] else "from the beginning"
    damaged, changed = event.get("damaged", 0), event.get("changed", "")
    said = [f"It was resumed {where}."]
    if damaged:
        said.append(
            f"{damaged} of its saved states could not be read, and {'was' if damaged == 1 else 'were'} passed over."
        )
    if changed:
        said.append(
            f"Since it was planned something else is installed ({changed}), so it may end a little differently than uninterrupted."
        )
    return " ".join(said)


def updates(done: int) -> str:
    return f"{done:,} update{'' if done == 1 else 's'}"


def killed(ended: dict[str, Any], after: str) -> str:
    """What ended a run's process, as far as its last words tell: see store.runs.note_exit."""
    if ended.get("memory"):
        return (
            f"Memory ran out after {after}, and the operating system ended the run's process. "
            "Close other programs, or unload the chat model."
        )
    if ended.get("code", -1) >= 0:
        return f"The run's process ended by itself after {after}; worker.log in its folder tells more."
    return f"The run's process was ended from outside after {after}."
