"""The figures: the matrix of modalities, the table of everything, differences to an earlier run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from duretrieval.evaluation.comparison import Difference
from duretrieval.evaluation.measures import measure
from duretrieval.evaluation.report.charts import percent
from duretrieval.evaluation.report.words import SIDES, say, say_pair, say_side
from duretrieval.evaluation.result import Evaluation, Score
from duretrieval.page.html import Markup, join, tag

HEADLINES = ("hit@10", "recall@10", "ap", "hit@5", "hit@1", "ap@r", "ndcg@10")
"""What the matrix shows: the first of these that was measured."""


def headline(evaluation: Evaluation) -> str | None:
    """The metric of the matrix; None where only ranks were measured."""
    measured = {score.measure for pair in evaluation.pairs for score in pair.scores}
    return next((name for name in HEADLINES if name in measured), None)


def matrix(evaluation: Evaluation) -> Markup:
    """Who asks down the side, what is searched along the top; the fuller the colour, the better."""
    chosen = headline(evaluation)
    if chosen is None:
        return Markup()
    asks = _in_order(str(pair.query) for pair in evaluation.pairs)
    searched = _in_order(str(pair.gallery) for pair in evaluation.pairs)
    cells = {
        (str(pair.query), str(pair.gallery)): score
        for pair in evaluation.pairs
        for score in pair.scores
        if score.measure == chosen
    }
    head = tag("tr", tag("th", say("asks"), class_="corner"), *(tag("th", say_side(m), scope="col") for m in searched))
    rows = [
        tag("tr", tag("th", say_side(a), scope="row"), *(_cell(cells.get((a, b)), f"{a}-{b}") for b in searched))
        for a in asks
    ]
    return tag(
        "section",
        tag("h2", say("matrix")),
        tag("p", say("matrix-note", measure=chosen), class_="note"),
        tag("div", tag("table", head, *rows, class_="matrix"), class_="scroll"),
    )


def _in_order(sides: Iterable[str]) -> list[str]:
    """Each once: modalities in their order, then views as they come."""
    return sorted(dict.fromkeys(sides), key=lambda name: SIDES.index(name) if name in SIDES else len(SIDES))


def table(evaluation: Evaluation) -> Markup:
    """Every metric of every pair, with its interval; and the totals."""
    names = list(dict.fromkeys(score.measure for pair in evaluation.pairs for score in pair.scores))
    head = tag("tr", *(tag("th", say(key)) for key in ("pair", "queries", "gallery")), *(tag("th", n) for n in names))
    rows = []
    for pair in evaluation.pairs:
        scores = {score.measure: score for score in pair.scores}
        counted = max((score.n for score in pair.scores), default=0)
        rows.append(
            tag(
                "tr",
                tag("th", tag("a", say_pair(str(pair.query), str(pair.gallery)), href=f"#{pair.name}"), scope="row"),
                tag("td", f"{counted:,}"),
                tag("td", f"{pair.gallery_size:,}"),
                *(_figure(scores.get(name)) for name in names),
            )
        )
    totals = [tag("li", f"{name}: {value:.4g}") for name, value in evaluation.totals.items()]
    return tag(
        "section",
        tag("h2", say("figures")),
        tag("p", say("figures-note"), class_="note"),
        tag("div", tag("table", head, *rows, class_="figures"), class_="scroll"),
        join(tag("h3", say("totals")), tag("ul", *totals)) if totals else None,
    )


def differences(found: Sequence[Difference], name: str) -> Markup:
    """Each metric now and before, and whether the difference is real."""
    columns = ("pair", "measure", "before", "now", "difference", "verdict")
    rows = [_difference(d) for d in sorted(found, key=lambda d: not d.significant)]
    verdicts = [d.verdict for d in found]
    better, worse = verdicts.count("better"), verdicts.count("worse")
    return tag(
        "section",
        tag("h2", say("against", name=name)),
        tag("p", say("against-note", n=len(found), better=better, worse=worse), class_="note"),
        tag("div", tag("table", tag("tr", *(tag("th", say(c)) for c in columns)), *rows), class_="scroll long"),
    )


def shown(name: str, value: float) -> str:
    """A figure as people read it: shares in percent, ranks as they are, "–" where there is none."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    return percent(value) if measure(name).larger_is_better else f"{value:.4g}"


def change(d: Difference) -> str:
    """A difference and its interval, in what `shown` shows."""
    scale = 100 if measure(d.measure).larger_is_better else 1
    return f"{scale * d.difference:+.1f} ({scale * d.low:+.1f} … {scale * d.high:+.1f})"


def _cell(score: Score | None, pair: str) -> Markup:
    if score is None or math.isnan(score.value):
        return tag("td", "–", class_="empty")
    low, high = percent(score.low), percent(score.high)
    deep = "deep" if score.value > 0.55 else None
    link = tag("a", tag("b", percent(score.value)), tag("small", f"{low}–{high}"), href=f"#{pair}")
    return tag("td", link, class_=deep, style=f"--v:{100 * score.value:.1f}%")


def _figure(score: Score | None) -> Markup:
    if score is None:
        return tag("td", "–")
    low, high = shown(score.measure, score.low), shown(score.measure, score.high)
    return tag("td", shown(score.measure, score.value), " ", tag("small", f"({low}–{high})"))


def _difference(d: Difference) -> Markup:
    return tag(
        "tr",
        tag("th", say_pair(*d.pair.split("-", 1)), scope="row"),
        tag("td", d.measure),
        tag("td", shown(d.measure, d.old)),
        tag("td", shown(d.measure, d.new)),
        tag("td", change(d)),
        tag("td", say(d.verdict), tag("small", f" p = {d.adjusted:.3g}"), class_=f"verdict {d.verdict}"),
    )
