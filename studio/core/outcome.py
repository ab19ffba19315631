"""What a finished run did, in sentences: whether the style moved, what it cost, and what to do next. Fixed rules.

The style hardly moved     the held-out loss fell by less than 5 %
It is not sure             the interval of the change holds 0
It could learn more        the best update is the last, and the last evaluation still brought 1 % or more
It began to parrot         after the best update the held-out loss rose by 3 % or more
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from studio.core.course import Course
from studio.core.difference import PIECE

HARDLY, STILL, PARROT = 0.05, 0.01, 0.03
WISHED = 100  # examples below which more of them are the best advice
Said = tuple[str, str]  # sentence, kind of note: "", "warn"


def told(card: dict[str, Any], course: Course, learned: int) -> list[Said]:
    """What the run did, with what to do next. `learned`: how many conversations it learned from."""
    loss = card["held_out_loss"]
    change = loss["best"] / loss["before"] - 1
    return [
        *moved(change, card.get("held_out_change"), learned),
        *fitted(course, loss),
        *heard(course),
    ]


def moved(change: float, interval: Sequence[float] | None, learned: int) -> list[Said]:
    more = f"or write {WISHED - learned} more examples" if learned < WISHED else "or more passes"
    if interval and interval[1] >= 0:
        return [(f"It is not sure that the style moved at all: on other held-out examples the loss might have changed by {between(interval)}. Hold out more, {more}.", "warn")]  # fmt: skip
    if change > -HARDLY:
        return [(f"The style hardly moved. Try the next stronger setting, {more}.", "warn")]
    if interval:
        return [(f"On other examples like these the held-out loss would have fallen by {between(interval)} (95 %).", "")]  # fmt: skip
    return []


def between(interval: Sequence[float]) -> str:
    low, high = interval
    if high < 0:
        return f"{-high:.0%} to {-low:.0%}".replace("%", " %")
    return f"{low:+.0%} to {high:+.0%}".replace("%", " %").replace("-", "−")


def fitted(course: Course, loss: dict[str, Any]) -> list[Said]:
    """A word on too little and too much learning, from the held-out curve."""
    if loss["last"] is not None and loss["last"] > loss["best"] * (1 + PARROT):
        return [("After its best point it began to learn your examples by heart: the held-out loss rose again. The best point is what is kept. Fewer passes would do.", "")]  # fmt: skip
    points = [value for _, value in course.held_out]
    if len(points) > 2 and points[-1] == min(points) and points[-1] < points[-2] * (1 - STILL):
        return [("It was still getting better when it ended: more passes would teach more.", "")]
    return []


def heard(course: Course) -> list[Said]:
    """How far the answers to the watch-prompts are from the base's, at the point that is kept."""
    answers = dict(course.watched)
    if not course.best or course.best[0] not in answers or 0 not in answers:
        return []
    pairs = list(zip(answers[0], answers[course.best[0]], strict=True))
    changed = sum(one != two for one, two in pairs)
    if not changed:
        return [("Its answers to all watch-prompts are still the base's, word for word.", "warn")]
    apart = sum(distance(one, two) for one, two in pairs) / len(pairs)
    return [(f"{changed} of {len(pairs)} answers to the watch-prompts are other than the base's; {apart:.0%} of their words differ.".replace("%", " %"), "")]  # fmt: skip


def distance(one: str, two: str) -> float:
    """The share of words that two texts do not have in common, in their order: 0 for equal ones, 1 for strangers."""
    first, second = ([each for each in PIECE.findall(text) if each.strip()] for text in (one, two))
    return 1 - SequenceMatcher(None, first, second, autojunk=False).ratio()
