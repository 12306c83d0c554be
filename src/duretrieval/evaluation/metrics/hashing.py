"""Class-based mAP of supervised cross-modal hashing: short binary codes, and labels instead of pairs.

Relevant is what shares a label with the query. Codes of b bits have only b + 1 distances, so ties decide much of the
number: the field's code sorts unstably and prints whatever comes out. We say which: `order` is a stable sort by
distance, and `best` minus `worst` shows how much of a result is tie-breaking.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ShapeError
from duretrieval.evaluation.labels.relevance import Relevance
from duretrieval.evaluation.metrics.average import average_precision
from duretrieval.evaluation.metrics.blocks import Compared
from duretrieval.evaluation.metrics.ranking import Ties, per_query
from duretrieval.evaluation.metrics.summary import mean
from duretrieval.types import Array


def hamming_similarity(a: Array, b: Array) -> Array:
    """Negative Hamming distance of sign codes (q, bits) and (n, bits) in {-1, 1}: (q, n), in [-bits, 0].

    -(bits - a·b) / 2.

    >>> hamming_similarity(np.array([[1, -1, 1]], np.float32), np.array([[1, -1, 1], [-1, 1, 1]], np.float32))
    array([[ 0., -2.]], dtype=float32)
    """
    return np.asarray((a @ b.T - a.shape[1]) / 2, dtype=np.float32)


def signs(vectors: npt.ArrayLike) -> Array:
    """Real values, {0, 1} or {-1, 1} codes to {-1, 1}: above 0 is 1, the rest -1.

    >>> signs([[0, 1], [-0.2, 0.3]])
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """
    return np.where(np.asarray(vectors) > 0, np.float32(1), np.float32(-1))


def class_map(
    queries: npt.ArrayLike, gallery: npt.ArrayLike, relevance: Relevance, k: int | None = None, ties: Ties = "order"
) -> float:
    """Mean average precision of codes (q, bits) and (n, bits): over the whole gallery, or mAP@k.

    AP@k = (1 / N) sum_{r=1..k} P(r) rel(r),  N the relevant items among the first k; as in DCMH (Jiang and Li 2017)
    without k, and HashNet (Cao et al. 2017) with k. Queries with nothing relevant in the gallery are left out.
    Unlike us, DCMH's published code with k averages over the first k relevant items wherever they rank.

    >>> from duretrieval.evaluation.labels.relevance import SharedLabel
    >>> codes, labels = [[1, 1], [1, -1], [-1, -1]], [[1, 0], [0, 1], [1, 0]]
    >>> class_map([[1, 1]], codes, SharedLabel([[1, 0]], labels))  # relevant at ranks 1 and 3: (1/1 + 2/3) / 2
    0.8333333333333333

    Raises:
        ShapeError: codes of different lengths.
    """
    a, b = signs(queries), signs(gallery)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ShapeError(f"codes of queries {a.shape} and gallery {b.shape} must be matrices with one column a bit")
    measures = {"ap": lambda ranks: average_precision(ranks, k, over="found")}
    return mean(per_query(measures, Compared(a, b, hamming_similarity), relevance, ties=ties)["ap"])
