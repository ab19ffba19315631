"""The Train tab laid out and wired: the plan before the button, the run while it goes, and the runs that were."""

from __future__ import annotations

from dataclasses import Field, dataclass, fields
from typing import Any

import gradio as gr

from studio.core.recipe import PRESET_HELP, PRESETS, QUANTIZATIONS, Recipe, plain
from studio.ui import need, train_plan, train_recipes, train_run, train_tracker, train_watch
from studio.ui.shell import Shell
from studio.ui.show import text
from studio.ui.wire import bind
from studio.work import models, serving
from studio.work.studio import Studio


@dataclass(frozen=True)
class PlanPart:
    """The plan's components. `hindered` says why training cannot start; the run part asks it, for it shares the button.
    `counted`: how many conversations the shown plan learns from and holds out, and its base."""

    figures: gr.HTML
    start: gr.Button
    measure: gr.Button
    busy: gr.HTML
    said: gr.HTML
    preset: gr.Radio
    help: gr.HTML
    general: gr.Slider
    left_out: gr.HTML
    settings: list[Any]
    recipes: train_recipes.RecipePart
    tracker: train_tracker.TrackerPart
    base_said: gr.HTML
    base: gr.Dropdown
    use: gr.Button
    hindered: gr.State
    counted: gr.State

    @property
    def inputs(self) -> list[Any]:
        return [self.preset, self.general, *self.settings]

    @property
    def outputs(self) -> list[Any]:
        shown = [self.figures, self.help, self.said, self.left_out, self.base_said]
        return [*shown, self.start, self.measure, self.hindered, self.counted, *self.settings]


@dataclass(frozen=True)
class RunPart:
    """The shown run's components. `chosen`: the run a person opened ("": the one going, else the newest). `seen`: what
    the page shows of which run, so that a tick can tell whether there is news. `nudge`: a new value makes the plan anew.
    """

    live: gr.HTML
    buttons: gr.Row
    keep: gr.Button
    discard: gr.Button
    sure: gr.Row
    discard_sure: gr.Button
    go_on: gr.Button
    over: gr.Row
    resume: gr.Button
    repeat: gr.Button
    said: gr.Accordion
    log: gr.HTML
    about: gr.Column
    note: gr.Textbox
    other: gr.Dropdown
    difference: gr.HTML
    history: gr.HTML
    chosen: gr.State
    seen: gr.State
    nudge: gr.Textbox

    def outputs(self, plan: PlanPart) -> list[Any]:
        stops = [self.buttons, self.keep, self.discard, self.sure, self.over, self.resume]
        return [
            self.live,
            self.said,
            self.log,
            *stops,
            *(self.about, self.note, self.other, self.difference),
            self.history,
            plan.start,
            plan.busy,
            self.chosen,
            self.seen,
            self.nudge,
        ]


def build(studio: Studio, shell: Shell) -> gr.Tab:
    """Lay out the Train tab and wire its events."""
    with gr.Tab("Train", id="train") as tab, gr.Column(elem_classes="page"):
        with gr.Column(elem_classes="card", elem_id="train-plan"):
            plan = lay_out_plan(studio)
            watch = train_watch.lay_out()
        needed = need.lay_out("train", variant="secondary")
        with gr.Column(elem_classes="card", elem_id="train-run"):
            run = lay_out_run()
    wire_run(studio, shell, tab, plan, run)
    train_watch.wire(studio, shell, tab, watch)
    train_recipes.wire(studio, tab, plan.recipes, plan.inputs)
    train_tracker.wire(studio, tab, plan.tracker)
    wire_plan(studio, shell, tab, plan, needed, run)
    return tab


