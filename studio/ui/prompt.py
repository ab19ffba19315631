"""The Prompt tab: words before weights. The base model under a system text and a few of the examples."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.errors import BadInput
from studio.core.records import Answer, Arm, Message, Person, Sampling
from studio.ui import (
    asking,
    drawing,
    need,
    prompt_held_out,
    prompt_kept,
    prompt_pins,
    prompt_style,
    show,
    show_prompt,
    talk,
)
from studio.ui.asking import Asker, Left
from studio.ui.drawing import Drawing
from studio.ui.prompt_kept import Choice, Deeds, Past
from studio.ui.prompt_style import Help
from studio.ui.shell import Shell
from studio.ui.wire import bind
from studio.work import models, prompting, prompts, serving, style_writing, writing
from studio.work.studio import Studio

ADVICE = (
    "If words and a few examples are enough, do not train: a prompt is changed in a minute. Train when the best prompt "
    "here still does not sound like your own answers."
)
NEAREST = 2  # examples shown before a question unless somebody says otherwise


@dataclass(frozen=True)
class Parts:
    """The tab's components. `turns`: the conversation, kept by the page. `shown`: the project whose system text is in the box."""

    rest: gr.Column
    choice: Choice
    system: gr.Textbox
    help: Help
    k: gr.Slider
    pins: gr.HTML
    deeds: Deeds
    drawing: Drawing
    pane: gr.HTML
    message: gr.Textbox
    send: gr.Button
    stop: gr.Button
    look: gr.Button
    again: gr.Button
    chosen: gr.HTML
    past: Past
    turns: gr.JSON
    shown: gr.JSON
    asker: Asker

    @property
    def words(self) -> list[Any]:
        return [self.system, self.k, self.pins]


def build(studio: Studio, shell: Shell) -> gr.Tab:
    """Lay out the Prompt tab and wire its events."""
    with gr.Tab("Prompt", id="prompt") as tab, gr.Column(elem_classes="page"):
        gr.HTML(show.note(ADVICE))
        needed = need.lay_out("prompt")
        with gr.Column(visible=False, elem_id="prompt-rest") as rest:
            with gr.Row(elem_classes="sides"):
                with gr.Column(scale=1, elem_classes="card", min_width=300):
                    words = lay_out_words(studio)
                with gr.Column(scale=2, elem_classes="card", min_width=320):
                    chat = lay_out_asking()
            with gr.Column(elem_classes="card"):
                past = prompt_kept.lay_out_past()
        turns = gr.JSON([], visible=False)
        parts = Parts(rest, *words, *chat, past, turns, gr.JSON({}, visible=False), asking.lay_out(turns))  # type: ignore[call-arg]
        held_out = prompt_held_out.lay_out()
    wire(studio, shell, tab, parts, needed)
    prompt_held_out.wire(studio, shell, tab, held_out, parts.words)
    held_out.result.change(
        bind(studio, prompt_kept.on_results), [shell.project, parts.choice.prompt], parts.past.listed,
        queue=False, show_progress="hidden", preprocess=False,
    )  # fmt: skip
    return tab


def lay_out_words(studio: Studio) -> tuple[Any, ...]:
    choice = prompt_kept.lay_out_choice()
    system = gr.Textbox(
        label="System text", lines=4, max_lines=16, elem_id="prompt-system",
        info="What the model is told before every conversation: who it is and how it should answer.",
    )  # fmt: skip
    help = prompt_style.lay_out()
    k = gr.Slider(
        0, prompts.SHOTS, NEAREST, step=1, label="Examples shown to the model", elem_id="prompt-k", buttons=[],
        info="Those of your conversations that are nearest to the question. Held-out ones are never shown.",
    )  # fmt: skip
    pins = prompt_pins.lay_out(studio)
    return choice, system, help, k, pins, prompt_kept.lay_out_deeds(), drawing.lay_out("prompt")


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
        look = gr.Button("Show the prompt only", elem_id="prompt-look", elem_classes="fit quiet")
        again = gr.Button("Start again", elem_id="prompt-again", elem_classes="fit quiet")
    return pane, message, send, stop, look, again, gr.HTML(elem_id="prompt-chosen")


