"""The Compare tab: the same message to two models, both answering at once, each in its own conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from studio.core.records import Answer, Arm, Message, Person, Run, Sampling
from studio.ui import (
    compare_arms,
    compare_blind,
    compare_endpoint,
    compare_fix,
    compare_held_out,
    compare_prompt,
    compare_verdict,
    drawing,
    need,
    show,
    talk,
)
from studio.ui.compare_arms import BASE
from studio.ui.compare_endpoint import EndpointPart
from studio.ui.drawing import Drawing
from studio.ui.shell import Shell
from studio.ui.wire import bind
from studio.work import comparing, models, prompting, serving
from studio.work.studio import Studio

SIDES = ("left", "right")


@dataclass(frozen=True)
class Side:
    """One model's column."""

    arm: gr.Dropdown
    prompt: gr.Dropdown
    system: gr.Textbox
    pane: gr.HTML
    fix: gr.Button


@dataclass(frozen=True)
class Parts:
    """The tab's components. `talks`: both conversations. `offered`: for what the choices were made. `place`: how many
    held-out questions were asked."""

    rest: gr.Column
    said: gr.HTML
    left: Side
    right: Side
    message: gr.Textbox
    send: gr.Button
    stop: gr.Button
    next: gr.Button
    last: gr.Button
    again: gr.Button
    asked: gr.HTML
    drawing: Drawing
    endpoint: EndpointPart
    talks: gr.JSON
    offered: gr.JSON
    place: gr.State

    @property
    def panes(self) -> list[Any]:
        return [self.left.pane, self.right.pane, self.talks]


def build(studio: Studio, shell: Shell) -> gr.Tab:
    """Lay out the Compare tab and wire its events."""
    with gr.Tab("Compare", id="compare") as tab, gr.Column(elem_classes="page"):
        needed = need.lay_out("compare")
        parts = lay_out()
        judge = compare_blind.lay_out(studio)
        verdict = compare_verdict.lay_out()
    wire(studio, shell, tab, parts, needed)
    compare_blind.wire(studio, shell, tab, needed, judge)
    parts.endpoint.said.change(bind(studio, compare_blind.on_judge), shell.project, judge, queue=False, show_progress="hidden")  # fmt: skip
    compare_verdict.wire(studio, shell, tab, needed, verdict)
    return tab


def lay_out() -> Parts:
    with gr.Column(visible=False, elem_id="compare-rest") as rest:
        said = gr.HTML(elem_id="compare-said")
        with gr.Row(elem_classes="panes"):
            left, right = (lay_out_side(name) for name in SIDES)
        with gr.Column(elem_classes="card"):
            asked = gr.HTML(elem_id="compare-asked")
            with gr.Row(elem_classes="ask"):
                message = gr.Textbox(
                    label="Your message", lines=1, max_lines=8, scale=8, elem_id="compare-message",
                    info="Enter sends it to both, Shift+Enter begins a new line.",
                )  # fmt: skip
                send = gr.Button("Send", variant="primary", elem_id="compare-send", elem_classes="fit")
                stop = gr.Button("Stop", elem_id="compare-stop", elem_classes="fit")
            line = compare_endpoint.lay_out_line()
            with gr.Row(elem_classes="buttons"):
                following = gr.Button("Next held-out question", elem_id="compare-next", elem_classes="fit")
                last = gr.Button("Ask the last one again", elem_id="compare-last", elem_classes="fit quiet")
                again = gr.Button("Start again", elem_id="compare-again", elem_classes="fit quiet")
            drawn_by = drawing.lay_out("compare")
        endpoint = compare_endpoint.lay_out(line)
    # Kept by the page, not by the server: nothing in them is taken for true, and two windows do not mix.
    kept = gr.JSON([[], []], visible=False), gr.JSON({}, visible=False), gr.State(0)
    buttons = send, stop, following, last, again
    return Parts(rest, said, left, right, message, *buttons, asked, drawn_by, endpoint, *kept)


