"""Figures on a terminal, and as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from duretrieval.cli.terminal import out

if TYPE_CHECKING:
    from duretrieval.evaluation.comparison import Difference
    from duretrieval.evaluation.evaluated import Evaluated
    from duretrieval.evaluation.health.health import Health
    from duretrieval.evaluation.result import Evaluation, Score

ASKED = {"any-query": "any", "inside": "like it", "outside": "unlike it"}
VERDICTS = {"better": ("better", "green"), "worse": ("worse", "red"), "unsure": ("not certain",), "same": ("equal",)}
"""In words, and their colour."""
TIMED = {"text-search": "words to hits", "vector-search": "vector to parts"}


def show(found: Evaluated, compared: Sequence[Difference]) -> None:
    """Everything there is, a table each."""
    if found.health:
        _health(found.health)
    if found.evaluation.pairs or found.evaluation.totals:
        _figures(found.evaluation)
    if compared:
        _differences(compared)


def rows(found: Evaluated, compared: Sequence[Difference]) -> Iterator[dict[str, Any]]:
    """A line for each figure, total and difference, and one for the health of a collection; `kind` says which."""
    from dataclasses import asdict

    from duretrieval.evaluation.result_json import plain

    for pair in found.evaluation.pairs:
        for score in pair.scores:
            values = {key: plain(getattr(score, key)) for key in ("value", "low", "high")}
            about = {"pair": pair.name, "measure": score.measure, "queries": score.n, "gallery": pair.gallery_size}
            yield {"kind": "figure", **about, **values}
    for name, value in found.evaluation.totals.items():
        yield {"kind": "total", "measure": name, "value": plain(value)}
    for difference in compared:
        held = asdict(difference)
        yield {
            "kind": "difference",
            **{key: plain(value) if isinstance(value, float) else value for key, value in held.items()},
        }
    if found.health:
        yield {"kind": "health", **found.health.as_dict()}


def _figures(evaluation: Evaluation) -> None:
    from duretrieval.evaluation.result import FEW, few

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("pair", "metric", "value", "interval"):
        table.add_column(name, justify="left" if name in ("pair", "metric") else "right", no_wrap=True)
    for pair in evaluation.pairs:
        counted = max((score.n for score in pair.scores), default=0)
        about = [
            Text(pair.name),
            Text("1 query" if counted == 1 else f"{counted} queries", style="dim"),
            Text(f"of {pair.gallery_size} items", style="dim"),
        ]
        for left, figure in zip_longest(about, map(_figure, pair.scores), fillvalue=()):
            table.add_row(left or "", *figure)
        table.add_section()
    if evaluation.pairs:
        out.print(table)
    for name, total in evaluation.totals.items():
        out.print(f"{name}: {total:.4g}")
    if reranked := evaluation.provenance.reranked:
        out.print(f"The {reranked} nearest by cosine are in the order of the model's learned score, as in a search.")
    if few(evaluation):
        out.print(f"Some pairs have fewer than {FEW} queries: their intervals are rough.")
    if evaluation.pairs:
        out.print(f"Shares in percent; intervals of {100 * evaluation.level:g} %.")


def _figure(score: Score) -> tuple[str, str, Text]:
    from duretrieval.evaluation.report.figures import shown

    value, low, high = (shown(score.measure, v) for v in (score.value, score.low, score.high))
    return score.measure, value, Text(f"{low}–{high}", style="dim")


def _differences(compared: Sequence[Difference]) -> None:
    from duretrieval.evaluation.report.figures import change, shown

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("pair", "metric", "before", "now", "difference", "p (Holm)", "verdict"):
        table.add_column(name, justify="left" if name in ("pair", "metric", "verdict") else "right")
    for d in sorted(compared, key=lambda d: not d.significant):
        figures = (shown(d.measure, d.old), shown(d.measure, d.new), change(d))
        table.add_row(d.pair, d.measure, *figures, f"{d.adjusted:.3g}", Text(*VERDICTS[d.verdict]))
    out.print(table)


def _health(health: Health) -> None:
    share = 100 * health.problems / max(health.items, 1)
    how = "with an approximate index" if health.indexed else "every vector is compared (no approximate index)"
    how = f"searched by the index {health.index!r} in memory, with filters by the store" if health.index else how
    out.print(f"{health.items} items, {health.problems} with a problem ({share:.1f} %); {health.parts} parts, {how}.")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("filter", "keeps", "queries", f"recall@{health.k}"):
        table.add_column(name, justify="left" if name in ("filter", "queries") else "right")
    for row in health.agreements:
        recall = f"{100 * row.recall:.1f} ({100 * row.low:.1f}–{100 * row.high:.1f})"
        asked = f"{row.queries} {ASKED[row.asked]}"
        table.add_row(row.where or "none", f"{100 * row.keeps:.1f} %", asked, recall)
    out.print(table)
    timed = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("milliseconds", "p50", "p95", "p99"):
        timed.add_column(name, justify="left" if name == "milliseconds" else "right")
    for latency in health.latencies:
        times = (f"{ms:.1f}" for ms in (latency.p50_ms, latency.p95_ms, latency.p99_ms))
        timed.add_row(TIMED[latency.what], *times)
    out.print(timed)
