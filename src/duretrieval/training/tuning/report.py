"""A search on one page: how it went, what mattered, every trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from duretrieval import whole
from duretrieval.page.html import Markup, tag
from duretrieval.page.layout import Lang, document
from duretrieval.training.tuning import charts
from duretrieval.training.tuning.importance import FEWEST, importance
from duretrieval.training.tuning.range import Range
from duretrieval.training.tuning.trial import Search, Trial
from duretrieval.training.tuning.words import WORDS, say


def write_report(
    folder: str | Path, search: Search, trials: Sequence[Trial], best: Trial, *, monitor: str, lang: Lang = "en"
) -> Path:
    """Write `report.html` into a folder that exists; the page holds English and Chinese, `lang` is shown first.

    monitor: the name of the metric that the values are of.
    """
    folder = Path(folder)
    main = tag(
        "main",
        _head(search, trials, monitor),
        _best(best),
        _course(trials, best),
        _settings(search, trials, best),
        _importance(trials),
        _table(search, trials, best),
    )
    path = folder / "report.html"
    whole.write(path, document(WORDS["title"][lang == "zh"], main, lang))
    return path


def _head(search: Search, trials: Sequence[Trial], monitor: str) -> Markup:
    states = Counter(trial.state for trial in trials)
    counts = {"complete": states["complete"], "pruned": states["pruned"], "failed": states["fail"]}
    lead = say("lead", n=len(trials), sampler=search.sampler, monitor=monitor, **counts)
    return tag("header", tag("h1", say("title")), tag("p", lead))


def _best(best: Trial) -> Markup:
    rows = [tag("dt", name) + tag("dd", tag("code", charts.shown(value))) for name, value in best.settings.items()]
    title = say("best", number=best.number, value=f"{best.value:.4f}")
    return tag("section", tag("h2", title), tag("dl", *map(Markup, rows)))


def _course(trials: Sequence[Trial], best: Trial) -> Markup:
    drawn = [_figure(say("so-far"), charts.course(trials, best))]
    if curves := charts.learning(trials, best):
        drawn.append(_figure(say("learning"), curves))
    return tag("section", tag("h2", say("course")), tag("div", *drawn, class_="charts"))


def _settings(search: Search, trials: Sequence[Trial], best: Trial) -> Markup:
    drawn = []
    for name, tried in search.space.items():
        log = isinstance(tried, Range) and tried.log
        caption = say("against-log" if log else "against", name=name)
        drawn.append(_figure(caption, charts.against(name, tried, trials, best)))
    return tag("section", tag("h2", say("settings")), tag("div", *drawn, class_="charts"))


def _importance(trials: Sequence[Trial]) -> Markup:
    valued = [trial for trial in trials if trial.value is not None]
    shares = importance([trial.settings for trial in valued], [trial.value or 0.0 for trial in valued])
    if not shares:
        return tag("section", tag("h2", say("importance")), tag("p", say("importance-few", n=FEWEST), class_="note"))
    head = tag("tr", tag("th", say("setting")), tag("th", say("share")))
    rows = [
        tag("tr", tag("th", name), tag("td", _meter(share), f"{100 * share:.0f} %")) for name, share in shares.items()
    ]
    note = tag("p", say("importance-note"), class_="note")
    return tag("section", tag("h2", say("importance")), note, tag("table", head, *rows))


def _table(search: Search, trials: Sequence[Trial], best: Trial) -> Markup:
    names = list(search.space)
    words = [*map(say, ("trial", "value", "state")), *names]
    head = tag("tr", *(tag("th", word) for word in words))
    rows = []
    for trial in sorted(trials, key=lambda t: (t.value is None, -(t.value or 0.0))):
        value = "" if trial.value is None else f"{trial.value:.4f}"
        tried = (charts.shown(trial.settings.get(name, "")) for name in names)
        cells: list[str | float] = [trial.number, value, say(trial.state), *tried]
        chosen = trial.number == best.number
        rows.append(tag("tr", *(tag("td", tag("b", cell) if chosen else cell) for cell in cells)))
    return tag("section", tag("h2", say("trials")), tag("div", tag("table", head, *rows), class_="scroll"))


def _meter(share: float) -> Markup:
    return tag("span", class_="meter", style=f"--v: {100 * share:.1f}%")


def _figure(caption: Markup, drawn: Markup) -> Markup:
    return tag("figure", tag("figcaption", caption), drawn)
