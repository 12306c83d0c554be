"""Two modalities that share a few factors, each with noise of its own: does alignment find what is shared?"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from duretrieval.align.cca import Cca
from duretrieval.align.procrustes import Procrustes
from duretrieval.align.ridge import Ridge
from duretrieval.similarity import cosine, unit
from duretrieval.types import Array, Modality

TRAIN, TEST, WIDTH = 800, 200, 32
CHANCE = 10 / TEST

fit_cca = partial(Cca.fit, x_modalities=[Modality.IMAGE], y_modalities=[Modality.TEXT], dim=8)


def planted(shared: float) -> tuple[Array, Array]:
    """TRAIN + TEST pairs, (n, WIDTH) each: 8 shared factors of this strength, 4 private ones, and noise."""
    rng = np.random.default_rng(0)
    n = TRAIN + TEST
    factors = shared * rng.normal(size=(n, 8))

    def side() -> Array:
        orthonormal = np.linalg.qr(rng.normal(size=(WIDTH, 12)))[0].T
        rows = factors @ orthonormal[:8] + rng.normal(size=(n, 4)) @ orthonormal[8:]
        return (rows + 0.1 * rng.normal(size=rows.shape) + 0.5).astype(np.float32)

    return side(), side()


def recall_at_10(queries: Array, gallery: Array) -> float:
    scores = cosine(queries, gallery)
    return float(np.mean(np.sum(scores > np.diag(scores)[:, None], axis=1) < 10))


def aligned_recall(aligner: Ridge | Procrustes | Cca, x: Array, y: Array) -> float:
    other = aligner(y, Modality.TEXT) if isinstance(aligner, Cca) else unit(y)
    return recall_at_10(aligner(x, Modality.IMAGE), other)


@pytest.mark.parametrize("fit", [Ridge.fit, Procrustes.fit, fit_cca])
def test_each_finds_unseen_partners(fit: partial[Cca]) -> None:
    x, y = planted(shared=1.0)
    assert recall_at_10(x[TRAIN:], y[TRAIN:]) < 3 * CHANCE
    assert aligned_recall(fit(x[:TRAIN], y[:TRAIN]), x[TRAIN:], y[TRAIN:]) > 14 * CHANCE


@pytest.mark.parametrize("fit", [Ridge.fit, Procrustes.fit, fit_cca])
def test_nothing_is_found_where_nothing_is_shared(fit: partial[Cca]) -> None:
    x, y = planted(shared=0.0)
    assert aligned_recall(fit(x[:TRAIN], y[:TRAIN]), x[TRAIN:], y[TRAIN:]) < 2.5 * CHANCE


def test_the_correlations_say_how_much_is_shared() -> None:
    strong = fit_cca(*planted(shared=1.0)).correlations
    weak = fit_cca(*planted(shared=0.0)).correlations
    assert strong.min() > 0.8
    assert weak.max() < 0.3


def test_cca_is_not_misled_by_loud_noise_of_one_modality() -> None:
    """Private factors five times as strong as the shared: only CCA leaves them out on both sides."""
    x, y = planted(shared=0.2)
    recalls = {
        fit: aligned_recall(fit(x[:TRAIN], y[:TRAIN]), x[TRAIN:], y[TRAIN:])
        for fit in (Ridge.fit, Procrustes.fit, partial(fit_cca, penalty=0.01))
    }
    *others, cca = recalls.values()
    assert cca > max(others) + 0.2