def lay_out_side(name: str) -> Side:
    with gr.Column(elem_classes=["card", "pane", name], min_width=320):
        arm = gr.Dropdown(
            [BASE], value="base", label=f"{name.title()} model", filterable=False, elem_id=f"compare-{name}"
        )
        prompt = compare_prompt.lay_out(name)
        with gr.Accordion("System text", open=False):
            system = gr.Textbox(
                label=f"System text of the {name} model", lines=2, max_lines=8, elem_id=f"compare-{name}-system",
                info="What the model is told before the conversation. It begins as the project's.",
            )  # fmt: skip
        pane = gr.HTML(
            elem_id=f"compare-{name}-pane",
            elem_classes="talk-box",
            js_on_load=serving.asset("follow.js").read_text("utf-8"),
        )
        fix = gr.Button("Fix this answer", elem_id=f"compare-{name}-fix", elem_classes="fit quiet")
    return Side(arm, prompt, system, pane, fix)


def wire(studio: Studio, shell: Shell, tab: gr.Tab, parts: Parts, needed: need.Need) -> None:
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    arms, under = [[getattr(side, each) for side in (parts.left, parts.right)] for each in ("arm", "prompt")]
    opened = [
        parts.rest, parts.said, *arms, parts.left.system, parts.right.system, *parts.panes, parts.offered, parts.place,
        *under, parts.asked, shell.handed,
    ]  # fmt: skip
    # preprocess=False: Gradio would refuse a run that its own session has not offered. `comparing.arm` checks what comes.
    given = [shell.project, *arms, parts.talks, parts.offered, *under, shell.handed]
    need.wire(studio, shell, tab, needed, on_open, given, opened, preprocess=False, **now)
    for changed in compare_endpoint.wire(studio, tab, parts.endpoint, arms):
        changed.then(bind(studio, on_open), given, opened, preprocess=False, **now)
    systems = [parts.left.system, parts.right.system]
    for prompt, system in zip(under, systems, strict=True):
        prompt.input(
            bind(studio, compare_prompt.on_prompt), [shell.project, prompt], system, preprocess=False, **now
        )
    sending = gr.on(
        [parts.message.submit, parts.send.click], bind(studio, on_ask),
        [shell.project, *arms, *under, *systems, parts.message, parts.talks, *parts.drawing.inputs],
        [*parts.panes, parts.message], concurrency_id="accelerator", concurrency_limit=1,
        preprocess=False, show_progress="hidden",
    )  # fmt: skip
    parts.stop.click(on_stop, parts.talks, parts.panes[:2], cancels=[sending], **now)
    question = [parts.message, parts.asked, parts.place]
    parts.next.click(bind(studio, compare_held_out.on_next), [shell.project, parts.place], question, **now)
    for place, side in enumerate((parts.left, parts.right)):
        fixing = [shell.project, gr.State(place), parts.talks, *arms, *under]
        side.fix.click(
            bind(studio, compare_fix.on_fix), fixing, [shell.handed, shell.tabs], preprocess=False, **now
        )
    # In the same queue as the answers: a last frame of one that is being cancelled must not be drawn over the empty panes.
    after: dict[str, Any] = {"cancels": [sending], "concurrency_id": "accelerator", "concurrency_limit": 1, "show_progress": "hidden"}  # fmt: skip
    parts.last.click(on_last, [parts.talks, parts.message], [*parts.panes, parts.message], **after)
    begun_anew = [parts.again.click, *(each.input for each in [*arms, *under])]
    gr.on(begun_anew, on_again, None, [*parts.panes, parts.asked], **after)


