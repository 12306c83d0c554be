"""One pair of modalities: its drawings, and the queries that went worst and best."""

from __future__ import annotations

import math
from collections.abc import Sequence

from duretrieval.evaluation.report.charts import percent, rank_chart, recall_chart, score_chart
from duretrieval.evaluation.report.closeup import Case, Closeup, Found
from duretrieval.evaluation.report.exhibit import Exhibit, jpeg_uri
from duretrieval.evaluation.report.recall import chance, curve, first_ranks
from duretrieval.evaluation.report.words import say, say_pair
from duretrieval.evaluation.result import Pair
from duretrieval.page.html import Markup, join, tag
from duretrieval.page.svg import path
from duretrieval.types import Array


def pair_section(pair: Pair, closeup: Closeup | None, level: float) -> Markup:
    """Everything about a pair; what was not measured is left out."""
    counted = max((score.n for score in pair.scores), default=0)
    return tag(
        "section",
        tag("h2", say_pair(str(pair.query), str(pair.gallery))),
        tag("p", say("of-pair", n=f"{counted:,}", gallery=f"{pair.gallery_size:,}"), class_="note"),
        tag("div", *_drawings(pair, closeup, level), class_="charts"),
        _cases("worst", closeup.worst) if closeup else None,
        _cases("best", closeup.best) if closeup else None,
        id=pair.name,
        class_="pair",
    )


def _drawings(pair: Pair, closeup: Closeup | None, level: float) -> list[Markup]:
    out = []
    if (recall := curve(pair, level)) is not None:
        random = chance(closeup.counts, pair.gallery_size, recall.k) if closeup else None
        note = tag("small", say("curve-chance")) if closeup else None
        out.append(_figure("recall", recall_chart(recall, random), say("curve"), note))
    first = first_ranks(pair)
    if first is not None and recall is not None:
        note = tag("small", say("not-found")) if (first == math.inf).any() else None
        out.append(_figure("ranks", rank_chart(first, pair.gallery_size), say("ranks"), note))
    if closeup and len(closeup.relevant) and len(closeup.irrelevant):
        note = tag(
            "small",
            tag("span", say("right"), class_="key right"),
            tag("span", say("wrong"), class_="key wrong"),
            say("separation", share=percent(closeup.separation)),
        )
        out.append(_figure("scores", score_chart(closeup.relevant, closeup.irrelevant), say("scores"), note))
    return out


def _figure(name: str, chart: Markup, caption: Markup, note: Markup | None) -> Markup:
    return tag("figure", tag("figcaption", caption), chart, note, class_=f"chart {name}")


def _cases(key: str, cases: Sequence[Case]) -> Markup | None:
    if not cases:
        return None
    return join(tag("h3", say(key)), tag("div", *(_case(case) for case in cases), class_="cases"))


def _case(case: Case) -> Markup:
    rank = say("rank-none") if math.isinf(case.rank) else say("rank-is", rank=f"{case.rank:,.0f}")
    found = [_found(found) for found in case.found]
    answer = None
    if case.answer:
        answer = tag("div", tag("h4", say("missed")), tag("div", _found(case.answer), class_="row"))
    return tag(
        "article",
        tag("div", exhibit(case.query), tag("p", rank, class_="rank"), class_="query"),
        tag("div", tag("h4", say("found")), tag("div", *found, class_="row"), class_="results"),
        answer,
        class_="case",
    )


def _found(found: Found) -> Markup:
    score = "" if math.isinf(found.score) else f"{found.score:.3f}"
    mark = tag("p", "✓ " if found.right else "✗ ", score, class_="mark")
    return tag("div", mark, exhibit(found.exhibit), class_="found right" if found.right else "found wrong")


def exhibit(thing: Exhibit) -> Markup:
    """Pictures, the shape of a sound, words and a name, as far as there are any."""
    pictures = [
        tag("img", src=jpeg_uri(p), width=p.shape[1], height=p.shape[0], alt=thing.name) for p in thing.pictures
    ]
    return tag(
        "div",
        tag("div", *pictures, class_="pictures") if pictures else None,
        _wave(thing.wave, thing.name) if thing.wave is not None else None,
        tag("p", thing.text, class_="words") if thing.text else None,
        tag("p", thing.name, class_="name") if thing.name else None,
        class_="exhibit",
    )


def _wave(wave: Array, name: str) -> Markup:
    upper = [(2.0 * i, 16 - max(14 * h, 0.5)) for i, h in enumerate(wave.tolist())]
    lower = [(x, 32 - y) for x, y in reversed(upper)]
    shape = path([*upper, *lower], closed=True, class_="wave")
    return tag("svg", shape, viewBox=f"0 0 {2 * len(wave)} 32", class_="sound", role="img", aria_label=name)
