"""Metrics of decisions: one class an item, or any number of labels an item."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ConfigError, EvaluationError, ShapeError

Average = Literal["micro", "macro"]


class Decisions(NamedTuple):
    """Per class: how often it was rightly given, wrongly given, and missed; (c,) each."""

    right: npt.NDArray[np.int64]
    wrong: npt.NDArray[np.int64]
    missed: npt.NDArray[np.int64]


def accuracy(true: npt.ArrayLike, given: npt.ArrayLike) -> float:
    """Share of items whose class (n,), or whole set of labels (n, c), was given exactly.

    >>> accuracy(["cat", "dog", "dog"], ["cat", "dog", "cat"])
    0.6666666666666666

    Raises:
        ShapeError: the two are not of one shape.
        EvaluationError: there are no items.
    """
    a, b = _alike(true, given)
    return float(np.mean((a == b).reshape(len(a), -1).all(axis=1)))


def decisions(true: npt.ArrayLike, given: npt.ArrayLike) -> Decisions:
    """Counts per class. (n,) classes, in sorted order of all that occur; or (n, c) labels, non-zero where they hold.

    >>> decisions(["cat", "dog", "dog"], ["cat", "dog", "cat"])
    Decisions(right=array([1, 1]), wrong=array([1, 0]), missed=array([0, 1]))

    Raises:
        ShapeError: the two are not of one shape.
        EvaluationError: there are no items.
    """
    a, b = _alike(true, given)
    if a.ndim == 1:
        classes = np.unique(np.concatenate([a, b]))
        a, b = a[:, None] == classes, b[:, None] == classes
    a, b = a != 0, b != 0
    return Decisions((a & b).sum(axis=0), (~a & b).sum(axis=0), (a & ~b).sum(axis=0))


def precision(counts: Decisions, average: Average = "macro") -> float:
    """How much of what was given is right: right / (right + wrong); 0 for a class that was never given.

    `macro`: the mean over classes, each counting alike. `micro`: over all decisions together, so that frequent classes
    count more; with one class an item, micro precision, recall and F1 all equal accuracy (Sokolova and Lapalme 2009).

    >>> precision(decisions(["cat", "dog", "dog"], ["cat", "dog", "cat"]))  # (1/2 + 1/1) / 2
    0.75
    """
    right, wrong, _ = _averaged(counts, average)
    return _ratio(right, right + wrong)


def recall(counts: Decisions, average: Average = "macro") -> float:
    """How much of what is true was given: right / (right + missed); 0 for a class that never occurs.

    >>> recall(decisions(["cat", "dog", "dog"], ["cat", "dog", "cat"]))  # (1/1 + 1/2) / 2
    0.75
    """
    right, _, missed = _averaged(counts, average)
    return _ratio(right, right + missed)


def f1(counts: Decisions, average: Average = "macro") -> float:
    """The harmonic mean of precision and recall: 2 right / (2 right + wrong + missed), per class, then the mean.

    Macro F1 is the mean of the classes' F1, not the F1 of the mean precision and recall (Opitz and Burst 2019).

    >>> f1(decisions(["cat", "dog", "dog"], ["cat", "dog", "cat"]), "micro")
    0.6666666666666666
    """
    right, wrong, missed = _averaged(counts, average)
    return _ratio(2 * right, 2 * right + wrong + missed)


def _averaged(counts: Decisions, average: Average) -> Decisions:
    if average == "macro":
        return counts
    if average == "micro":
        return Decisions(*(count.sum(keepdims=True) for count in counts))
    raise ConfigError(f"average is {average!r}; choose 'micro' or 'macro'")


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> float:
    return float(np.mean(part / np.maximum(whole, 1)))


def _alike(true: npt.ArrayLike, given: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    a, b = np.asarray(true), np.asarray(given)
    if a.shape != b.shape or a.ndim not in (1, 2):
        raise ShapeError(
            f"true has shape {a.shape} and given {b.shape}; give two of (n,) classes or two of (n, c) labels"
        )
    if not len(a):
        raise EvaluationError("there are no items to judge; give at least one")
    return a, b