def on_open(
    studio: Studio,
    person: Person,
    project: str,
    left: str,
    right: str,
    talks: Any,
    offered: Any,
    left_prompt: str | None = "",
    right_prompt: str | None = "",
    handed: Any = None,
) -> tuple[Any, ...]:
    """The choices as they are now. A new run is put to the right; otherwise what a person chose stays, or was handed here."""
    runs = comparing.tuned(studio, project)
    newest = f"run:{runs[0].id}" if runs else "base"
    choices = compare_arms.choices(studio, project)
    known = {value for _, value in choices}
    now = {"project": project, "newest": newest}
    given, asked = compare_held_out.read(studio, project, handed)
    if given:
        offered, left, right, left_prompt, right_prompt = now, "base", given.model, "", given.prompt
    same = now == offered and left in known and right in known
    arms = (left, right) if same else ("base", newest)
    if isinstance(offered, dict) and offered.get("project") == project:
        pairs = [compare_prompt.refreshed(studio, project, each) for each in (left_prompt, right_prompt)]
    else:
        pairs = [
            (compare_prompt.refreshed(studio, project, "")[0], compare_prompt.words(studio, project, ""))
        ] * 2
    under, systems = zip(*pairs, strict=True)
    ready = models.base(studio, project).path is not None
    panes = (gr.skip(),) * 3 if same else drawn([[], []])
    place = gr.skip() if same else 0
    if given:
        systems = tuple(map(compare_held_out.system, given.systems, (left_prompt, right_prompt)))
        panes = drawn(given.talks)
    return gr.update(visible=ready), said(runs), *(gr.update(choices=choices, value=arm) for arm in arms), *systems, *panes, now, place, *under, asked, compare_held_out.taken(handed)  # fmt: skip


def said(runs: Sequence[Run]) -> str:
    """What to do while there is nothing tuned to compare with."""
    if runs:
        return ""
    return show.empty_state(
        "No tuned model yet",
        "Train one in the Train tab, and it stands on the right here. Until then, ask the base on both sides and give one "
        "of them a prompt or a system text: that shows what words alone can do.",
    )


def drawn(talks: Sequence[Sequence[talk.Turn]], waiting: str = "") -> tuple[Any, ...]:
    """(left pane, right pane, what the page keeps)"""
    left, right = talks
    return talk.pane(left, waiting), talk.pane(right, waiting), [list(left), list(right)]


def on_ask(
    studio: Studio,
    person: Person,
    project: str,
    left: str,
    right: str,
    left_prompt: str | None,
    right_prompt: str | None,
    left_system: str | None,
    right_system: str | None,
    message: str | None,
    talks: Any,
    *drawn_as: Any,
) -> Iterator[tuple[Any, ...]]:
    """Put one message to both sides and yield both conversations as the answers grow."""
    before = talk.checked_sides(talks, 2)
    question, histories = message or "", [talk.messages(each) for each in before]
    sampling = drawing.sampling(*drawn_as)
    sides = ((left, left_prompt, left_system), (right, right_prompt, right_system))

    def ask(stopping: Callable[[], bool]) -> Iterator[tuple[Answer, ...]]:
        arms = [
            side_arm(studio, project, *side, history, question, sampling)
            for side, history in zip(sides, histories, strict=True)
        ]
        return comparing.ask(studio, project, arms, histories, question, sampling, stopping)

    if question.strip():
        yield *drawn([[*each, talk.turn(question)] for each in before], talk.waiting(studio)), ""
    try:
        for answers in talk.paced(ask, lambda answers: all(each.done for each in answers)):
            talks_now = [
                [*each, talk.turn(question, answer)] for each, answer in zip(before, answers, strict=True)
            ]
            yield *drawn(talks_now, "" if all(each.done for each in answers) else talk.WRITING), ""
    except Exception:
        yield *drawn(before), question  # the question goes back to where it can be sent again
        raise


def side_arm(
    studio: Studio,
    project: str,
    model: str,
    prompt: str | None,
    system: str | None,
    history: Sequence[Message],
    question: str,
    sampling: Sampling,
) -> Arm:
    """A side's model under its kept prompt, with the examples for this question, or under the system text in its box."""
    arm = comparing.arm(studio, project, compare_prompt.arm_name(model, prompt), anywhere=True)
    if not arm.prompt:
        return replace(arm, system=system or "")
    return prompting.under(studio, project, arm, history, question, sampling).arm


def on_stop(talks: Any) -> tuple[str, str]:
    """Both panes as they stand."""
    left, right, _ = drawn(talk.checked_sides(talks, 2))
    return left, right


def on_again() -> tuple[Any, ...]:
    """Two empty conversations."""
    return *drawn([[], []]), ""


def on_last(talks: Any, message: str | None) -> tuple[Any, ...]:
    """The last question back in the box, to be changed or sent once more, and what was answered to it gone."""
    left, right = talk.checked_sides(talks, 2)
    return *drawn([left[:-1], right[:-1]]), left[-1]["question"] if left else message or ""
