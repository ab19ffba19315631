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
    """`place` is shown while the model is missing. `met` is what the last look saw."""

    place: gr.Column
    said: gr.HTML
    get: gr.Button
    watch: gr.Timer
    met: gr.State

    @property
    def outputs(self) -> list[Any]:
        return [self.place, self.said, self.get, self.watch, self.met]


@dataclass(frozen=True)
class Looks:
    """The events that look for the model: whoever reads the tab follows them."""

    need: Need
    opened: Any
    later: tuple[Any, ...]

    def read(
        self,
        studio: Studio,
        read: Callable[..., Any],
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        **how: Any,
    ) -> None:
        """Let `read(studio, person, *inputs)` read the tab when it is opened, when its model has come, and when the page has
        learned its project.

        Always after a look, in one chain: two events of one click may see the project before and after the page learns it.
        `then`, for a gr.State's own change event is not told to the page by events outside the queue. Each reader keeps what
        it has read: a look between another look and its reading sees nothing new, and must not talk the reader out of it.
        """
        with self.need.place:  # in the tab: beside the tabs it would be counted as one of them
            seen = gr.State({})
        given, filled = [self.need.met, seen, *inputs], [seen, *outputs]
        self.opened.then(bind(studio, reading(read, always=True)), given, filled, **how)
        for each in self.later:
            each.then(bind(studio, reading(read)), given, filled, **how)


def lay_out(purpose: str, variant: Literal["primary", "secondary"] = "primary") -> Need:
    """Lay out the place. `purpose` names it for tests and styles."""
    with gr.Column(visible=False, elem_classes="card need", elem_id=f"{purpose}-need") as place:
        said = gr.HTML(elem_id=f"{purpose}-need-said")
        get = gr.Button("Get the model", variant=variant, elem_id=f"{purpose}-get", elem_classes="fit")
    # Its own clock, which runs only while something is missing: a page that has its model asks nothing.
    return Need(place, said, get, gr.Timer(1.0, active=False), gr.State({}))


def wire(studio: Studio, shell: Shell, tab: gr.Tab, need: Need) -> Looks:
    """Look for the model when the tab is opened, while it is missing, and when a person asks for it."""
    now: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    watch, outputs = bind(studio, on_watch), need.outputs
    opened = tab.select(watch, shell.project, outputs, **now)
    ticked = need.watch.tick(watch, shell.project, outputs, **now)
    asked = need.get.click(bind(studio, on_get), shell.project, outputs, **now)
    return Looks(need, opened, (ticked, asked))


def reading(read: Callable[..., Any], always: bool = False) -> Callable[..., Any]:
    """A handler that reads what it has not `seen` yet, or `always`, once the page knows its project."""

    def on_look(
        studio: Studio, person: Person, met: dict[str, Any], seen: dict[str, Any], *values: Any
    ) -> Any:
        if not met or (met == seen and not always):
            return gr.skip()
        found = read(studio, person, *values)
        return met, *(found if isinstance(found, tuple) else (found,))

    return on_look


def on_get(studio: Studio, person: Person, project: str) -> tuple[Any, ...]:
    base = models.base(studio, project)
    if base.template == "none":
        models.use_plain(studio, person, project)
    else:
        models.fetch(studio, base.id)
    return on_watch(studio, person, project)


def on_watch(studio: Studio, person: Person, project: str | None) -> tuple[Any, ...]:
    """(place, what it says, button, clock, met) as they are now."""
    if not project:  # opened before the page knew its project: the clock asks again
        return gr.skip(), gr.skip(), gr.skip(), gr.update(active=True), {}
    base = models.base(studio, project)
    now = {"project": project, "base": base.id, "here": base.path is not None}
    if base.path:
        return gr.update(visible=False), "", gr.update(), gr.update(active=False), now
    fetch = models.fetching(studio)
    running = bool(fetch and fetch.running)
    size = f" ({show.size(base.download)})" if base.download else ""
    if base.template == "none":
        button = gr.update(value="Use a plain template", visible=True)
    else:
        button = gr.update(value=f"Get {called(base)}{size}", visible=not running and not base.trouble)
    return gr.update(visible=True), waiting(base, fetch), button, gr.update(active=True), now


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
