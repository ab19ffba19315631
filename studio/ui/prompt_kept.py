"""Kept prompts in the Prompt tab: choose one, keep the present words, see what changed, use it, take it home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.records import Person, Prompt
from studio.ui import prompt_pins, show_prompt
from studio.ui.shell import Shell
from studio.ui.show import note, text
from studio.ui.wire import bind
from studio.work import prompt_files, prompt_results, prompts, writing
from studio.work.studio import Studio

OWN = ("Not kept: your own words", "")
HOME = (
    "A file for other programs, with the system text and the pinned examples. The nearest examples change with the question "
    "and cannot come along."
)


@dataclass(frozen=True)
class Choice:
    """Which prompt the words are of: its id, "" for words of one's own, and the version."""

    prompt: gr.Dropdown
    version: gr.Dropdown


@dataclass(frozen=True)
class Past:
    """The versions of the chosen prompt, and what is different in another one."""

    listed: gr.HTML
    other: gr.Dropdown
    difference: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.listed, self.other, self.difference]


@dataclass(frozen=True)
class Deeds:
    """What can be done with the words. `file` is hidden: it is pressed once a file is ready."""

    name: gr.Textbox
    note: gr.Textbox
    keep: gr.Button
    use: gr.Button
    said: gr.HTML
    messages: gr.Button
    modelfile: gr.Button
    taken: gr.HTML
    file: gr.DownloadButton


def lay_out_choice() -> Choice:
    with gr.Row(elem_classes="kept-choice"):
        prompt = gr.Dropdown([OWN], value="", label="Prompt", filterable=False, elem_id="prompt-kept", min_width=160, scale=3)  # fmt: skip
        version = gr.Dropdown([], value=None, label="Version", filterable=False, visible=False, elem_id="prompt-version", min_width=120, scale=2)  # fmt: skip
    return Choice(prompt, version)


def lay_out_deeds() -> Deeds:
    with gr.Row(elem_classes="keeping"):
        name = gr.Textbox(label="Keep under the name", max_lines=1, elem_id="prompt-name", min_width=120)
        about = gr.Textbox(label="Note", max_lines=1, elem_id="prompt-note", min_width=120)
    with gr.Row(elem_classes="buttons"):
        keep = gr.Button("Keep", elem_id="prompt-keep", elem_classes="fit")
        use = gr.Button("Use in this project", elem_id="prompt-use", elem_classes="fit")
    said = gr.HTML(elem_id="prompt-used")
    with gr.Accordion("Take it home", open=False, elem_id="prompt-home"):
        gr.HTML(f'<p class="soft">{HOME}</p>')
        with gr.Row(elem_classes="buttons"):
            messages = gr.Button("As messages (JSON)", elem_id="prompt-messages", elem_classes="fit")
            modelfile = gr.Button("As a Modelfile for Ollama", elem_id="prompt-modelfile", elem_classes="fit")
        taken = gr.HTML(elem_id="prompt-taken")
        file = gr.DownloadButton(visible="hidden", elem_id="prompt-file")
    return Deeds(name, about, keep, use, said, messages, modelfile, taken, file)


def lay_out_past() -> Past:
    with gr.Accordion("Versions", open=False, elem_id="prompt-versions"):
        listed = gr.HTML(elem_id="prompt-listed")
        other = gr.Dropdown(
            [], value=None, label="Compare it with", filterable=False, visible=False,
            elem_id="prompt-other", elem_classes="short",
        )  # fmt: skip
        return Past(listed, other, gr.HTML(elem_id="prompt-difference"))


def wire(studio: Studio, shell: Shell, choice: Choice, deeds: Deeds, past: Past, words: list[Any]) -> None:
    """`words`: the system text, the number of nearest examples, and the pins."""
    # preprocess=False: Gradio would refuse a prompt that its own session has not offered. The verbs check what comes.
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden", "preprocess": False}
    project, chosen = shell.project, [choice.prompt, choice.version]
    taken = [*words, deeds.name, deeds.said, *past.outputs]
    choice.prompt.input(bind(studio, on_choose), [project, choice.prompt], [choice.version, *taken], **now)
    choice.version.input(bind(studio, on_version), [project, *chosen], taken, **now)
    deeds.keep.click(
        bind(studio, on_keep), [project, deeds.name, deeds.note, *words],
        [*chosen, deeds.name, deeds.note, deeds.said, *past.outputs], **now,
    )  # fmt: skip
    deeds.use.click(bind(studio, on_use), [project, *chosen, *words], [deeds.said, choice.prompt, past.listed], **now)  # fmt: skip
    past.other.input(bind(studio, on_other), [project, *chosen, past.other], past.difference, **now)
    for button, handler in ((deeds.messages, on_messages), (deeds.modelfile, on_modelfile)):
        made = button.click(bind(studio, handler), [project, deeds.name, *words], [deeds.taken, deeds.file], **now)  # fmt: skip
        made.success(None, js="() => document.querySelector('#prompt-file').click()")


def choices(studio: Studio, project: str, chosen: str) -> Any:
    """The prompts to choose from; `chosen` stays where it is there still."""
    used, found = prompts.default(studio, project), prompts.all_of(studio, project)
    labels = [(f"{each.name}, in use" if used and used.id == each.id else each.name, each.id) for each in found]  # fmt: skip
    known = {each.id for each in found}
    return gr.update(choices=[OWN, *labels], value=chosen if chosen in known else "")


