"""A model elsewhere, in the Compare tab: its address, folded away and off until somebody switches it on, and who is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.endpoint import Endpoint, titled
from studio.core.errors import StudioError
from studio.core.records import Person
from studio.ui import compare_arms
from studio.ui.show import note, text
from studio.ui.wire import bind
from studio.work import elsewhere
from studio.work.studio import Studio

TITLE = "A model elsewhere"
WHAT = (
    "Set another model beside yours: any server with an OpenAI-compatible address, such as llama.cpp, Ollama or vLLM on this "
    "machine or in your network, or one on the internet. While it is off, nothing is sent. While it is on, a column that uses "
    "it sends your questions there, with the conversation so far, the system text and the examples."
)


@dataclass(frozen=True)
class EndpointPart:
    """`line` stands by the message box and says who is asked besides."""

    line: gr.HTML
    fold: gr.Accordion
    url: gr.Textbox
    model: gr.Textbox
    key: gr.Textbox
    on: gr.Button
    off: gr.Button
    forget: gr.Button
    try_it: gr.Button
    said: gr.HTML

    @property
    def typed(self) -> list[Any]:
        return [self.url, self.model, self.key]

    @property
    def shown(self) -> list[Any]:
        return [self.fold, *self.typed, self.on, self.off, self.forget, self.said]


def lay_out_line() -> gr.HTML:
    return gr.HTML(elem_id="compare-elsewhere")


def lay_out(line: gr.HTML) -> EndpointPart:
    with gr.Accordion(f"{TITLE} (off)", open=False, elem_id="endpoint", elem_classes="card") as fold:
        gr.HTML(f'<p class="soft">{WHAT}</p>')
        with gr.Row():
            url = gr.Textbox(
                label="Address", placeholder="http://127.0.0.1:8080/v1", max_lines=1, elem_id="endpoint-url",
                info="Where the server listens; it usually ends in /v1.",
            )  # fmt: skip
            model = gr.Textbox(
                label="Model", placeholder="llama3.1:8b", max_lines=1, elem_id="endpoint-model",
                info="Its name, as the server lists it.",
            )  # fmt: skip
            key = gr.Textbox(
                label="Key", type="password", max_lines=1, elem_id="endpoint-key", info="Only if the server wants one.",
                html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
            )  # fmt: skip
        with gr.Row(elem_classes="buttons"):
            try_it = gr.Button("Try it", elem_id="endpoint-try", elem_classes="fit")
            on = gr.Button("Switch on", elem_id="endpoint-on", elem_classes="fit")
            off = gr.Button("Switch off", visible=False, elem_id="endpoint-off", elem_classes="fit")
            forget = gr.Button(
                "Forget it", visible=False, elem_id="endpoint-forget", elem_classes="fit quiet"
            )
        said = gr.HTML(elem_id="endpoint-said")
    return EndpointPart(line, fold, url, model, key, on, off, forget, try_it, said)


def wire(
    studio: Studio, tab: gr.Tab, part: EndpointPart, many: gr.Number, arms: list[gr.Dropdown]
) -> list[Any]:
    """Returns the events after which the columns have other choices."""
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    tab.select(bind(studio, on_show), None, part.shown, **now)
    part.try_it.click(
        bind(studio, on_try), part.typed, part.said, show_progress="hidden", concurrency_limit=None
    )
    # preprocess=False: Gradio would refuse what its own session has not offered.
    chosen = [many, *arms]
    gr.on([each.change for each in chosen], bind(studio, on_arms), chosen, part.line, preprocess=False, **now)
    return [
        part.on.click(bind(studio, on_switch_on), part.typed, part.shown, **now),
        part.off.click(bind(studio, on_switch_off), None, part.shown, **now),
        part.forget.click(bind(studio, on_forget), None, part.shown, **now),
    ]


def on_show(studio: Studio, person: Person, said: str = "") -> tuple[Any, ...]:
    """What is set, as `EndpointPart.shown` has it. The key is never shown."""
    kept = elsewhere.kept(studio)
    if kept is None:
        return gr.update(label=f"{TITLE} (off)"), "", "", gr.update(value="", placeholder=""), *buttons(False, False), said  # fmt: skip
    to, state = kept.endpoint, f"on: {kept.endpoint.host}" if kept.on else "off"
    key = gr.update(value="", placeholder="Kept; type another to replace it" if to.key else "")
    shown = said or (note(f"Switched on by {kept.by}. {is_on(to)}") if kept.on else "")
    return gr.update(label=f"{TITLE} ({state})"), to.url, to.model, key, *buttons(True, kept.on), shown + about(studio, to)  # fmt: skip


def buttons(there: bool, on: bool) -> tuple[Any, Any, Any]:
    """(switch on, switch off, forget)"""
    label = "Keep the changes" if on else "Switch on"
    return gr.update(value=label), gr.update(visible=on), gr.update(visible=there)


def is_on(to: Endpoint) -> str:
    return f"You can choose “Elsewhere: {titled(to.arm)}” in a column above; only what is asked there goes to it."


def about(studio: Studio, to: Endpoint) -> str:
    """Where the key lies, and who could read along."""
    lies = f"The key lies in {elsewhere.where_key_lies(studio)}. It goes to {to.host} only, and is not shown again."
    return (f'<p class="soft">{text(lies)}</p>' if to.key else "") + read_along(to)


def read_along(to: Endpoint) -> str:
    what = "The key and all questions go" if to.key else "All questions go"
    said = f"{what} to {to.host} unencrypted: whoever is on the way can read along. Use https:// where the server has it."
    return note(said, "warn") if to.is_open else ""


def on_try(studio: Studio, person: Person, url: str, model: str, key: str) -> Iterator[str]:
    """One tiny question to what is typed, kept or not."""
    yield '<p class="soft" role="status">Asking…</p>'
    try:
        to, answer = elsewhere.try_out(studio, person, url, model, key)
    except StudioError as error:
        yield note(str(error), "bad")
    else:
        took = f"{to.host} answers in {answer.seconds:.1f} s to “{elsewhere.TRIED}”:"
        yield f'<p class="soft" role="status">{text(took)}</p><p class="said">{text(answer.text)}</p>{read_along(to)}'


def on_switch_on(studio: Studio, person: Person, url: str, model: str, key: str) -> tuple[Any, ...]:
    try:
        elsewhere.switch_on(studio, person, url, model, key)
    except StudioError as error:  # what was typed stays, to be mended
        return *[gr.skip()] * 7, note(str(error), "bad")
    return on_show(studio, person)


def on_switch_off(studio: Studio, person: Person) -> tuple[Any, ...]:
    elsewhere.switch_off(studio, person)
    return on_show(studio, person, note("Off. Nothing is sent any more."))


def on_forget(studio: Studio, person: Person) -> tuple[Any, ...]:
    elsewhere.forget(studio, person)
    return on_show(studio, person, note("Forgotten, its key too. Nothing is sent any more."))


def on_arms(studio: Studio, person: Person, many: int, *arms: str) -> str:
    """Who is asked besides, by the message box, only while a column uses it."""
    to, said = elsewhere.is_on(studio), asked_besides(studio)
    kind = "" if to and to.is_here else "warn"
    return "".join(note(each, kind) for arm, each in said.items() if arm in arms[: compare_arms.shown(many)])


def asked_besides(studio: Studio) -> dict[str, str]:
    """For an arm elsewhere that can be asked now: where its questions go."""
    to = elsewhere.is_on(studio)
    if to is None:
        return {}
    plain = " unencrypted" if to.is_open else ""
    where = ", another program on this machine" if to.is_here else f": they leave this machine{plain}"
    return {to.arm: f"Questions go to {to.host} as well{where}. Which model answers there, the studio cannot prove."}  # fmt: skip
