"""Who is answered next: one caller at a time, in the order in which they came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition

LOOK = 0.1  # seconds between two looks whether a caller still wants its turn


class Line:
    """A turn may be taken by one thread and ended by another: a generator is not bound to one."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.waiting: deque[object] = deque()  # a ticket for each who waits
        self.taken = False

    def take(self, stopping: Callable[[], bool]) -> bool:
        """Wait for one's turn, and hold it until `end`; False where `stopping()` came first."""
        ticket = object()
        with self.changed:
            self.waiting.append(ticket)
            try:
                while self.taken or self.waiting[0] is not ticket:
                    if stopping():
                        return False
                    self.changed.wait(LOOK)
                self.taken = True
                return True
            finally:
                self.waiting.remove(ticket)
                self.changed.notify_all()  # whoever was behind this one

    def end(self) -> None:
        with self.changed:
            self.taken = False
            self.changed.notify_all()
