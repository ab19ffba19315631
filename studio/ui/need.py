"""What stands in a tab while the base model it needs is not on this machine: why, a button that gets it, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from studio.core.records import Person
from studio.ui import show
from studio.ui.shell import Shell
from studio.ui.wire import bind
from studio.work import models
from studio.work.studio import Studio

GOES_ON = "The fetch goes on when this page is closed."

NO_TEMPLATE = (
    "It has no chat template: nothing tells it who speaks, or where an answer ends. It only goes on with a text. The studio can "
    "write “User:” and “Assistant:” before the turns instead, in Prompt, Train, Compare and in what you export. Expect little of "
    "such a model before it is trained: it was never taught to answer. Or choose its instruct or chat version in the Train tab."
)


@dataclass(frozen=True)
class Need:
    """`place` is shown while the model is missing. `met` is what `watch` saw last, and `news` whether it saw something else."""

    place: gr.Column
    said: gr.HTML
    get: gr.Button
    watch: gr.Timer
    met: gr.State
    news: gr.State

    @property
    def outputs(self) -> list[Any]:
        return [self.place, self.said, self.get, self.watch, self.met, self.news]


def lay_out(purpose: str, variant: Literal["primary", "secondary"] = "primary") -> Need:
    """Lay out the place. `purpose` names it for tests and styles."""
    with gr.Column(visible=False, elem_classes="card need", elem_id=f"{purpose}-need") as place:
        said = gr.HTML(elem_id=f"{purpose}-need-said")
        get = gr.Button("Get the model", variant=variant, elem_id=f"{purpose}-get", elem_classes="fit")
    # Its own clock, which runs only while something is missing: a page that has its model asks nothing.
    return Need(place, said, get, gr.Timer(1.0, active=False), gr.State({}), gr.State(False))


def wire(
    studio: Studio,
    shell: Shell,
    tab: gr.Tab,
    need: Need,
    read: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    **how: Any,
) -> None:
    """Let `read` read the tab when it is opened, when its model has come, and when the page has learned its project.

    Always after a look, in one chain: two events of one click may see the project before and after the page learns it.
    `then`, for a gr.State's own change event is not told to the page by events outside the queue.
    """
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    mine, reading = [shell.project, need.met], bind(studio, if_news(read))
    looks = (
        tab.select(bind(studio, on_select), shell.project, need.outputs, **now),
        need.watch.tick(bind(studio, on_watch), mine, need.outputs, **now),
        need.get.click(bind(studio, on_get), mine, need.outputs, **now),
    )
    for each in looks:
        each.then(reading, [need.news, *inputs], [*outputs], **how)


def if_news(read: Callable[..., Any]) -> Callable[..., Any]:
    def on_news(studio: Studio, person: Person, news: bool, *values: Any) -> Any:
        return read(studio, person, *values) if news else gr.skip()

    return on_news


def on_select(studio: Studio, person: Person, project: str | None) -> tuple[Any, ...]:
    """The tab was opened: all of it is news."""
    return on_watch(studio, person, project, {})


def on_get(studio: Studio, person: Person, project: str, met: dict[str, Any]) -> tuple[Any, ...]:
    base = models.base(studio, project)
    if base.template == "none":
        models.use_plain(studio, person, project)
    else:
        models.fetch(studio, base.id)
    return on_watch(studio, person, project, met)


def on_watch(studio: Studio, person: Person, project: str | None, met: dict[str, Any]) -> tuple[Any, ...]:
    """(place, what it says, button, clock, met, news) as they are now."""
    if not project:  # opened before the page knew its project: the clock asks again
        return gr.skip(), gr.skip(), gr.skip(), gr.update(active=True), {}, False
    base = models.base(studio, project)
    now = {"project": project, "base": base.id, "here": base.path is not None}
    if base.path:
        return gr.update(visible=False), "", gr.update(), gr.update(active=False), now, now != met
    fetch = models.fetching(studio)
    running = bool(fetch and fetch.running)
    size = f" ({show.size(base.download)})" if base.download else ""
    if base.template == "none":
        button = gr.update(value="Use a plain template", visible=True)
    else:
        button = gr.update(value=f"Get {called(base)}{size}", visible=not running and not base.trouble)
    return gr.update(visible=True), waiting(base, fetch), button, gr.update(active=True), now, now != met


def waiting(base: models.Base, fetch: models.Fetch | None) -> str:
    """Why nothing can be done here yet, and how far the fetch is."""
    if base.template == "none":
        return show.empty_state(f"{base.title} was not made for conversations", NO_TEMPLATE)
    if base.trouble:
        return show.empty_state(
            "The base model cannot be used", f"{base.trouble} You choose one in the Train tab."
        )
    if fetch and fetch.running and fetch.total:
        said = f"This tab opens by itself when it is here. {GOES_ON}"
        return show.empty_state("The model is on its way", said) + show.progress(fetch.done / fetch.total, how_far(fetch))  # fmt: skip
    if fetch and fetch.running:
        return show.empty_state("The model is on its way", f"Waiting for the first bytes. {GOES_ON}")
    why = f"{base.title} is not on this machine yet. It is fetched once and then stays here."
    trouble = show.note(fetch.trouble, "bad") if fetch and fetch.trouble else ""
    return f"{show.empty_state('The base model is not here yet', why)}{trouble}"


def how_far(fetch: models.Fetch) -> str:
    if fetch.done >= fetch.total:
        return "It is here, and is being unpacked and checked. That takes a minute or two."
    return f"{show.size(fetch.done)} of {show.size(fetch.total)}."


def called(base: models.Base) -> str:
    return "the starter model" if base.id == "starter" else "the model"
