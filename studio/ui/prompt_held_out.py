"""Run on held-out, in the Prompt tab: choose who answers, follow it, and read what it showed.

Everything shown is read from the evaluation's folder, so a refreshed page, another window and a restarted server show the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.errors import BadInput
from studio.core.evaluation import Evaluation
from studio.core.records import Person
from studio.ui import prompt_pins, show_held_out, show_run
from studio.ui.shell import Shell
from studio.ui.show_held_out import ORDERS
from studio.ui.wire import bind
from studio.work import (
    comparing,
    evaluating,
    evaluation_plan,
    measuring,
    occupied,
    planning,
    prompts,
    serving,
)
from studio.work.measuring import Compared
from studio.work.studio import Studio

PAGE = 20  # questions
USUAL = 20  # questions that the field begins with: enough for a first look, soon done
PRESENT = ("The words above", "prompt")
ADVICE = (
    '<h2>Run on held-out</h2><p class="soft">Held-out questions are those of your conversations that no model has learned. The base as it '
    "came always answers them, too: it is what the others are measured by.</p>"
)


@dataclass(frozen=True)
class Parts:
    """`seen`: which evaluation the page shows, and how far it was then. `place`: the page of the answers, from 0."""

    arms: gr.CheckboxGroup
    limit: gr.Number
    run: gr.Button
    stop: gr.Button
    go_on: gr.Button
    live: gr.HTML
    result: gr.HTML
    order: gr.Dropdown
    answers: gr.HTML
    seen: gr.State
    place: gr.State

    @property
    def shown(self) -> list[Any]:
        return [
            self.run,
            self.stop,
            self.go_on,
            self.live,
            self.result,
            self.order,
            self.answers,
            self.seen,
            self.place,
        ]


def lay_out() -> Parts:
    with gr.Column(elem_classes="card", elem_id="held-out"):
        gr.HTML(ADVICE)
        with gr.Row(elem_classes="buttons"):
            arms = gr.CheckboxGroup([PRESENT], value=["prompt"], label="Who answers", elem_id="held-out-arms")
            limit = gr.Number(USUAL, label="Questions", precision=0, minimum=1, elem_id="held-out-limit", elem_classes="short")  # fmt: skip
            run = gr.Button("Run on held-out", elem_id="held-out-run", elem_classes="fit")
            stop = gr.Button("Stop", visible=False, elem_id="held-out-stop", elem_classes="fit")
            go_on = gr.Button("Go on", visible=False, elem_id="held-out-go-on", elem_classes="fit")
        live = gr.HTML(elem_id="held-out-live")
        result = gr.HTML(elem_id="held-out-result")
        order = gr.Dropdown(
            list(ORDERS), value="apart", label="Order of the answers", filterable=False, visible=False, elem_id="held-out-order"
        )  # fmt: skip
        pressing = "\n".join(serving.asset(each).read_text("utf-8") for each in ("press.js", "fold.js"))
        answers = gr.HTML(js_on_load=pressing, elem_id="held-out-answers")
    return Parts(arms, limit, run, stop, go_on, live, result, order, answers, gr.State({}), gr.State(0))


def wire(studio: Studio, shell: Shell, tab: gr.Tab, parts: Parts, words: list[Any]) -> None:
    """`words`: the fields with the present system text, the number of examples, and the pinned ones."""
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    where, reading = [shell.project, parts.order], [shell.project, parts.order, parts.place]
    # preprocess=False: Gradio would refuse a run that its own session has not offered. The verb checks what comes.
    tab.select(
        bind(studio, on_open), [shell.project, parts.arms, parts.limit, *where[1:]], [parts.arms, parts.limit, *parts.shown],
        preprocess=False, **now,
    )  # fmt: skip
    shell.tick.tick(bind(studio, on_tick), [*reading, parts.seen], parts.shown, **now)
    parts.run.click(
        bind(studio, on_run),
        [*where, parts.arms, parts.limit, *words],
        parts.shown,
        preprocess=False,
        **now,
    )
    parts.stop.click(bind(studio, on_stop), [*reading, parts.seen], parts.shown, **now)
    parts.go_on.click(bind(studio, on_go_on), [*reading, parts.seen], parts.shown, **now)
    parts.order.input(bind(studio, on_show), where, parts.shown, **now)
    parts.answers.click(
        bind(studio, on_press), [*where, parts.seen], [*parts.shown, shell.handed, shell.tabs], **now
    )


def on_open(
    studio: Studio, person: Person, project: str | None, chosen: Any, limit: Any, order: Any
) -> tuple[Any, ...]:
    """The choices as they are now; what a person chose stays, where it is still there."""
    if not project:
        return (gr.skip(),) * 11
    runs = comparing.tuned(studio, project)
    kept_prompts = (
        (f"Prompt “{each.name}”", f"prompt:{each.name}") for each in prompts.all_of(studio, project)
    )
    both = (
        (f"{show_run.label(run)} under “{each.name}”", f"run:{run.id}+prompt:{each.name}")
        for run in runs[:1]
        for each in prompts.all_of(studio, project)
    )
    choices = [PRESENT, *kept_prompts, *((show_run.label(each), f"run:{each.id}") for each in runs), *both]
    known = [value for _, value in choices]
    kept = [each for each in chosen or () if each in known]
    there = len(planning.sides(studio, project).held_out)
    most = gr.update(value=min(number(limit) or USUAL, there) or 1, label=f"Questions, of {there:,}")
    return gr.update(choices=choices, value=kept), most, *on_show(studio, person, project, order)


def number(given: Any) -> int:
    """What was typed, 0 for no number."""
    try:
        return int(given)
    except (TypeError, ValueError, OverflowError):
        return 0


def on_show(studio: Studio, person: Person, project: str, order: str, place: int = 0) -> tuple[Any, ...]:
    """The newest evaluation, as its folder tells it."""
    found = evaluating.newest(studio, project)
    state = found.state if found else ""
    shown, at, pages = table(found, order, place)
    return (
        gr.update(interactive=state != "going"),
        gr.update(visible=state == "going", interactive=True),
        gr.update(visible=state == "stopped"),
        show_held_out.live(found, occupied.training(studio)),
        show_held_out.result(found),
        gr.update(visible=bool(shown)),
        show_held_out.answers(shown, at, pages),
        seen_of(found),
        at,
    )


def table(found: Evaluation | None, order: str, place: int) -> tuple[list[Compared], int, int]:
    """(the questions of one page, which page it is, how many there are)"""
    everything = measuring.compared(found, order) if found and found.state == "done" else []
    pages = -(-len(everything) // PAGE)
    at = min(max(place, 0), max(pages - 1, 0))
    return everything[at * PAGE : (at + 1) * PAGE], at, pages


def seen_of(found: Evaluation | None) -> dict[str, Any]:
    return {"id": found.id, "state": found.state, "done": found.done} if found else {"id": ""}


def on_tick(studio: Studio, person: Person, project: str | None, order: str, place: int, seen: Any) -> Any:
    """News of the newest evaluation; nothing where there is none, and little work where it is over."""
    if not project or not seen:  # not opened yet, or a restarted server that knows nothing of this page
        return on_show(studio, person, project, order) if project and not seen else gr.skip()
    if seen.get("state") == "done" and evaluating.is_newest(studio, seen["id"]):
        return gr.skip()
    found = evaluating.newest(studio, project)
    now = seen_of(found)
    if now == seen:
        return gr.skip()
    if found and now["state"] == "going" and seen.get("id") == found.id and seen.get("state") == "going":
        same = gr.skip()
        return (
            same,
            same,
            same,
            show_held_out.live(found, occupied.training(studio)),
            same,
            same,
            same,
            now,
            same,
        )
    return on_show(studio, person, project, order, place)


def on_run(
    studio: Studio,
    person: Person,
    project: str,
    order: str,
    chosen: Any,
    limit: Any,
    system: Any,
    shots: Any,
    pins: Any,
) -> tuple[Any, ...]:
    """Begin; where the same was asked before and cut off, go on with that."""
    if not isinstance(chosen, list) or not all(isinstance(each, str) for each in chosen):
        raise BadInput("This page has lost track of who shall answer. Load it again.")
    words = evaluation_plan.typed(system, number(shots), prompt_pins.ids(pins))
    evaluating.begin(studio, person, project, chosen, words, number(limit))
    return on_show(studio, person, project, order)


def on_stop(
    studio: Studio, person: Person, project: str, order: str, place: int, seen: Any
) -> tuple[Any, ...]:
    evaluating.stop(studio, project, seen["id"])
    return on_show(studio, person, project, order, place)


def on_go_on(
    studio: Studio, person: Person, project: str, order: str, place: int, seen: Any
) -> tuple[Any, ...]:
    evaluating.go_on(studio, project, seen["id"])
    return on_show(studio, person, project, order, place)


def on_press(
    studio: Studio, person: Person, project: str, order: str, seen: Any, event: gr.EventData
) -> tuple[Any, ...]:
    """Another page of the answers; or a question with one arm's answer and the base's, in Compare."""
    if event.press == "page":
        return *on_show(studio, person, project, order, number(event.id)), gr.skip(), gr.skip()
    question, _, arm = str(event.id).partition(":")
    handed = {"evaluation": seen["id"], "number": number(question), "arm": number(arm)}
    return *(gr.skip() for _ in range(9)), handed, gr.update(selected="compare")
