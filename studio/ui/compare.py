"""The Compare tab: the same message to two to four models, all answering at once, each in its own conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.records import Person
from studio.ui import (
    asking,
    compare_arms,
    compare_blind,
    compare_columns,
    compare_endpoint,
    compare_fix,
    compare_held_out,
    compare_prompt,
    compare_talk,
    compare_verdict,
    drawing,
    need,
    show,
)
from studio.ui.asking import Asker
from studio.ui.compare_arms import BASE, FEWEST, SIDES
from studio.ui.compare_endpoint import EndpointPart
from studio.ui.drawing import Drawing
from studio.ui.shell import Shell
from studio.ui.wire import bind
from studio.work import models, serving
from studio.work.studio import Studio


@dataclass(frozen=True)
class Side:
    """One model's column. `at`: its place among them. `remove`: None for those that are always there."""

    at: gr.State
    column: gr.Column
    arm: gr.Dropdown
    prompt: gr.Dropdown
    system: gr.Textbox
    pane: gr.HTML
    fix: gr.Button
    remove: gr.Button | None


@dataclass(frozen=True)
class Parts:
    """The tab's components. `many`: how many sides are shown. `talks`: their conversations. `offered`: for what the choices
    were made. `place`: how many held-out questions were asked."""

    rest: gr.Column
    said: gr.HTML
    add: gr.Button
    sides: Sequence[Side]
    message: gr.Textbox
    send: gr.Button
    stop: gr.Button
    next: gr.Button
    retry: gr.Button
    last: gr.Button
    again: gr.Button
    asked: gr.HTML
    drawing: Drawing
    endpoint: EndpointPart
    many: gr.Number
    talks: gr.JSON
    offered: gr.JSON
    place: gr.State
    asker: Asker

    def each(self, *names: str) -> list[Any]:
        """These parts of all sides, the first one's of all, then the second one's."""
        return [getattr(side, name) for name in names for side in self.sides]

    @property
    def panes(self) -> list[Any]:
        return [*self.each("pane"), self.talks]

    @property
    def columns(self) -> list[Any]:
        return [self.many, self.add, *self.each("column", "arm", "prompt", "system")]


def build(studio: Studio, shell: Shell) -> gr.Tab:
    """Lay out the Compare tab and wire its events."""
    with gr.Tab("Compare", id="compare") as tab, gr.Column(elem_classes="page"):
        needed = need.lay_out("compare")
        parts = lay_out()
        judge = compare_blind.lay_out(studio)
        verdict = compare_verdict.lay_out()
    looks = need.wire(studio, shell, tab, needed)
    wire(studio, shell, tab, parts, looks)
    compare_blind.wire(studio, shell, looks, judge)
    parts.endpoint.said.change(bind(studio, compare_blind.on_judge), shell.project, judge, **NOW)
    compare_verdict.wire(studio, shell, looks, verdict)
    return tab


def lay_out() -> Parts:
    with gr.Column(visible=False, elem_id="compare-rest") as rest:
        said = gr.HTML(elem_id="compare-said")
        with gr.Row(elem_classes="panes", elem_id="compare-panes"):
            sides = [lay_out_side(place, name) for place, name in enumerate(SIDES)]
        with gr.Column(elem_classes="card"):
            asked = gr.HTML(elem_id="compare-asked")
            with gr.Row(elem_classes="ask"):
                message = gr.Textbox(
                    label="Your message", lines=1, max_lines=8, scale=8, elem_id="compare-message",
                    info="Enter sends it to all of them, Shift+Enter begins a new line.",
                )  # fmt: skip
                send = gr.Button("Send", variant="primary", elem_id="compare-send", elem_classes="fit")
                stop = gr.Button("Stop", elem_id="compare-stop", elem_classes="fit")
            line = compare_endpoint.lay_out_line()
            with gr.Row(elem_classes="buttons"):
                following = gr.Button("Next held-out question", elem_id="compare-next", elem_classes="fit")
                retry = gr.Button("Answer again", elem_id="compare-retry", elem_classes="fit quiet")
                last = gr.Button("Change the last question", elem_id="compare-last", elem_classes="fit quiet")
                again = gr.Button("Start again", elem_id="compare-again", elem_classes="fit quiet")
                gr.Checkbox(False, label="Show Markdown", container=False, elem_id="compare-marked")
                add = gr.Button("Add a model", elem_id="compare-add", elem_classes="fit")
            drawn_by = drawing.lay_out("compare")
        endpoint = compare_endpoint.lay_out(line)
    # Kept by the page, not by the server: nothing in them is taken for true, and two windows do not mix.
    kept = gr.Number(FEWEST, precision=0, visible=False), gr.JSON([], visible=False), gr.JSON({}, visible=False), gr.State(0)  # fmt: skip
    return Parts(rest, said, add, sides, message, send, stop, following, retry, last, again, asked, drawn_by, endpoint, *kept, asking.lay_out(kept[1]))  # fmt: skip


def lay_out_side(place: int, name: str) -> Side:
    shown = place < FEWEST
    with gr.Column(elem_classes=["card", "pane", name], min_width=320, visible=shown) as column:
        with gr.Row(elem_classes="who"):
            arm = gr.Dropdown(
                [BASE], value="base", label=f"{name.title()} model", filterable=False, min_width=200,
                elem_id=f"compare-{name}",
            )  # fmt: skip
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
        with gr.Row(elem_classes="buttons"):
            fix = gr.Button("Fix this answer", elem_id=f"compare-{name}-fix", elem_classes="fit quiet")
            remove = None if shown else gr.Button("Remove this model", elem_id=f"compare-{name}-remove", elem_classes="fit quiet")  # fmt: skip
    return Side(gr.State(place), column, arm, prompt, system, pane, fix, remove)


