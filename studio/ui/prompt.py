"""The Prompt tab: words before weights. The base model under a system text and a few of the examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.records import Answer, Conversation, Person
from studio.ui import drawing, need, prompt_held_out, show, talk
from studio.ui.drawing import Drawing
from studio.ui.shell import Shell
from studio.ui.wire import bind
from studio.work import models, prompting, serving, writing
from studio.work.studio import Studio

ADVICE = (
    "If words and a few examples are enough, do not train: a prompt is changed in a minute. Train when the best prompt "
    "here still does not sound like your own answers."
)


@dataclass(frozen=True)
class Parts:
    """The tab's components. `turns`: the conversation, kept by the page. `shown`: the project whose system text is in the box."""

    rest: gr.Row
    system: gr.Textbox
    use: gr.Button
    used: gr.HTML
    k: gr.Slider
    drawing: Drawing
    pane: gr.HTML
    message: gr.Textbox
    send: gr.Button
    stop: gr.Button
    again: gr.Button
    chosen: gr.HTML
    turns: gr.JSON
    shown: gr.JSON


def build(studio: Studio, shell: Shell) -> gr.Tab:
    """Lay out the Prompt tab and wire its events."""
    with gr.Tab("Prompt", id="prompt") as tab, gr.Column(elem_classes="page"):
        gr.HTML(show.note(ADVICE))
        needed = need.lay_out("prompt")
        with gr.Row(visible=False, elem_id="prompt-rest", elem_classes="sides") as rest:
            with gr.Column(scale=1, elem_classes="card", min_width=300):
                words = lay_out_words()
            with gr.Column(scale=2, elem_classes="card", min_width=320):
                asking = lay_out_asking()
        parts = Parts(rest, *words, *asking, gr.JSON([], visible=False), gr.JSON({}, visible=False))  # type: ignore[call-arg]
        held_out = prompt_held_out.lay_out()
    wire(studio, shell, tab, parts, needed)
    prompt_held_out.wire(studio, shell, tab, held_out, parts.system, parts.k)
    return tab


def lay_out_words() -> tuple[Any, ...]:
    system = gr.Textbox(
        label="System text", lines=4, max_lines=16, elem_id="prompt-system",
        info="What the model is told before every conversation: who it is and how it should answer.",
    )  # fmt: skip
    use = gr.Button("Use as the project's system text", elem_id="prompt-use", elem_classes="fit")
    used = gr.HTML(elem_id="prompt-used")
    k = gr.Slider(
        0, 8, 2, step=1, label="Examples shown to the model", elem_id="prompt-k", buttons=[],
        info="Those of your conversations that are nearest to the question. Held-out ones are never shown.",
    )  # fmt: skip
    return system, use, used, k, drawing.lay_out("prompt")


def lay_out_asking() -> tuple[Any, ...]:
    pane = gr.HTML(
        elem_id="prompt-pane",
        elem_classes="talk-box",
        js_on_load=serving.asset("follow.js").read_text("utf-8"),
    )
    with gr.Row(elem_classes="ask"):
        message = gr.Textbox(
            label="Your message", lines=1, max_lines=8, scale=8, elem_id="prompt-message",
            info="Enter sends it, Shift+Enter begins a new line.",
        )  # fmt: skip
        send = gr.Button("Send", variant="primary", elem_id="prompt-send", elem_classes="fit")
        stop = gr.Button("Stop", elem_id="prompt-stop", elem_classes="fit")
    with gr.Row(elem_classes="buttons"):
        again = gr.Button("Start again", elem_id="prompt-again", elem_classes="fit quiet")
    return pane, message, send, stop, again, gr.HTML(elem_id="prompt-chosen")


