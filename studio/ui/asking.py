"""What a page asks a model: one thing at a time, and what ends it is drawn after the last of it.

Gradio 6.31 can cancel an event, but its client then closes the connection over which the page hears, and now and then
something that was pressed in the same moment is lost with it. So an answer is told here that it was left, and ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Any

import gradio as gr

from studio.core.records import Person
from studio.ui.wire import bind
from studio.work.studio import Studio

# The page itself counts what is pressed: events may reach their handlers in another order.
PRESSED = """(asking, pressed, ...given) => {
    window.presses = (window.presses || 0) + 1;
    return [asking, window.presses, ...given];
}"""
MOST = 20  # pages that are answered or wait for that, each in a thread; further ones wait for a thread
PATIENCE = 5.0  # seconds for a drawing to be on its way to the page; it takes milliseconds
MOMENT = 1.0  # seconds that a question waits for the answer before it, whose last word may be read before it has ended
Left = Callable[[], bool]


class Asking:
    """What one page asks, by the presses that it counts: with which it `asked` what is being answered, and with which it `left`
    what it had asked before. `values`: with what it was asked. `kept`: what the page keeps of the answer as it was drawn last.
    """

    def __init__(self) -> None:
        self.changed = Condition()
        self.asked: int | None = None
        self.latest = 0  # the press with which something was asked last, also when it has ended
        self.left = 0
        self.drawings = 0  # on their way to the page
        self.values: Sequence[Any] = ()
        self.kept: Any = None

    def __deepcopy__(self, memo: Any) -> Asking:
        """A new one: so gr.State makes each page its own."""
        return Asking()

    def settle(self, values: Sequence[Any]) -> Any:
        """Let an answer end that is about to, and return what was kept of it, None for nothing."""
        with self.changed:
            if self.asked is None or values == self.values:
                return None
            over = self.changed.wait_for(lambda: self.asked is None, MOMENT)
            return self.kept if over else None

    def begin(self, pressed: int, values: Sequence[Any]) -> bool:
        """Whether this is to be answered: not where something is being answered, nor where it was left before it began, nor
        where it was asked with the very same values: that is a key pressed twice.
        """
        with self.changed:
            if self.asked is not None or self.is_left(pressed) or values == self.values:
                return False
            self.asked = self.latest = pressed
            self.values, self.kept = values, None
            return True

    def is_left(self, pressed: int) -> bool:
        return pressed < self.left

    def end(self, pressed: int, changed: bool) -> None:
        """`changed`: whether the page has something else to ask with now; otherwise the same may be asked once more."""
        with self.changed:
            if self.asked == pressed:
                self.asked = None
                self.values = self.values if changed else ()
                self.changed.notify_all()

    def leave(self, pressed: int) -> Any:
        """Leave what was asked before. Nothing of it is drawn any more when this returns what was kept of it, None for nothing."""
        with self.changed:
            self.left = max(self.left, pressed)
            going = self.asked is not None and self.is_left(self.asked)
            kept, self.kept = self.kept if going else None, None
            if going:
                self.asked = None
            self.values = ()
            self.changed.wait_for(lambda: not self.drawings, PATIENCE)
            return kept

    @contextmanager
    def drawing(self, pressed: int, kept: Any) -> Iterator[bool]:
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
        handler: Callable[..., Generator[tuple[Any, ...]]],
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        instead: bool = False,
        **how: Any,
    ) -> None:
        """Let `handler(studio, person, left, *inputs)` draw an answer until `left()`. While one is being answered, another is
        not asked, except `instead` of it.
        """
        places = self.at(inputs), self.at(outputs)
        gr.on(
            triggers, bind(studio, asks(handler, *places, instead)),
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
    handler: Callable[..., Generator[tuple[Any, ...]]], at: int | None, drawn_at: int | None, instead: bool
) -> Callable[..., Any]:
    """A handler whose drawings stop when they are left; `at` and `drawn_at`: the places in its values and in its drawings of
    what the page keeps.
    """

    def on(studio: Studio, person: Person, page: Asking, pressed: int, *values: Any) -> Iterator[Any]:
        given = with_kept(values, at, page.leave(pressed) if instead else page.settle(values))
        if page.begin(pressed, values):
            changed = False
            try:
                with closing(handler(studio, person, lambda: page.is_left(pressed), *given)) as drawings:
                    yield from until_left(page, pressed, drawings, drawn_at)
                changed = drawn_at is not None
            except Exception:
                if not page.is_left(pressed):
                    raise
            finally:
                page.end(pressed, changed)
        # Gradio draws the last yield twice, the second time when it likes; and of two yields that come together, updates of
        # the first are lost on its page. So where nothing is kept, which is drawn by updates, the last one may come twice.
        if drawn_at is not None or page.is_left(pressed):
            yield gr.skip()

    on.__name__ = handler.__name__
    return on


def until_left(
    page: Asking, pressed: int, drawings: Iterable[tuple[Any, ...]], at: int | None
) -> Iterator[tuple[Any, ...]]:
    """The drawings of an answer until it is left, each on its way to the page while it is held here; for `at` see `asks`."""
    for each in drawings:
        with page.drawing(pressed, None if at is None else each[at]) as allowed:
            if not allowed:
                return
            yield each


def leaves(handler: Callable[..., Any], at: int | None) -> Callable[..., Any]:
    """A handler for what ends an answer; `at`: the place in its values of what the page keeps."""

    def on(studio: Studio, person: Person, page: Asking, pressed: int, *values: Any) -> Any:
        given = with_kept(values, at, page.leave(pressed))
        if pressed < page.latest:  # it comes too late, and must not be drawn over what was asked since
            return gr.skip()
        return handler(studio, person, *given)

    on.__name__ = handler.__name__
    return on


def with_kept(values: Sequence[Any], at: int | None, kept: Any) -> Sequence[Any]:
    """The values with what was drawn last, if something was: the page may have sent what it had before that."""
    if at is None or kept is None:
        return values
    return [*values[:at], kept, *values[at + 1 :]]