NOW: dict[str, Any] = {"queue": False, "show_progress": "hidden"}


def wire(studio: Studio, shell: Shell, tab: gr.Tab, parts: Parts, looks: need.Looks) -> None:
    opened = [parts.rest, parts.said, *parts.columns, *parts.panes, parts.offered, parts.place, parts.asked, shell.handed]  # fmt: skip
    # preprocess=False: Gradio would refuse a run that its own session has not offered. `comparing.arm` checks what comes.
    given = [shell.project, parts.many, parts.offered, shell.handed, *parts.each("arm", "prompt")]
    looks.read(studio, on_open, given, opened, preprocess=False, **NOW)
    for changed in compare_endpoint.wire(studio, tab, parts.endpoint, parts.many, parts.each("arm")):
        changed.then(bind(studio, on_open), given, opened, preprocess=False, **NOW)
    parts.next.click(
        bind(studio, compare_held_out.on_next),
        [shell.project, parts.place],
        [parts.message, parts.asked, parts.place],
        **NOW,
    )
    parts.add.click(
        bind(studio, compare_columns.on_add),
        [shell.project, parts.many, *parts.each("arm")],
        [*parts.columns, *parts.each("pane")],
        preprocess=False,
        **NOW,
    )
    wire_asking(studio, shell, parts)
    for side in parts.sides:
        wire_side(studio, shell, parts, side)


def wire_asking(studio: Studio, shell: Shell, parts: Parts) -> None:
    asker, panes, message = parts.asker, parts.panes, parts.message
    chosen = [parts.many, parts.talks, *parts.drawing.inputs, *parts.each("arm", "prompt", "system")]
    asker.ask(
        studio, [message.submit, parts.send.click], compare_talk.on_ask, [shell.project, message, *chosen],
        [*panes, message], preprocess=False,
    )  # fmt: skip
    asker.ask(
        studio, [parts.retry.click], compare_talk.on_retry, [shell.project, *chosen], [*panes, parts.drawing.seed],
        instead=True, preprocess=False,
    )  # fmt: skip
    asker.leave(studio, [parts.stop.click], compare_talk.on_stop, [parts.talks], panes)
    asker.leave(studio, [parts.last.click], compare_talk.on_last, [parts.talks, message], [*panes, message])
    # Another project begins with empty conversations, too: what is still being written must not come into them.
    asker.leave(
        studio, [parts.again.click, shell.project.change], compare_talk.on_again, [], [*panes, parts.asked]
    )


def wire_side(studio: Studio, shell: Shell, parts: Parts, side: Side) -> None:
    """What each side has of its own."""
    asker = parts.asker
    side.prompt.input(
        bind(studio, compare_prompt.on_prompt),
        [shell.project, side.prompt],
        side.system,
        preprocess=False,
        **NOW,
    )
    asker.leave(
        studio, [side.arm.input, side.prompt.input], compare_talk.on_chosen, [side.at, parts.talks],
        [*parts.panes, parts.asked],
    )  # fmt: skip
    side.fix.click(
        bind(studio, compare_fix.on_fix), [shell.project, side.at, parts.talks, *parts.each("arm", "prompt")],
        [shell.handed, shell.tabs], preprocess=False, **NOW,
    )  # fmt: skip
    if side.remove:
        asker.leave(
            studio, [side.remove.click], compare_columns.on_remove,
            [shell.project, side.at, parts.many, parts.talks, *parts.each("arm", "prompt", "system")],
            [*parts.columns, *parts.panes], preprocess=False,
        )  # fmt: skip


def on_open(
    studio: Studio,
    person: Person,
    project: str,
    many: int,
    offered: Any,
    handed: Any,
    *chosen: str | None,
) -> tuple[Any, ...]:
    """The choices as they are now. A new run is put to the right; otherwise what a person chose stays, or was handed here."""
    choices = compare_arms.choices(studio, project)
    newest = compare_arms.newest(choices)
    now = {"project": project, "newest": newest}
    arms, under = compare_arms.by_kind(chosen)
    many = compare_arms.shown(many)
    given, asked = compare_held_out.read(studio, project, handed)
    if given:
        offered, many, arms[:2], under[:2] = now, FEWEST, ["base", given.model], ["", given.prompt]
    same = now == offered and {*arms[:many]} <= {value for _, value in choices}
    if not same:
        many, arms = FEWEST, ["base", newest, "base", "base"]
    mine = isinstance(offered, dict) and offered.get("project") == project
    prompts, systems = compare_prompt.of_sides(studio, project, under, mine)
    panes = (gr.skip(),) * (len(SIDES) + 1) if same else compare_talk.emptied()[:-1]
    if given:
        systems[:2] = map(compare_held_out.system, given.systems, under)
        panes = compare_talk.drawn(given.talks)
    return (
        gr.update(visible=models.base(studio, project).path is not None), said(newest != "base"), many, compare_columns.addable(many),
        *compare_columns.columns(many), *(gr.update(choices=choices, value=arm) for arm in arms), *prompts, *systems,
        *panes, now, gr.skip() if same else 0, asked, compare_held_out.taken(handed),
    )  # fmt: skip


def said(tuned: bool) -> str:
    """What to do while there is nothing tuned to compare with."""
    if tuned:
        return ""
    return show.empty_state(
        "No tuned model yet",
        "Train one in the Train tab, and it stands on the right here. Until then, ask the base on both sides and give one "
        "of them a prompt or a system text: that shows what words alone can do.",
    )
