"""A run's losses as a small drawing: our own SVG, light to send, in the page's colours, told in words as well."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from studio.core.course import Course, Point
from studio.ui.show import text

MOST = 240  # points of a line; more than the drawing has room for
NEIGHBOURS = 5  # updates that the learned line of a longer run is averaged over
SHORT = 20  # updates up to which the line is drawn as it is


@dataclass(frozen=True)
class Frame:
    """Where losses land on the drawing: pixels inside its margins, of updates and losses."""

    width: int
    height: int
    updates: int
    low: float
    high: float
    left: int = 40
    right: int = 12
    top: int = 12
    bottom: int = 24

    def x(self, update: float) -> float:
        return self.left + (self.width - self.left - self.right) * update / max(1, self.updates)

    def y(self, loss: float) -> float:
        share = (self.high - loss) / (self.high - self.low)
        return self.top + (self.height - self.top - self.bottom) * share


def curve(course: Course) -> str:
    """The learned and the held-out loss over the updates, the best held-out point marked; "" before the first number.

    Drawn twice, for wide and for narrow pages, since a drawing that shrinks takes its letters along.
    """
    if not course.learned and not course.held_out:
        return ""
    learned = smoothed(course.learned)
    name = text(in_words(course))
    return "".join(
        f'<svg class="curve {size}" viewBox="0 0 {width} {height}" role="img" aria-label="{name}">'
        f"{''.join(parts(framed(course, learned, width, height), course, learned))}</svg>"
        for size, width, height in (("wide", 760, 280), ("narrow", 340, 240))
    )


def overlaid(shown: Course, other: Course) -> str:
    """The held-out losses of two runs in one drawing, the other's as a line without gaps; "" where there are none."""
    if not shown.held_out or not other.held_out:
        return ""
    updates = max(shown.updates, other.updates)
    words = f"Held-out loss of both runs: this one from {span(shown)}, the other from {span(other)}."
    drawn = []
    for size, width, height in (("wide", 760, 280), ("narrow", 340, 240)):
        frame = framed(replace(shown, updates=updates), other.held_out, width, height)
        lines = f'<path class="learned" d="{path(frame, other.held_out)}"/><path class="held" d="{path(frame, shown.held_out)}"/>'
        drawn.append(
            f'<svg class="curve {size}" viewBox="0 0 {width} {height}" role="img" aria-label="{text(words)}">'
            f"{''.join(grid(frame))}{lines}</svg>"
        )
    return "".join(drawn)


def gauge(course: Course) -> str:
    """The loss on general text over the updates, with the base's as a level line; "" before the second measurement.

    It is drawn by itself: on the scale of the other losses its rise would not be seen.
    """
    points = course.general
    if len(points) < 2:
        return ""
    words = f"Loss on general text from {points[0][1]:.2f} to {points[-1][1]:.2f}."
    return "".join(
        f'<svg class="curve {size} gauge" viewBox="0 0 {width} 96" role="img" aria-label="{words}">'
        f"{''.join(gauge_parts(gauge_frame(course, width), points))}</svg>"
        for size, width in (("wide", 760), ("narrow", 340))
    )


def gauge_frame(course: Course, width: int) -> Frame:
    """Two per cent above and below the base at least, so that a calm line looks calm."""
    before, losses = course.general[0][1], [loss for _, loss in course.general]
    low, high = min(*losses, before * 0.98), max(*losses, before * 1.02)
    return Frame(width, 96, max(course.updates, course.done, 1), low, high, top=16, bottom=8)


def gauge_parts(frame: Frame, points: Sequence[Point]) -> Iterator[str]:
    before, now = frame.y(points[0][1]), points[-1]
    yield f'<path class="grid" d="M{frame.left} {before:.1f}H{frame.width - frame.right}"/>'
    yield f'<text x="{frame.left - 8}" y="{before + 4:.1f}" text-anchor="end">{points[0][1]:.2f}</text>'
    yield f'<path class="general" d="{path(frame, points)}"/>'
    yield f'<circle class="general" cx="{frame.x(now[0]):.1f}" cy="{frame.y(now[1]):.1f}" r="2.5"/>'
    near_end = frame.x(now[0]) > frame.width - 60
    yield f'<text class="general" x="{frame.x(now[0]):.1f}" y="{frame.y(now[1]) - 7:.1f}" text-anchor="{"end" if near_end else "start"}">{now[1]:.2f}</text>'


def span(course: Course) -> str:
    return f"{course.held_out[0][1]:.2f} to {course.held_out[-1][1]:.2f}"