def lay_out_plan(studio: Studio) -> PlanPart:
    figures, start, measure, busy, said = lay_out_figures()
    with gr.Row(elem_classes="strength"):
        names = [(each.title(), each) for each in PRESETS]
        preset = gr.Radio(
            names, value="standard", label="Strength", elem_id="train-preset", elem_classes="choice"
        )
        help = gr.HTML(f'<p class="soft">{text(PRESET_HELP["standard"])}</p>', elem_id="train-help")
    general = gr.Slider(
        0, 2, 1, step=0.25, label="General examples for each of yours", elem_id="train-general", buttons=[],
        info="Mixed in so that general knowledge stays. 1 is as many as yours (1:1); 0 mixes none in.",
    )  # fmt: skip
    left_out = gr.HTML(elem_id="train-left-out")
    base_said = gr.HTML(elem_id="train-base-line")
    settings, recipes, tracker = lay_out_advanced()
    with gr.Accordion("Use another base model", open=False, elem_id="train-base"):
        base, use = lay_out_base(studio)
    hindered, counted = gr.State(""), gr.State(())
    return PlanPart(
        figures,
        start,
        measure,
        busy,
        said,
        preset,
        help,
        general,
        left_out,
        settings,
        recipes,
        tracker,
        base_said,
        base,
        use,
        hindered,
        counted,
    )


def lay_out_figures() -> tuple[gr.HTML, gr.Button, gr.Button, gr.HTML, gr.HTML]:
    with gr.Row(elem_classes="plan-row"):
        figures = gr.HTML('<p class="soft">Counting the examples.</p>', elem_id="train-figures")
        start = gr.Button(
            "Start training", variant="primary", interactive=False, elem_id="train-start", elem_classes="fit"
        )
    measure = gr.Button(
        "Measure time and memory here (half a minute)",
        visible=False,
        elem_id="train-measure",
        elem_classes="fit quiet",
    )
    busy, said = gr.HTML(elem_id="train-busy"), gr.HTML(elem_id="train-said")
    return figures, start, measure, busy, said


def lay_out_advanced() -> tuple[list[Any], train_recipes.RecipePart, train_tracker.TrackerPart]:
    with gr.Accordion("Advanced settings", open=False, elem_id="train-advanced"):
        gr.HTML(
            '<p class="soft">An empty field follows the strength chosen above; what that is stands in it in grey.</p>'
        )
        with gr.Row(elem_classes="settings"):
            settings = [setting(each) for each in advanced()]
        recipes, tracker = train_recipes.lay_out(), train_tracker.lay_out()
    return settings, recipes, tracker


def advanced() -> list[Field[Any]]:
    """The settings of a recipe without a control of their own above."""
    return [each for each in fields(Recipe) if each.name != "general"]


def setting(each: Field[Any]) -> Any:
    """One setting's field, made from what the recipe says of it."""
    facts, name = each.metadata, f"train-{each.name.replace('_', '-')}"
    if each.name == "quantization":
        return gr.Dropdown(
            list(QUANTIZATIONS), value="auto", label=facts["label"], info=facts["help"], elem_id=name
        )
    info = f"{facts['help']} {plain(facts['low'])} to {plain(facts['high'])}."
    # A text field: Gradio's number field turns an empty value into 0 when it is first drawn.
    return gr.Textbox("", label=facts["label"], info=info, max_lines=1, elem_id=name)


def lay_out_base(studio: Studio) -> tuple[gr.Dropdown, gr.Button]:
    choices = [(each.title, each.id) for each in models.catalogue(studio)]
    base = gr.Dropdown(
        choices, value=None, allow_custom_value=True, label="Base model", elem_id="train-base-choice",
        info="Choose one, or type a model's folder on this machine or its name on the Hugging Face hub (safetensors only).",
    )  # fmt: skip
    return base, gr.Button("Use this base model", elem_id="train-base-use", elem_classes="fit")


