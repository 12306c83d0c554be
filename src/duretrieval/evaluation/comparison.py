"""Two evaluated runs side by side: which differences are real, and whether one of them is a loss."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from duretrieval.errors import ConfigError, EvaluationError
from duretrieval.evaluation.measures import Measure, measure
from duretrieval.evaluation.result import Evaluation, Pair
from duretrieval.evaluation.statistics.bootstrap import Bootstrap, paired_bootstrap
from duretrieval.evaluation.statistics.corrections import benjamini_hochberg, holm
from duretrieval.evaluation.statistics.permutation import permutation_test
from duretrieval.types import Floats

CORRECTIONS = {"holm": holm, "benjamini-hochberg": benjamini_hochberg}


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric on one pair of modalities, new minus old."""

    pair: str
    measure: str
    new: float
    old: float
    difference: float
    low: float
    high: float
    """Paired bootstrap interval of the difference, uncorrected."""
    p: float
    """Of the paired permutation test."""
    adjusted: float
    """p, corrected for all comparisons made together."""
    significant: bool
    better: bool
    """Whether new is better in direction, however unsure; False where they are equal."""

    @property
    def verdict(self) -> Literal["better", "worse", "unsure", "same"]:
        """What may be said of it."""
        if not self.difference:
            return "same"
        return ("better" if self.better else "worse") if self.significant else "unsure"


def compare(
    new: Evaluation,
    old: Evaluation,
    *,
    measures: Sequence[str] | None = None,
    alpha: float = 0.05,
    correction: Literal["holm", "benjamini-hochberg"] = "holm",
    resamples: int = 10_000,
    bootstrap: Bootstrap | None = None,
) -> list[Difference]:
    """Every metric that both measured, on every pair that both have.

    measures: only these.  Queries are matched by id.  A difference is significant where its adjusted p is at most
    `alpha`; the seed of both resamplings is `bootstrap.seed`.

    Raises:
        EvaluationError: nothing is in both, or a pair was asked different queries, or judged by different labels.
        ConfigError: no such correction or metric.
    """
    if correction not in CORRECTIONS:
        raise ConfigError(f"correction is {correction!r}; choose 'holm' or 'benjamini-hochberg'")
    bootstrap, wanted = bootstrap or Bootstrap(), measures and {measure(name).name for name in measures}
    shared = [pair.name for pair in new.pairs if pair.name in {other.name for other in old.pairs}]
    found = []
    for name in shared:
        a, b = new.pair(name), old.pair(name)
        rows = _rows_of(a, b)
        for chosen in _shared_measures(a, b, wanted):
            found.append(_difference(a, b, rows, chosen, resamples, bootstrap))
    if not found:
        raise EvaluationError(
            f"{new.name} and {old.name} share no pair of modalities and metric; evaluate both with one protocol"
        )
    adjusted = CORRECTIONS[correction]([difference.p for difference in found])
    return [
        replace(difference, adjusted=float(p), significant=bool(p <= alpha))
        for difference, p in zip(found, adjusted, strict=True)
    ]


def losses(differences: Sequence[Difference]) -> list[Difference]:
    """The significant ones in which new is worse."""
    return [d for d in differences if d.verdict == "worse"]


def gate(differences: Sequence[Difference]) -> bool:
    """True where there is a significant loss: what continuous integration should stop for."""
    return bool(losses(differences))


def _difference(a: Pair, b: Pair, rows: list[int], chosen: Measure, resamples: int, bootstrap: Bootstrap) -> Difference:
    new, old = a.score(chosen.name), b.score(chosen.name)
    other: Floats = old.values[rows]
    grouping = {"statistic": chosen.statistic, "cluster": a.cluster, "fold": a.fold}
    p = permutation_test(new.values, other, resamples=resamples, seed=bootstrap.seed, **grouping)  # type: ignore[arg-type]
    test = paired_bootstrap(new.values, other, bootstrap, **grouping)  # type: ignore[arg-type]
    return Difference(
        pair=a.name,
        measure=chosen.name,
        new=new.value,
        old=old.value,
        difference=test.difference,
        low=test.low,
        high=test.high,
        p=p,
        adjusted=p,
        significant=False,
        better=bool(test.difference > 0) == chosen.larger_is_better and test.difference != 0,
    )


def _shared_measures(a: Pair, b: Pair, names: Container[str] | None) -> list[Measure]:
    both = [score.measure for score in a.scores if score.measure in {other.measure for other in b.scores}]
    return [measure(name) for name in both if names is None or name in names]


def _rows_of(a: Pair, b: Pair) -> list[int]:
    """Where each query of a is in b."""
    place = {identity: row for row, identity in enumerate(b.queries)}
    strangers = [identity for identity in a.queries if identity not in place]
    if strangers or len(place) != len(a.queries) or a.gallery_size != b.gallery_size:
        example = f", such as {strangers[0]!r}" if strangers else ""
        raise EvaluationError(
            f"the runs were not asked the same: {a.name} has {len(a.queries)} queries in a gallery of {a.gallery_size} "
            f"here and {len(b.queries)} in {b.gallery_size} there, {len(strangers)} of them unknown there{example}; "
            "evaluate both on the same data"
        )
    return [place[identity] for identity in a.queries]
