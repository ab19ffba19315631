"""Help to write a prompt in the Prompt tab: a draft from the measured style of the project's own answers, and a model's own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.core.records import Person
from studio.ui import asking, show, talk
from studio.ui.asking import Asker, Left
from studio.ui.wire import bind
from studio.work import style, style_writing
from studio.work.studio import Studio
from studio.work.style_writing import Proposal


@dataclass(frozen=True)
class Help:
    """`write` asks the model; its text stands in `proposal`, which is shown with its buttons from then on."""

    describe: gr.Button
    write: gr.Button
    said: gr.HTML
    proposed: gr.Column
    proposal: gr.Textbox
    take: gr.Button
    drop: gr.Button
    stop: gr.Button
    told: gr.HTML
    asker: Asker

    @property
    def outputs(self) -> list[Any]:
        return [self.proposed, self.proposal, self.take, self.drop, self.stop, self.told]


def lay_out() -> Help:
    with gr.Row(elem_classes="buttons"):
        describe = gr.Button("Describe my style", elem_id="prompt-describe", elem_classes="fit")
        write = gr.Button("Let the model describe it", elem_id="prompt-write", elem_classes="fit quiet")
    said = gr.HTML(elem_id="prompt-described")
    with gr.Column(visible=False, elem_id="prompt-proposed", elem_classes="proposed") as proposed:
        proposal = gr.Textbox(label="What the model proposes", lines=4, max_lines=14, elem_id="prompt-proposal")  # fmt: skip
        told = gr.HTML(elem_id="prompt-proposed-by")
        with gr.Row(elem_classes="buttons"):
            take = gr.Button("Put it below my text", elem_id="prompt-take", elem_classes="fit")
            drop = gr.Button("Drop it", elem_id="prompt-drop", elem_classes="fit quiet")
            stop = gr.Button("Stop", elem_id="prompt-write-stop", elem_classes="fit")
    return Help(describe, write, said, proposed, proposal, take, drop, stop, told, asking.lay_out())


def wire(studio: Studio, project: gr.Dropdown, help: Help, system: gr.Textbox) -> None:
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    help.describe.click(
        bind(studio, on_describe), [project, system], [system, help.said],
        concurrency_limit=None, show_progress="hidden",
    )  # fmt: skip
    help.asker.ask(studio, [help.write.click], on_write, [project], help.outputs)
    help.asker.leave(studio, [help.stop.click], on_stop, [], help.outputs)
    help.asker.leave(studio, [help.drop.click], on_drop, [], help.outputs)
    help.take.click(on_take, [system, help.proposal], [system, *help.outputs], **now)


def on_describe(studio: Studio, person: Person, project: str, system: str) -> tuple[str, str]:
    """The draft below what stands in the box: nothing that a person wrote goes away, and twice is once."""
    drafted, answers = style.draft(studio, project)
    told = (
        f"Drafted from {show.counted(answers, 'answer')}, held-out ones left aside. It says what can be counted, not what "
        "is meant: add who the model is, change what is wrong, and try it."
    )
    return below(system, drafted), show.note(told)


def below(system: str | None, added: str) -> str:
    before = (system or "").rstrip()
    if added in before:
        return before
    return f"{before}\n\n{added}" if before else added


def on_write(studio: Studio, person: Person, left: Left, project: str) -> Generator[tuple[Any, ...]]:
    """The model's description as it grows, in a box of its own. Where it fails the box is put away again."""
    yield shown("", show.note(talk.waiting(studio)), writing=True)
    try:

        def ask(stopping: Callable[[], bool]) -> Iterator[Proposal]:
            return style_writing.write(studio, project, None, stopping)

        for each in talk.paced(ask, lambda proposal: proposal.done, left):
            yield shown(each.text, told(studio, project, each) if each.done else "", writing=not each.done)
    except Exception:
        yield dropped()
        raise


def told(studio: Studio, project: str, proposal: Proposal) -> str:
    numbers = ", ".join(f"{each:04}" for each in sorted(proposal.numbers))
    of = "example" if len(proposal.numbers) == 1 else "examples"
    said = (
        f"Written by the model after reading {of} {numbers}, none of them held out. Change what is wrong, take it or drop it; "
        "“Run on held-out” below tells whether it helps."
    )
    cautions = " ".join(filter(None, [proposal.remark, style_writing.caution(studio, project)]))
    return show.note(cautions, "warn") + f'<p class="soft">{show.text(said)}</p>'


def shown(text: Any, said: Any, writing: bool) -> tuple[Any, ...]:
    return (
        gr.update(visible=True), gr.update(value=text, interactive=not writing) if text is not None else gr.update(interactive=True),
        gr.update(interactive=not writing), gr.update(visible=True), gr.update(visible=writing), said,
    )  # fmt: skip


def on_stop(studio: Studio, person: Person) -> tuple[Any, ...]:
    """What was written so far stays, to be taken or dropped."""
    return shown(None, show.note("Stopped. What is there can be changed and taken all the same."), writing=False)  # fmt: skip


def on_take(system: str | None, proposal: str | None) -> tuple[Any, ...]:
    """The proposal below the person's own text, which stays as it is."""
    return below(system, (proposal or "").strip()), *dropped()


def on_drop(studio: Studio, person: Person) -> tuple[Any, ...]:
    return dropped()


def dropped() -> tuple[Any, ...]:
    return gr.update(visible=False), "", gr.skip(), gr.skip(), gr.skip(), ""
