"""The whole page of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from duretrieval.evaluation.comparison import Difference
from duretrieval.evaluation.health.health import Health
from duretrieval.evaluation.report import figures
from duretrieval.evaluation.report.closeup import Closeup
from duretrieval.evaluation.report.health_section import health_section
from duretrieval.evaluation.report.pair_section import pair_section
from duretrieval.evaluation.report.words import one, say
from duretrieval.evaluation.result import FEW, Evaluation, few
from duretrieval.page.html import Markup, join, tag
from duretrieval.page.layout import Lang, document


def page(
    evaluation: Evaluation,
    *,
    closeups: Sequence[Closeup] = (),
    health: Health | None = None,
    compared: Sequence[Difference] = (),
    against: str = "",
    notes: Sequence[str] = (),
    lang: Lang = "en",
) -> str:
    """HTML.  notes: what a reader should know first.  lang: the language shown first; the other is a click away."""
    close = {closeup.pair: closeup for closeup in closeups}
    main = tag(
        "main",
        _head(evaluation, notes),
        figures.matrix(evaluation) if evaluation.pairs else None,
        figures.table(evaluation) if evaluation.pairs or evaluation.totals else None,
        figures.differences(compared, against) if compared else None,
        health_section(health) if health else None,
        *(pair_section(pair, close.get(pair.name), evaluation.level) for pair in evaluation.pairs),
        _provenance(evaluation),
    )
    return document(one("title", lang, name=evaluation.name), main, lang)


def _head(evaluation: Evaluation, notes: Sequence[str]) -> Markup:
    lead = None if evaluation.totals else say("lead-health")
    said: list[str] = list(notes)
    if evaluation.pairs:
        queries = len({(pair.query, query) for pair in evaluation.pairs for query in pair.queries})
        level = f"{100 * evaluation.level:g}"
        lead = say("lead", pairs=len(evaluation.pairs), queries=f"{queries:,}", level=level)
        if reranked := evaluation.provenance.reranked:
            said.append(say("reranked", n=reranked))
        if few(evaluation):
            said.append(say("few", n=FEW))
    listed = tag("ul", *(tag("li", note) for note in said), class_="note") if said else None
    return tag("header", tag("h1", say("title", name=evaluation.name)), tag("p", lead) if lead else None, listed)


def _provenance(evaluation: Evaluation) -> Markup:
    rows = []
    for key in ("command", "model", "data", "version"):
        if value := getattr(evaluation.provenance, key):
            rows.append(join(tag("dt", say(key)), tag("dd", tag("code", value))))
    note = tag("p", say("json", file="result.json"), class_="note")
    return tag("section", tag("h2", say("provenance")), tag("dl", *rows), note, class_="provenance")