def lay_out_run() -> RunPart:
    live = gr.HTML(elem_id="train-live")
    with gr.Row(visible=False, elem_classes=["buttons", "stops"]) as buttons:
        keep = gr.Button("Stop and keep the best", elem_id="train-keep", elem_classes="fit")
        discard = gr.Button("Stop and discard", elem_id="train-discard", elem_classes="fit quiet")
    with gr.Row(visible=False, elem_classes="buttons") as sure:
        gr.HTML(
            '<p class="note warn" role="status">Everything that this run has learned is thrown away then.</p>'
        )
        discard_sure = gr.Button(
            "Discard it", elem_id="train-discard-sure", elem_classes="fit", variant="stop"
        )
        go_on = gr.Button("Go on training", elem_id="train-go-on", elem_classes="fit")
    with gr.Row(visible=False, elem_classes="buttons") as over:
        resume = gr.Button("Resume", variant="primary", elem_id="train-resume", elem_classes="fit")
        repeat = gr.Button("Repeat with changes", elem_id="train-repeat", elem_classes="fit quiet")
    with gr.Accordion(
        "Everything that this run said", open=False, visible=False, elem_id="train-log"
    ) as said:
        log = gr.HTML()
    about = lay_out_about()
    history = gr.HTML(js_on_load=serving.asset("press.js").read_text("utf-8"), elem_id="train-history")
    # The last is a field, though nobody sees it: a gr.State does not tell of changes that a tick makes.
    states = gr.State(""), gr.State({}), gr.Textbox(visible="hidden", elem_id="train-nudge")
    stops = live, buttons, keep, discard, sure, discard_sure, go_on
    return RunPart(*stops, over, resume, repeat, said, log, *about, history, *states)


def lay_out_about() -> tuple[gr.Column, gr.Textbox, gr.Dropdown, gr.HTML]:
    """What a person says of a run, and what is different from another one."""
    with gr.Column(visible=False) as about:
        note = gr.Textbox(
            "", label="Note", placeholder="What you think of this run", max_lines=3, elem_id="train-note"
        )
        with gr.Accordion("Compare with another run", open=False, elem_id="train-other"):
            other = gr.Dropdown([], value=None, label="The other run", elem_id="train-other-choice")
            difference = gr.HTML(elem_id="train-difference")
    return about, note, other, difference


def wire_plan(
    studio: Studio, shell: Shell, tab: gr.Tab, plan: PlanPart, needed: need.Need, run: RunPart
) -> None:
    """The plan is made anew when the tab is opened, when its base has come, when a run is over, and when it is changed."""
    inputs, calm = [shell.project, *plan.inputs], {"concurrency_limit": None, "show_progress": "hidden"}
    planned = bind(studio, train_plan.on_plan)
    # One event for all of them: of plans that overlap the last is drawn, never a slow early one over a newer.
    gr.on(
        [each.change for each in (*plan.inputs, run.nudge)], planned, inputs, plan.outputs,
        trigger_mode="always_last", **calm,
    )  # fmt: skip
    nudged: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    need.wire(studio, shell, tab, needed).read(studio, train_plan.on_nudge, [], [run.nudge], **nudged)
    plan.use.click(
        bind(studio, train_plan.on_base), [shell.project, plan.base], needed.outputs, **calm
    ).success(planned, inputs, plan.outputs, **calm)


def wire_run(studio: Studio, shell: Shell, tab: gr.Tab, plan: PlanPart, run: RunPart) -> None:
    outputs, where = run.outputs(plan), [shell.project, plan.hindered, run.chosen]
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    tab.select(bind(studio, train_run.on_show), where, outputs, **now)
    shell.tick.tick(bind(studio, train_run.on_tick), [*where, run.seen], outputs, **now)
    # Outside the queue, like the ticks: what it answers must not arrive after what a later tick has told.
    plan.start.click(
        bind(studio, train_run.on_start), [shell.project, run.seen, plan.counted, *plan.inputs], outputs,
        queue=False, show_progress="minimal", show_progress_on=plan.figures,
    )  # fmt: skip
    plan.measure.click(bind(studio, train_run.on_measure), [shell.project, *plan.inputs], outputs, **now)
    run.keep.click(bind(studio, train_run.on_keep), [*where, run.seen], outputs, **now)
    run.discard.click(train_run.on_ask, None, [run.buttons, run.sure], **now)
    run.go_on.click(train_run.on_go_on, None, [run.buttons, run.sure], **now)
    run.discard_sure.click(bind(studio, train_run.on_discard), [*where, run.seen], outputs, **now)
    run.note.blur(bind(studio, train_run.on_note), [run.seen, run.note], None, **now)
    run.other.input(bind(studio, train_run.on_other), [run.seen, run.other], [run.difference], **now)
    run.resume.click(bind(studio, train_run.on_resume), [*where, run.seen], outputs, **now)
    run.repeat.click(bind(studio, train_run.on_repeat), [run.seen], plan.inputs, **now)
    run.history.click(bind(studio, train_run.on_press), where, outputs, **now)
