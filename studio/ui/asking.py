"""What a page asks a model: one thing at a time, and what ends it is drawn after the last of it.

Gradio 6.31 can cancel an event, but its client then closes the connection over which the page hears, and now and then
something that was pressed in the same moment is lost with it. So an answer is told here that it was left, and ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Any

import gradio as gr

from studio.core.records import Person
from studio.ui.wire import bind
from studio.work.studio import Studio

# The page itself says when something was pressed: events may reach their handlers in another order.
PRESSED = "(asking, pressed, ...given) => [asking, performance.now(), ...given]"
MOST = 20  # pages that are answered or wait for that, each in a thread; further ones wait for a thread
PATIENCE = 5.0  # seconds for a drawing to be on its way to the page; it takes milliseconds
Left = Callable[[], bool]


class Asking:
    """What one page asks, in milliseconds of its own clock: what it `asked` and is being answered, and when it `left` what it
    had asked before. `kept` is what the page keeps of the answer as it was drawn last.
    """

    def __init__(self) -> None:
        self.changed = Condition()
        self.asked: float | None = None
        self.left = 0.0
        self.drawings = 0  # on their way to the page
        self.kept: Any = None

    def __deepcopy__(self, memo: Any) -> Asking:
        """A new one: so gr.State makes each page its own."""
        return Asking()

    def begin(self, pressed: float) -> bool:
        """Whether this is to be answered: not where something is being answered, nor where it was left before it began."""
        with self.changed:
            if self.asked is not None or self.is_left(pressed):
                return False
            self.asked, self.kept = pressed, None
            return True

    def is_left(self, pressed: float) -> bool:
        return pressed < self.left

    def end(self, pressed: float) -> None:
        with self.changed:
            if self.asked == pressed:
                self.asked = None

    def leave(self, pressed: float) -> Any:
        """Leave what was asked before. Nothing of it is drawn any more when this returns what was kept of it, None for nothing."""
        with self.changed:
            self.left = max(self.left, pressed)
            going = self.asked is not None and self.is_left(self.asked)
            if going:
                self.asked = None
            self.changed.wait_for(lambda: not self.drawings, PATIENCE)
            return self.kept if going else None

    @contextmanager
    def drawing(self, pressed: float, kept: Any) -> Iterator[bool]:
        """Held while a drawing is on its way to the page; whether it may be drawn."""
        with self.changed:
            allowed = not self.is_left(pressed)
            if allowed:
                self.drawings += 1
                self.kept = kept
        try:
            yield allowed
        finally:
            with self.changed:
                self.drawings -= allowed
                self.changed.notify_all()


@dataclass(frozen=True)
class Asker:
    """The components behind a page's questions. `keeps`: where the page keeps what it was answered, if it does."""

    asking: gr.State
    pressed: gr.Number
    keeps: gr.JSON | None

    def ask(
        self,
        studio: Studio,
        triggers: Sequence[Any],
        handler: Callable[..., Iterator[tuple[Any, ...]]],
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        instead: bool = False,
        **how: Any,
    ) -> None:
        """Let `handler(studio, person, left, *inputs)` draw an answer until `left()`. While one is being answered, another is
        not asked, except `instead` of it.
        """
        gr.on(
            triggers, bind(studio, asks(handler, self.at(outputs), instead)),
            [self.asking, self.pressed, *inputs], outputs, js=PRESSED, trigger_mode="multiple", show_progress="hidden",
            concurrency_id="asking", concurrency_limit=MOST, **how,
        )  # fmt: skip

    def leave(
        self,
        studio: Studio,
        triggers: Sequence[Any],
        handler: Callable[..., Any],
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        **how: Any,
    ) -> None:
        """End what is being answered, then let `handler(studio, person, *inputs)` draw.

        In Gradio's queue, for only there it reaches the page after what was drawn before it.
        """
        gr.on(
            triggers, bind(studio, leaves(handler, self.at(inputs))), [self.asking, self.pressed, *inputs], outputs, js=PRESSED,
            show_progress="hidden", concurrency_limit=None, **how,
        )  # fmt: skip

    def at(self, components: Sequence[Any]) -> int | None:
        return components.index(self.keeps) if self.keeps in components else None


def lay_out(keeps: gr.JSON | None = None) -> Asker:
    return Asker(gr.State(Asking()), gr.Number(0, visible=False), keeps)


def asks(
    handler: Callable[..., Iterator[tuple[Any, ...]]], at: int | None, instead: bool
) -> Callable[..., Any]:
    """A handler whose drawings stop when they are left; `at`: the place in them of what the page keeps."""

    def on(studio: Studio, person: Person, page: Asking, pressed: float, *values: Any) -> Iterator[Any]:
        if instead:
            page.leave(pressed)
        if page.begin(pressed):
            try:
                for each in handler(studio, person, lambda: page.is_left(pressed), *values):
                    with page.drawing(pressed, None if at is None else each[at]) as allowed:
                        if not allowed:
                            break
                        yield each
            except Exception:
                if not page.is_left(pressed):
                    raise
            finally:
                page.end(pressed)
        # Gradio draws the last yield twice, the second time when it likes; and of two yields that come together, updates of
        # the first are lost on its page. So where nothing is kept, which is drawn by updates, the last one may come twice.
        if at is not None or page.is_left(pressed):
            yield gr.skip()

    on.__name__ = handler.__name__
    return on


def leaves(handler: Callable[..., Any], at: int | None) -> Callable[..., Any]:
    """A handler for what ends an answer; `at`: the place in its values of what the page keeps, which may be a drawing behind."""

    def on(studio: Studio, person: Person, page: Asking, pressed: float, *values: Any) -> Any:
        kept, given = page.leave(pressed), list(values)
        if kept is not None and at is not None:
            given[at] = kept
        return handler(studio, person, *given)

    on.__name__ = handler.__name__
    return on
