"""The drawings of a search: its course, its learning curves, a value against each setting."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from duretrieval.page.html import Markup, join
from duretrieval.page.svg import AXES, dot, drawing, grid, path
from duretrieval.training.tuning.range import Range
from duretrieval.training.tuning.trial import Trial

LONGEST = 14
"""Characters of a choice below its axis."""
FAINT = "opacity:.3"
CHOSEN = "fill:var(--accent)"


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers to [0, 1], and numbers to write beside the axis."""

    low: float
    high: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """0 at low, 1 at high."""
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return 0.5 if high == low else (at - low) / (high - low)

    def ticks(self, count: int = 4) -> list[tuple[float, str]]:
        """(share, number): powers of ten on a logarithmic axis that has two, else steps of 1, 2 or 5."""
        if self.low == self.high:
            return [(0.5, f"{self.low:.3g}")]
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if last > first:
                return [(self(10.0**power), f"{10.0**power:g}") for power in range(first, last + 1)]
            ratio = self.high / self.low
            return [(i / count, f"{self.low * ratio ** (i / count):.3g}") for i in range(count + 1)]
        rough = (self.high - self.low) / count
        power = math.floor(math.log10(rough))
        step = next(s for s in (1, 2, 5, 10) if s * 10.0**power >= rough) * 10.0**power
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [
            (self(n * step), f"{n * step:.{max(0, -math.floor(math.log10(step)))}f}") for n in range(first, last + 1)
        ]


def values_scale(values: Iterable[float]) -> Scale:
    """An axis that holds the values, with a little room."""
    held = list(values)
    room = 0.05 * (max(held) - min(held))
    return Scale(min(held) - room, max(held) + room)


def course(trials: Sequence[Trial], best: Trial) -> Markup:
    """Each trial's value, and the best so far as a line."""
    shown = [trial for trial in trials if trial.value is not None]
    y = values_scale(trial.value or 0.0 for trial in shown)
    x = whole_scale(trial.number for trial in shown)
    complete = [trial for trial in shown if trial.state == "complete"]
    so_far = list(accumulate((trial.value or 0.0 for trial in complete), max))
    corners: list[tuple[float, float]] = []
    for trial, value in zip(complete, so_far, strict=True):
        if corners:
            corners.append((AXES.x(x(trial.number)), corners[-1][1]))
        corners.append((AXES.x(x(trial.number)), AXES.y(y(value))))
    if corners:
        corners.append((AXES.x(1), corners[-1][1]))
    dots = [mark(AXES.x(x(trial.number)), y, trial, best) for trial in shown]
    return drawing(f"{len(shown)} trials", grid(whole(x), y.ticks()), path(corners, class_="curve"), *dots)


def learning(trials: Sequence[Trial], best: Trial) -> Markup:
    """The value at each check, a line a trial; the best one's stands out."""
    shown = [trial for trial in trials if len(trial.checks) > 1]
    if not shown:
        return Markup()
    y = values_scale(value for trial in shown for value in trial.checks.values())
    x = whole_scale(epoch + 1 for trial in shown for epoch in trial.checks)
    lines = []
    for trial in sorted(shown, key=lambda trial: trial.number == best.number):
        points = [(AXES.x(x(epoch + 1)), AXES.y(y(value))) for epoch, value in sorted(trial.checks.items())]
        lines.append(path(points, class_="curve", style="" if trial.number == best.number else FAINT))
    return drawing(f"{len(shown)} trials", grid(whole(x), y.ticks()), join(*lines))


def against(name: str, tried: Range | tuple[Any, ...], trials: Sequence[Trial], best: Trial) -> Markup:
    """The value against a setting: an axis of numbers, logarithmic where the range is, or a column a choice."""
    shown = [trial for trial in trials if trial.value is not None and name in trial.settings]
    y = values_scale(trial.value or 0.0 for trial in shown)
    place: Callable[[Any], float]
    if isinstance(tried, Range):
        place = Scale(tried.low, tried.high, tried.log)
        ticks = place.ticks()
    else:
        choices = [repr(choice) for choice in tried]
        wide = 1 / len(choices)

        def place(value: Any) -> float:
            return (choices.index(repr(value)) + 0.5) * wide

        ticks = [(place(choice), _short(str(choice))) for choice in tried]
    ordered = sorted(shown, key=lambda trial: trial.number == best.number)
    dots = [mark(AXES.x(place(trial.settings[name])), y, trial, best) for trial in ordered]
    return drawing(f"{name}: {len(shown)} trials", grid(ticks, y.ticks()), *dots)


def mark(x: float, y: Scale, trial: Trial, best: Trial) -> Markup:
    """A trial: filled the best, faint where it was stopped early."""
    value = trial.value or 0.0
    title = f"{trial.number}: {value:.4f} " + ", ".join(f"{k} = {shown(v)}" for k, v in trial.settings.items())
    style = CHOSEN if trial.number == best.number else FAINT if trial.state != "complete" else ""
    return dot((x, AXES.y(y(value))), title, class_="mark", style=style)


def shown(value: Any) -> str:
    """A setting's value as it is read: four digits of a fraction."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def whole_scale(numbers: Iterable[int]) -> Scale:
    """An axis from the first to the last."""
    held = list(numbers)
    return Scale(min(held), max(held))


def whole(scale: Scale, most: int = 6) -> list[tuple[float, str]]:
    """Whole numbers along an axis of counts."""
    step = max(1, math.ceil((scale.high - scale.low) / most))
    return [(scale(n), str(n)) for n in range(int(scale.low), int(scale.high) + 1, step)]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
