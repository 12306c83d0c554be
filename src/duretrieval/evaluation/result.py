"""What an evaluation found: values with intervals, the value of every query, and where it all came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from duretrieval.errors import EvaluationError
from duretrieval.types import Floats, Ints, Modality

Side = Modality | str
"""What asks, or is searched: a modality; "any", all of them together, as a search does that nothing restricts; or the
name of a view that a model was trained on, as "anchor" or "image+keywords"."""

FEW = 20
"""Queries below which an interval is rough; one query alone gives an interval of no width."""


def side(name: str) -> Side:
    """As `Pair.name` has it: a modality where it is called so.

    Raises:
        ValueError: it is no name.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"{name!r} is no name of what asks or is searched")
    return next((modality for modality in Modality if modality == name), name)


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One metric over the queries of one pair of modalities."""

    measure: str
    """A name that `measures.measure` knows."""
    value: float
    low: float
    high: float
    """Bounds of the interval, at the evaluation's level."""
    n: int
    """Queries that count: those with something relevant."""
    values: Floats
    """(q,) per query; NaN for those that do not count."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Queries of one side against a gallery of another."""

    query: Side
    gallery: Side
    queries: tuple[str, ...]
    """(q,) ids."""
    gallery_size: int
    scores: tuple[Score, ...]
    cluster: Ints | None = None
    """(q,) queries with one label are not independent: captions of one picture."""
    fold: Ints | None = None
    """(q,) where the figure is the mean over folds."""

    @property
    def name(self) -> str:
        """As "text-image": what asks, then what is searched."""
        return f"{self.query}-{self.gallery}"

    def score(self, measure: str) -> Score:
        """The score of a metric.

        Raises:
            EvaluationError: it was not measured.
        """
        for score in self.scores:
            if score.measure == measure:
                return score
        have = ", ".join(score.measure for score in self.scores)
        raise EvaluationError(f"{self.name} was not measured by {measure!r}; there are {have}")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Enough to do it again."""

    model: str = ""
    """The fingerprint of the model."""
    data: str = ""
    """A hash of the labels and what they label."""
    command: str = ""
    version: str = ""
    """Of this package."""
    reranked: int = 0
    """How many of the nearest by cosine a learned score of the model put in order; 0: the cosine alone ranked."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One run, measured."""

    name: str
    """Of the protocol or data set."""
    pairs: tuple[Pair, ...]
    totals: Mapping[str, float] = field(default_factory=dict)
    """Figures over several pairs, such as rsum."""
    level: float = 0.95
    """Of the intervals."""
    provenance: Provenance = field(default_factory=Provenance)

    def pair(self, name: str) -> Pair:
        """The pair called, say, "text-image".

        Raises:
            EvaluationError: there is none of that name.
        """
        for pair in self.pairs:
            if pair.name == name:
                return pair
        raise EvaluationError(
            f"{self.name} has no pair {name!r}; there are {', '.join(pair.name for pair in self.pairs) or 'none'}"
        )


def few(evaluation: Evaluation) -> bool:
    """Whether a pair has so few queries that resampling them says little of how sure its figures are."""
    return any(score.n < FEW for pair in evaluation.pairs for score in pair.scores)