def parts(frame: Frame, course: Course, learned: Sequence[Point]) -> Iterator[str]:
    yield from grid(frame)
    yield f'<path class="learned" d="{path(frame, learned)}"/>'
    yield f'<path class="held" d="{path(frame, course.held_out)}"/>'
    yield from (
        f'<circle class="held" cx="{frame.x(u):.1f}" cy="{frame.y(loss):.1f}" r="2.5"/>'
        for u, loss in course.held_out
    )
    if course.best and course.best[0]:  # update 0 is the base
        update, loss = course.best
        yield f'<circle class="best" cx="{frame.x(update):.1f}" cy="{frame.y(loss):.1f}" r="6"/>'
        # Where the page has room, right of the ring: the line comes down to it from the left.
        near_end = frame.x(update) > frame.width - 90
        at, anchor = (frame.x(update) + 6, "end") if near_end else (frame.x(update) + 2, "start")
        yield f'<text class="held" x="{at:.1f}" y="{frame.y(loss) - 11:.1f}" text-anchor="{anchor}">best {loss:.2f}</text>'


def grid(frame: Frame) -> Iterator[str]:
    for loss in ticks(frame.low, frame.high):
        y = frame.y(loss)
        yield f'<path class="grid" d="M{frame.left} {y:.1f}H{frame.width - frame.right}"/>'
        yield f'<text x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{loss:.1f}</text>'
    for update, anchor in ((0, "start"), (round(frame.updates / 2), "middle"), (frame.updates, "end")):
        yield f'<text x="{frame.x(update):.1f}" y="{frame.height - 4}" text-anchor="{anchor}">{update:,}</text>'


def framed(course: Course, learned: Sequence[Point], width: int, height: int) -> Frame:
    """A frame that holds every point, with round losses at its edges."""
    losses = [loss for _, loss in (*learned, *course.held_out)]
    step = tick_step(min(losses), max(losses))
    low, high = math.floor(min(losses) / step) * step, math.ceil(max(losses) / step) * step
    last = max(update for update, _ in (*learned, *course.held_out))
    return Frame(width, height, max(course.updates, last, 1), low, high if high > low else low + step)


def tick_step(low: float, high: float) -> float:
    """The round distance (1, 2 or 5 times a power of ten, at least 0.1) that puts about four lines between two losses."""
    rough = max((high - low) / 4, 0.1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)


def ticks(low: float, high: float) -> list[float]:
    step = tick_step(low, high)
    first = math.ceil(low / step - 1e-9)
    return [step * n for n in range(first, math.floor(high / step + 1e-9) + 1)]


def path(frame: Frame, points: Sequence[Point]) -> str:
    return " ".join(
        f"{'L' if n else 'M'}{frame.x(update):.1f} {frame.y(loss):.1f}"
        for n, (update, loss) in enumerate(points)
    )


def smoothed(points: Sequence[Point]) -> list[Point]:
    """Each point as the mean of itself and its neighbours, thinned to what a drawing can show; a short run as it is."""
    if len(points) <= SHORT:
        return list(points)
    half = NEIGHBOURS // 2
    near = [points[max(0, n - half) : n + half + 1] for n in range(len(points))]
    means = [
        (update, sum(loss for _, loss in some) / len(some))
        for (update, _), some in zip(points, near, strict=True)
    ]
    every = math.ceil(len(means) / MOST)
    return means if every == 1 else [*means[:-1:every], means[-1]]


def in_words(course: Course) -> str:
    """The drawing for those who do not see it."""
    said = []
    if course.learned:
        said.append(f"learned from {course.learned[0][1]:.2f} to {course.learned[-1][1]:.2f}")
    if course.held_out:
        said.append(f"held-out from {course.held_out[0][1]:.2f} to {course.held_out[-1][1]:.2f}")
    best = f", best held-out {course.best[1]:.2f} at update {course.best[0]:,}" if course.best else ""
    return f"Loss over {course.done:,} of {course.updates:,} updates: {', '.join(said)}{best}."


def spark(points: Sequence[Point], updates: int) -> str:
    """The held-out loss of a run as a thumbnail; "" for fewer than two measurements."""
    if len(points) < 2:
        return ""
    losses = [loss for _, loss in points]
    spread = max(max(losses) - min(losses), 1e-6)
    frame = Frame(96, 24, updates, min(losses), min(losses) + spread, left=2, right=2, top=3, bottom=3)
    return f'<svg class="spark" viewBox="0 0 96 24" aria-hidden="true"><path class="held" d="{path(frame, points)}"/></svg>'