def wire(studio: Studio, shell: Shell, tab: gr.Tab, parts: Parts, needed: need.Need) -> None:
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    choice, deeds = parts.choice, parts.deeds
    opened = [
        parts.rest, parts.system, deeds.said, parts.pane, parts.turns, parts.chosen, parts.shown,
        parts.k, parts.pins, choice.prompt, choice.version, deeds.name, *parts.past.outputs, parts.help.write,
    ]  # fmt: skip
    # preprocess=False: Gradio would refuse a prompt that its own session has not offered.
    given = [shell.project, parts.shown, choice.prompt]
    need.wire(studio, shell, tab, needed).read(studio, on_open, given, opened, preprocess=False, **now)
    prompt_kept.wire(studio, shell, choice, deeds, parts.past, parts.words)
    prompt_style.wire(studio, shell.project, parts.help, parts.system)
    parts.system.input(lambda: ("", ""), None, [deeds.said, parts.help.said], **now)
    given = [shell.project, *parts.words, parts.message, parts.turns, *parts.drawing.inputs]
    asker = parts.asker
    asker.ask(
        studio, [parts.message.submit, parts.send.click], on_ask, given,
        [parts.pane, parts.turns, parts.message, parts.chosen],
    )  # fmt: skip
    parts.look.click(bind(studio, on_look), given, parts.chosen, **now)
    asker.leave(studio, [parts.stop.click], on_stop, [parts.turns], [parts.pane, parts.turns])
    # In another project, too, a conversation begins: what is still being written must not come into it.
    asker.leave(
        studio,
        [parts.again.click, shell.project.change],
        on_again,
        [],
        [parts.pane, parts.turns, parts.chosen],
    )


def on_open(
    studio: Studio, person: Person, project: str, shown: Any, kept: str | None = None
) -> tuple[Any, ...]:
    """What the project uses at the first visit; afterwards what was tried stays, and only the choice of prompts is new."""
    ready = gr.update(visible=models.base(studio, project).path is not None)
    writes = gr.update(visible=style_writing.able(studio, project))
    if shown == {"project": project}:
        choices = prompt_kept.choices(studio, project, str(kept or ""))
        return ready, *(gr.skip() for _ in range(8)), choices, *(gr.skip() for _ in range(5)), writes
    used = prompts.default(studio, project)
    found = prompts.versions(studio, project, used.id) if used else []
    return (
        ready, writing.by_id(studio, project).system, "", *emptied(), {"project": project},
        used.shots if used else NEAREST, prompt_pins.value(studio, project, used.pinned if used else ()),
        prompt_kept.choices(studio, project, used.id if used else ""),
        prompt_kept.version_choices(found, used.version if used else None),
        used.name if used else "", *prompt_kept.panel(studio, found), writes,
    )  # fmt: skip


def on_ask(
    studio: Studio,
    person: Person,
    left: Left,
    project: str,
    system: str,
    k: float,
    pins: Any,
    message: str,
    turns: Any,
    *drawn_as: Any,
) -> Generator[tuple[Any, ...]]:
    """Ask the base model under this prompt, and yield the conversation as the answer grows."""
    before = talk.checked(turns)
    history, sampling = talk.messages(before), drawing.sampling(*drawn_as)
    if message.strip():
        yield *drawn([*before, talk.turn(message)], talk.waiting(studio)), "", gr.skip()
    try:
        prompted, chosen = looked(studio, project, system, k, pins, history, message, sampling)

        def ask(stopping: Callable[[], bool]) -> Iterator[Answer]:
            return prompting.ask(studio, project, prompted, history, message, sampling, stopping)

        for answer in talk.paced(ask, lambda answer: answer.done, left):
            yield (
                *drawn([*before, talk.turn(message, answer)], "" if answer.done else talk.WRITING),
                gr.skip(),  # the next message may be being typed by now
                chosen,
            )
    except Exception:
        yield *drawn(before), message, gr.skip()
        raise


def on_look(
    studio: Studio,
    person: Person,
    project: str,
    system: str,
    k: float,
    pins: Any,
    message: str,
    turns: Any,
    *drawn_as: Any,
) -> str:
    """The examples for this question and the exact prompt, without an answer."""
    history = talk.messages(talk.checked(turns))
    return looked(studio, project, system, k, pins, history, message, drawing.sampling(*drawn_as))[1]


def looked(
    studio: Studio,
    project: str,
    system: str,
    k: float,
    pins: Any,
    history: tuple[Message, ...],
    message: str,
    sampling: Sampling,
) -> tuple[prompting.Prompted, str]:
    """The prompt for this question, and as the page shows it. Raises BadInput where there is no question."""
    if not message.strip():
        raise BadInput("There is no question yet. Write one and send it again.")
    arm, pinned = Arm(system=writing.cleaned(system or "", "The system text")), prompt_pins.ids(pins)
    prompted = prompting.prompted(studio, project, arm, int(k), pinned, history, message, sampling)
    tokens = prompting.seen(studio, project, prompted, history, message)
    return prompted, show_prompt.examples(prompted) + show_prompt.seen(tokens)


def drawn(turns: list[talk.Turn], waiting: str = "") -> tuple[str, list[talk.Turn]]:
    return talk.pane(turns, waiting), turns


def on_stop(studio: Studio, person: Person, turns: Any) -> tuple[str, list[talk.Turn]]:
    return drawn(talk.checked(turns))


def on_again(studio: Studio, person: Person) -> tuple[str, list[talk.Turn], str]:
    return emptied()


def emptied() -> tuple[str, list[talk.Turn], str]:
    """A conversation that has not begun."""
    return *drawn([]), ""