def version_choices(found: list[Prompt], chosen: int | None = None) -> Any:
    return gr.update(
        choices=[(show_prompt.version_label(each), each.version) for each in found],
        value=(chosen or found[0].version) if found else None,
        visible=bool(found),
    )


def panel(studio: Studio, found: list[Prompt]) -> tuple[Any, Any, str]:
    """(the list of versions, those to compare with, no difference yet)"""
    if not found:
        empty = '<p class="soft">Words that you keep under a name have versions. Choose a kept prompt above to see them.</p>'
        return empty, gr.update(choices=[], value=None, visible=False), ""
    used = prompts.default(studio, found[0].project)
    others = [(show_prompt.version_label(each), each.version) for each in found]
    listed = show_prompt.versions(found, used, prompt_results.of(studio, found))
    return listed, gr.update(choices=others, value=None, visible=len(found) > 1), ""  # fmt: skip


def on_choose(studio: Studio, person: Person, project: str, id: str | None) -> tuple[Any, ...]:
    """The newest version of a prompt; words of one's own stay as they are."""
    if not id:
        return version_choices([]), *(gr.skip() for _ in range(3)), "", "", *panel(studio, [])
    found = prompts.versions(studio, project, str(id))
    return version_choices(found), *taken(studio, found, found[0])


def on_version(studio: Studio, person: Person, project: str, id: str, version: Any) -> tuple[Any, ...]:
    found = prompts.versions(studio, project, str(id))
    return taken(studio, found, prompts.one_of(found, number(version)))


def taken(studio: Studio, found: list[Prompt], one: Prompt) -> tuple[Any, ...]:
    """(system text, nearest, pins, name, what is said, *panel)"""
    pins = prompt_pins.value(studio, one.project, one.pinned)
    return one.system, one.shots, pins, one.name, "", *panel(studio, found)


def on_keep(
    studio: Studio, person: Person, project: str, name: str, about: str, system: str, k: Any, pins: Any
) -> tuple[Any, ...]:
    """Keep the present words; what is chosen then is the version that holds them."""
    made = prompts.keep(
        studio, person, project, name or "", system or "", number(k), prompt_pins.ids(pins), about or ""
    )
    found = prompts.versions(studio, project, made.id)
    return (
        choices(studio, project, made.id), version_choices(found, made.version), made.name, "",
        saved(f"Kept as “{made.name}”, version {made.version}."), *panel(studio, found),
    )  # fmt: skip


def on_use(
    studio: Studio, person: Person, project: str, id: str | None, version: Any, system: str, k: Any, pins: Any
) -> tuple[Any, ...]:
    """Let the project use the present words: as the version that they are, or by themselves."""
    chosen = prompts.read(studio, project, str(id), number(version)) if id else None
    present = (system, number(k), prompt_pins.ids(pins))
    if chosen and present == (chosen.system, chosen.shots, chosen.pinned):
        prompts.make_default(studio, person, project, chosen.id, chosen.version)
        told = (
            f"This project uses “{chosen.name}”, version {chosen.version}: new runs and conversations without a system text "
            f"of their own have its words, and drafts show its examples ({show_prompt.shown(chosen)})."
        )
    else:
        writing.set_system(studio, person, project, system or "")
        told = (
            "Saved. New runs and conversations without a system text of their own use it. For drafts to show these examples "
            "too, keep the words under a name first."
        )
    found = prompts.versions(studio, project, chosen.id) if chosen else []
    return saved(told), choices(studio, project, str(id or "")), panel(studio, found)[0]


def on_other(studio: Studio, person: Person, project: str, id: str, version: Any, other: Any) -> str:
    """The chosen version and another one side by side, the earlier one left."""
    found = prompts.versions(studio, project, str(id))
    pair = sorted((prompts.one_of(found, number(each)) for each in (version, other)), key=lambda each: each.version)  # fmt: skip
    if pair[0] == pair[1]:
        return note("This is the chosen version itself. Choose another one.")
    return show_prompt.difference(pair[0], pair[1], prompt_results.of(studio, pair))


def on_results(studio: Studio, person: Person, project: str | None, id: str | None) -> Any:
    """The versions once more, with what was measured since."""
    if not project or all(each.id != id for each in prompts.all_of(studio, project)):
        return gr.skip()
    return panel(studio, prompts.versions(studio, project, str(id)))[0]


def on_messages(studio: Studio, person: Person, project: str, name: str, *words: Any) -> tuple[Any, Any]:
    return taken_home(studio, project, name, "messages", *words)


def on_modelfile(studio: Studio, person: Person, project: str, name: str, *words: Any) -> tuple[Any, Any]:
    return taken_home(studio, project, name, "modelfile", *words)


def taken_home(
    studio: Studio, project: str, name: str, kind: str, system: str, k: Any, pins: Any
) -> tuple[Any, Any]:
    file, left_out = prompt_files.write(studio, project, name or "", system or "", prompt_pins.ids(pins), kind)  # fmt: skip
    told = saved(f"Made {file.name}.") + "".join(note(each, "warn") for each in left_out)
    return told, str(file)


def number(given: Any) -> int:
    """A whole number as a page sends it; -1, which nothing has, for anything else."""
    try:
        return int(given)
    except (TypeError, ValueError, OverflowError):
        return -1


def saved(sentence: str) -> str:
    return f'<p class="saved" role="status">{text(sentence)}</p>'