def wire(studio: Studio, shell: Shell, tab: gr.Tab, parts: Parts, needed: need.Need) -> None:
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    opened = [parts.rest, parts.system, parts.used, parts.pane, parts.turns, parts.chosen, parts.shown]
    need.wire(studio, shell, tab, needed, on_open, [shell.project, parts.shown], opened, **now)
    parts.use.click(bind(studio, on_use), [shell.project, parts.system], parts.used, **now)
    parts.system.input(lambda: "", None, parts.used, **now)
    sending = gr.on(
        [parts.message.submit, parts.send.click], bind(studio, on_ask),
        [shell.project, parts.system, parts.k, parts.message, parts.turns, *parts.drawing.inputs],
        [parts.pane, parts.turns, parts.message, parts.chosen],
        concurrency_id="accelerator", concurrency_limit=1, show_progress="hidden",
    )  # fmt: skip
    parts.stop.click(on_stop, parts.turns, parts.pane, cancels=[sending], **now)
    # In the same queue as the answers: a last frame of one that is being cancelled must not be drawn over the empty pane.
    parts.again.click(
        on_again, None, [parts.pane, parts.turns, parts.chosen], cancels=[sending],
        concurrency_id="accelerator", concurrency_limit=1, show_progress="hidden",
    )  # fmt: skip


def on_open(studio: Studio, person: Person, project: str, shown: Any) -> tuple[Any, ...]:
    """The project's own system text at the first visit; afterwards what was tried stays."""
    ready = gr.update(visible=models.base(studio, project).path is not None)
    if shown == {"project": project}:
        return ready, *(gr.skip() for _ in range(6))
    return ready, writing.by_id(studio, project).system, "", *on_again(), {"project": project}


def on_use(studio: Studio, person: Person, project: str, system: str) -> str:
    writing.set_system(studio, person, project, system)
    return '<p class="saved" role="status">Saved. New runs and conversations without a system text of their own use it.</p>'


def on_ask(
    studio: Studio,
    person: Person,
    project: str,
    system: str,
    k: float,
    message: str,
    turns: Any,
    *drawn_as: Any,
) -> Iterator[tuple[Any, ...]]:
    """Ask the base model under this prompt, and yield the conversation as the answer grows."""
    before = talk.checked(turns)
    history, sampling = talk.messages(before), drawing.sampling(*drawn_as)
    if message.strip():
        yield *drawn([*before, talk.turn(message)], talk.waiting(studio)), "", gr.skip()
    try:
        prompted = prompting.prompted(studio, project, system, int(k), history, message, sampling)
        chosen = examples(prompted.examples, prompted.dropped)

        def ask(stopping: Callable[[], bool]) -> Iterator[Answer]:
            return prompting.ask(studio, project, prompted, history, message, sampling, stopping)

        for answer in talk.paced(ask, lambda answer: answer.done):
            yield (
                *drawn([*before, talk.turn(message, answer)], "" if answer.done else talk.WRITING),
                "",
                chosen,
            )
    except Exception:
        yield *drawn(before), message, gr.skip()
        raise


def drawn(turns: list[talk.Turn], waiting: str = "") -> tuple[str, list[talk.Turn]]:
    return talk.pane(turns, waiting), turns


def examples(chosen: tuple[Conversation, ...], dropped: int) -> str:
    """Which conversations stood before the question, and how many found no room."""
    if not chosen and not dropped:
        return '<p class="soft">No examples were shown to the model.</p>'
    rows = [
        (f"{each.number:04}", next((m.content for m in each.messages if m.role == "user"), ""))
        for each in chosen
    ]
    short = (
        f"{show.counted(dropped, 'example')} found no room beside the question and the answer."
        if dropped
        else ""
    )
    listed = show.table(["Number", "Question"], rows, {0}, "Examples shown to the model") if rows else ""
    return f"<h3>Shown to the model before the question</h3>{listed}{show.note(short, 'warn')}"


def on_stop(turns: Any) -> str:
    return talk.pane(talk.checked(turns))


def on_again() -> tuple[str, list[talk.Turn], str]:
    """An empty conversation."""
    return talk.pane([]), [], ""
