"""A rough rotation between two spaces made a good one, from what it gets right itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from duretrieval.align.csls import csls, mutual
from duretrieval.similarity import unit
from duretrieval.types import Array, Floats

ROUNDS = 10
DOUBT = 0.05
COMPARED = 700
"""Rows of each side by which a likeness is judged."""
MARGIN = 0.05
"""A mean cosine that is less above another says nothing."""
Anchors = tuple[Array, Array]
"""Rows that are known to be partners: (p, d_x) and (p, d_y)."""


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """A rotation and how well it seems to fit, without knowing any truth."""

    rotation: Floats
    """(d_x, d_y) with orthonormal rows or columns"""
    criterion: float
    """See `criterion`."""


def refine(
    start: Floats,
    a: Array,
    b: Array,
    anchors: Anchors | None = None,
    *,
    rounds: int = ROUNDS,
    late: Callable[[], bool] = lambda: False,
) -> Turned:
    """Procrustes on the pairs that choose one another, again and again; the best by `criterion` is kept.

    (Conneau et al. 2018, "Word translation without parallel data", section 2.2 and 2.3.)  start: (d_x, d_y).
    a: (n, d_x), b: (m, d_y) centred unit rows, not paired.  anchors: true pairs in the same coordinates; together they
    weigh as much as all the pairs that were found, so that a few are enough to hold the rotation.  late: asked after
    each round whether it is to be the last.
    """
    rotation, best, known = start, Turned(start, -math.inf), b""
    for _ in range(rounds + 1):
        moved = turned(a, rotation)
        scores = csls(moved, b)
        found = Turned(rotation, _criterion(rotation, moved @ b.T, scores, anchors))
        if found.criterion > best.criterion:
            best = found
        i, j = mutual(scores)
        pairs = i.tobytes() + j.tobytes()
        if not len(i) or pairs == known or late():  # the same pairs make the same rotation
            break
        rotation, known = _procrustes(a[i], b[j], anchors), pairs
    return best


def criterion(rotation: Floats, a: Array, b: Array, anchors: Anchors | None = None) -> float:
    """Mean cosine of every row with its nearest by CSLS, from both sides; with anchors, averaged with their cosine.

    The unsupervised model selection of Conneau et al. 2018, section 2.4; unlike there from both sides, so that a
    rotation that carries everything to one place does not pass. In [-1, 1].
    """
    moved = turned(a, rotation)
    return _criterion(rotation, moved @ b.T, csls(moved, b), anchors)


def _criterion(rotation: Floats, cosines: Array, scores: Array, anchors: Anchors | None) -> float:
    """cosines, scores: (n, m) of the rows that were turned, and their CSLS."""
    forward = np.take_along_axis(cosines, scores.argmax(axis=1)[:, None], axis=1).mean()
    backward = np.take_along_axis(cosines, scores.argmax(axis=0)[None, :], axis=0).mean()
    found = float(forward + backward) / 2
    if anchors is None:
        return found
    return (found + float(np.sum(turned(anchors[0], rotation) * anchors[1], axis=1).mean())) / 2


def likeness(rotation: Floats, a: Array, b: Array, rng: np.random.Generator) -> float:
    """How far to trust a rotation that no pair has confirmed: about 0 not at all, about 1 where the shapes agree.

    (criterion - floor) / (ceiling - floor).  floor: the median that three rotations come to when they are refined that
    lay axis on axis by variance in random directions, which is what any two clouds can be made to fit.  ceiling: what
    the halves of one side have with one another, the lower of both sides, and at least `MARGIN` above: where rows are
    strangers to their neighbours too, any rotation does about as well as that.  Spaces that share only a part of their
    shape lie between.
    """
    a, b = a[:COMPARED], b[:COMPARED]
    randoms = [matched_axes(a, b, rng, doubt=0.5) for _ in range(3)]
    floor = float(np.median([refine(rotation, a, b).criterion for rotation in randoms]))
    halves = [(rows[: len(rows) // 2], rows[len(rows) // 2 :]) for rows in (a, b)]
    ceiling = min(criterion(np.eye(first.shape[1]), first, second) for first, second in halves)
    return (criterion(rotation, a, b) - floor) / max(ceiling - floor, MARGIN)


def matched_axes(a: Array, b: Array, rng: np.random.Generator | None = None, *, doubt: float = DOUBT) -> Floats:
    """The rotation that lays the principal axes of one side on those of the other, by variance: (d_x, d_y).

    An axis has no direction of its own; each is turned to where the third moment of the rows is positive. It is right
    where all variances differ and the rows are not symmetric, and a good place to begin where that is nearly so (the
    first step of Hoshen & Wolf 2018, "Non-adversarial unsupervised word translation").

    rng: turns each axis round with the probability that its direction was mistaken, at least `doubt`, so that several
    calls give different places to begin.
    """
    k = min(a.shape[1], b.shape[1])
    (axes_a, doubt_a), (axes_b, doubt_b) = _directed_axes(a, k), _directed_axes(b, k)
    signs = np.ones(k)
    if rng is not None:
        signs[rng.random(k) < np.maximum(doubt_a + doubt_b, doubt)] = -1
    rotation: Floats = (axes_a * signs) @ axes_b.T
    return rotation


def turned(rows: Array, rotation: Floats) -> Array:
    """(n, d_x) -> (n, d_y) unit rows."""
    return unit((rows @ rotation).astype(np.float32))


def _directed_axes(rows: Array, k: int) -> tuple[Floats, Floats]:
    """The first k principal axes (d, k), and the probability that each points the wrong way (k,).

    Skewness estimated from n rows has a standard error of about (6 / n)^½, and its sign is wrong with Phi(-|z|).
    """
    values = np.asarray(rows, dtype=np.float64)
    axes: Floats = np.linalg.eigh(values.T @ values)[1][:, ::-1][:, :k]
    projected = values @ axes
    skewness = np.mean(projected**3, axis=0) / np.maximum(np.mean(projected**2, axis=0), 1e-300) ** 1.5
    z = np.abs(skewness) / math.sqrt(6 / len(rows))
    doubt = np.array([math.erfc(value / math.sqrt(2)) / 2 for value in z])
    return axes * np.where(skewness < 0, -1.0, 1.0), doubt


def _procrustes(a: Array, b: Array, anchors: Anchors | None) -> Floats:
    product = a.T.astype(np.float64) @ b
    if anchors is not None:
        product += len(a) / len(anchors[0]) * (anchors[0].T.astype(np.float64) @ anchors[1])
    u, _, vt = np.linalg.svd(product, full_matrices=False)
    rotation: Floats = u @ vt
    return rotation
