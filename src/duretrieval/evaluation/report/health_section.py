"""What a collection shows without labels."""

from __future__ import annotations

from duretrieval.evaluation.health.agreement import Agreement
from duretrieval.evaluation.health.health import Health
from duretrieval.evaluation.report.charts import percent
from duretrieval.evaluation.report.words import say
from duretrieval.page.html import Markup, tag


def health_section(health: Health) -> Markup:
    """Counts, recall against comparing every vector, and latencies."""
    share = health.problems / max(health.items, 1)
    counts = [
        ("items", f"{health.items:,}"),
        ("parts", f"{health.parts:,}"),
        ("problems", f"{health.problems:,} ({percent(share)} %)"),
    ]
    tiles = [tag("div", tag("b", value), tag("span", say(key)), class_="tile") for key, value in counts]
    index, what = (health.index, "memory") if health.index else (say("yes" if health.indexed else "no"), "index")
    tiles.append(tag("div", tag("b", index), tag("span", say(what)), class_="tile"))
    queries = max((a.queries for a in health.agreements), default=0)
    n = max((latency.queries for latency in health.latencies), default=0)
    return tag(
        "section",
        tag("h2", say("health")),
        tag("div", *tiles, class_="tiles"),
        tag("h3", say("agreement")),
        tag("p", say("agreement-note", k=health.k, queries=queries), class_="note"),
        tag("div", _agreements(health), class_="scroll"),
        tag("h3", say("latency")),
        tag("p", say("latency-note", n=n), class_="note"),
        tag("div", _latencies(health), class_="scroll"),
        class_="health",
    )


def _agreements(health: Health) -> Markup:
    head = tag("tr", *(tag("th", say(key)) for key in ("filter", "keeps", "asked-by", "recall")))
    return tag("table", head, *(_agreement(row) for row in health.agreements), class_="agreements")


def _agreement(row: Agreement) -> Markup:
    recall = tag("b", percent(row.recall))
    interval = tag("small", f" ({percent(row.low)}–{percent(row.high)})")
    return tag(
        "tr",
        tag("th", tag("code", row.where) if row.where else say("no-filter"), scope="row"),
        tag("td", f"{percent(row.keeps)} %"),
        tag("td", say(row.asked)),
        tag("td", tag("span", style=f"--v:{100 * row.recall:.1f}%", class_="meter"), recall, interval),
    )


def _latencies(health: Health) -> Markup:
    head = tag(
        "tr", tag("th"), tag("th", say("half")), *(tag("th", say("within", share=share)) for share in ("95", "99"))
    )
    rows = [
        tag(
            "tr",
            tag("th", say(latency.what), scope="row"),
            *(tag("td", f"{ms:.1f}") for ms in (latency.p50_ms, latency.p95_ms, latency.p99_ms)),
        )
        for latency in health.latencies
    ]
    return tag("table", head, *rows)
