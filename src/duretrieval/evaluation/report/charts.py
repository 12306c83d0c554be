"""The three drawings of a pair: recall over k, where first right answers came, scores of right and wrong answers."""

from __future__ import annotations

import math

import numpy as np

from duretrieval.evaluation.report.recall import Curve
from duretrieval.page.html import Markup, join
from duretrieval.page.svg import AXES, bar, dot, drawing, grid, line, path, steps, words
from duretrieval.types import Floats

PERCENT = [(share / 100, str(share)) for share in (0, 25, 50, 75, 100)]
DOTS = (1, 5, 10, 100)
BINS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000)
"""Last rank of each bar."""
FEWEST_BINS, MOST_BINS = 12, 40


def recall_chart(curve: Curve, chance: Floats | None = None) -> Markup:
    """A line with its band, k on a logarithmic scale; chance (m,) dashed."""
    last = math.log(max(int(curve.k[-1]), 2))
    xs = [AXES.x(math.log(k) / last) for k in curve.k.tolist()]
    ticks = [(math.log(k) / last, str(k)) for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if k <= curve.k[-1]]
    low, high, value = ([AXES.y(v) for v in values.tolist()] for values in (curve.low, curve.high, curve.value))
    band = [*zip(xs, high, strict=True), *list(zip(xs, low, strict=True))[::-1]]
    dots = []
    for at, k in enumerate(curve.k.tolist()):
        if k in DOTS:
            title = f"k = {k}: {percent(curve.value[at])} % ({percent(curve.low[at])}–{percent(curve.high[at])})"
            dots.append(dot((xs[at], value[at]), title, class_="mark"))
    random = Markup()
    if chance is not None:
        random = path([(x, AXES.y(v)) for x, v in zip(xs, chance.tolist(), strict=True)], class_="chance")
    return drawing(
        f"hit@k, k = 1 … {curve.k[-1]}",
        grid(ticks, PERCENT),
        path(band, closed=True, class_="band"),
        random,
        path(list(zip(xs, value, strict=True)), class_="curve"),
        *dots,
    )


def rank_chart(first: Floats, gallery: int) -> Markup:
    """Bars for ranges of ranks; the last one for queries that found nothing."""
    bars = rank_bins(first, gallery)
    total = max(sum(n for _, n in bars), 1)
    top = max(n for _, n in bars) / total
    wide = 1 / len(bars)
    shapes = []
    for i, (label, n) in enumerate(bars):
        share, left = n / total, AXES.x((i + 0.1) * wide)
        height = AXES.y(0.92 * share / top)
        title = f"{label}: {n} ({percent(share)} %)"
        width = AXES.x(0.8 * wide) - AXES.x(0)
        shapes.append(bar(left, width, height, AXES.y(0), title, class_="right" if label != "∞" else "wrong"))
        shapes.append(words(left + width / 2, height - 4, f"{100 * share:.0f}", class_="value"))
        shapes.append(words(left + width / 2, AXES.y(0) + 15, label, class_="bin"))
    base = line((AXES.x(0), AXES.y(0)), (AXES.x(1), AXES.y(0)), class_="grid")
    return drawing(", ".join(f"{label}: {n}" for label, n in bars), base, *shapes)


def rank_bins(first: Floats, gallery: int) -> list[tuple[str, int]]:
    """(last rank of a range, queries) over first ranks (q,), NaN left out; "∞" only where something was not found.

    >>> rank_bins(np.array([1.0, 4.0, 4.0, np.inf]), 5)
    [('1', 1), ('2', 0), ('3', 0), ('≤5', 2), ('∞', 1)]
    """
    known = first[~np.isnan(first)]
    finite = known[~np.isinf(known)]
    reach = min(gallery, max(int(finite.max(initial=1)), 10))
    out, below = [], 0
    for last in BINS:
        if below >= reach:
            break
        label = str(last) if last == below + 1 else f"≤{_short(last)}"
        out.append((label, int(((finite > below) & (finite <= last)).sum())))
        below = last
    if len(finite) < len(known):
        out.append(("∞", len(known) - len(finite)))
    return out


def score_chart(right: Floats, wrong: Floats) -> Markup:
    """Two histograms over one axis, each as high as the drawing."""
    both = np.concatenate([right, wrong])
    low, high = float(both.min()), float(both.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    bins = int(np.clip(2 * np.sqrt(len(right)), FEWEST_BINS, MOST_BINS))
    shapes = []
    for values, name in ((wrong, "wrong"), (right, "right")):
        counts = np.histogram(values, bins, (low, high))[0]
        heights = (0.95 * counts / max(int(counts.max()), 1)).tolist()
        shapes.append(path(steps(heights, AXES.x, AXES.y), closed=True, class_=f"area {name}"))
    decimals = max(0, 2 - math.floor(math.log10(high - low) + 0.5))
    ticks = [(i / 4, f"{round(low + (high - low) * i / 4, decimals) + 0.0:.{decimals}f}") for i in range(5)]
    return drawing(f"{low:.2g} … {high:.2g}", grid(ticks, [(0.0, "")]), join(*shapes))


def percent(share: float) -> str:
    """0.4321 -> "43.2"."""
    return f"{100 * share:.1f}"


def _short(rank: int) -> str:
    return f"{rank / 1000:.0f}k" if rank >= 10_000 else str(rank)
