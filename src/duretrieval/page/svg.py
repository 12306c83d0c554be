"""Drawings as SVG, with numbers for their only words: what they show is said beside them, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from duretrieval.page.html import Markup, join, tag

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 34, 16, 12, 24
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a value lies in the drawing: both functions take [0, 1] to units of the drawing, y upwards."""

    width: float = WIDTH
    height: float = HEIGHT

    def x(self, share: float) -> float:
        """Units from the left."""
        return LEFT + share * (self.width - LEFT - RIGHT)

    def y(self, share: float) -> float:
        """Units from the top."""
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)


AXES = Axes()


def drawing(label: str, *shapes: Markup, height: float = HEIGHT) -> Markup:
    """A drawing that grows with its column; `label` is what a screen reader says."""
    return tag(
        "svg", *shapes, viewBox=f"0 0 {WIDTH} {height:g}", role="img", aria_label=label, preserveAspectRatio="xMidYMid"
    )


def grid(ticks_x: Sequence[tuple[float, str]], ticks_y: Sequence[tuple[float, str]]) -> Markup:
    """Lines across for each y, and the numbers along both axes; (share, number) each."""
    shapes = []
    for share, text in ticks_y:
        y = AXES.y(share)
        shapes.append(line((AXES.x(0), y), (AXES.x(1), y), class_="grid"))
        shapes.append(words(AXES.x(0) - 5, y + 4, text, anchor="end"))
    shapes += [words(AXES.x(share), HEIGHT - 8, text) for share, text in ticks_x]
    return join(*shapes)


def line(a: Point, b: Point, **attributes: str) -> Markup:
    """A straight line."""
    return tag("line", x1=_n(a[0]), y1=_n(a[1]), x2=_n(b[0]), y2=_n(b[1]), **attributes)


def path(points: Sequence[Point], *, closed: bool = False, **attributes: str) -> Markup:
    """A line through points, or the area inside it."""
    if not points:
        return Markup()
    d = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + ("Z" if closed else "")
    return tag("path", d=d, **attributes)


def dot(at: Point, title: str, radius: float = 3.5, **attributes: str) -> Markup:
    """A circle that says its value under a pointer."""
    return tag("circle", tag("title", title), cx=_n(at[0]), cy=_n(at[1]), r=_n(radius), **attributes)


def bar(left: float, width: float, top: float, bottom: float, title: str, **attributes: str) -> Markup:
    """A rectangle with its value."""
    size = {"x": _n(left), "y": _n(top), "width": _n(max(width, 0)), "height": _n(max(bottom - top, 0))}
    return tag("rect", tag("title", title), rx="1.5", **size, **attributes)


def words(x: float, y: float, text: str, anchor: str = "middle", **attributes: str) -> Markup:
    """A number beside an axis or on a bar."""
    return tag("text", text, x=_n(x), y=_n(y), text_anchor=anchor, **attributes)


def steps(heights: Sequence[float], x: Callable[[float], float], y: Callable[[float], float]) -> list[Point]:
    """The outline of a histogram whose bars fill [0, 1]."""
    points = [(x(0.0), y(0.0))]
    for i, height in enumerate(heights):
        points += [(x(i / len(heights)), y(height)), (x((i + 1) / len(heights)), y(height))]
    return [*points, (x(1.0), y(0.0))]


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
