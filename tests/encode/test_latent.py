"""Bags carried to shorter rows, along latent axes and random ones."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from tests.encode.test_text_bags import TEXTS, part, rows

from duretrieval.encode.bag_of_words import BagOfWords
from duretrieval.encode.char_ngrams import CharNgrams
from duretrieval.encode.latent import latent_axes, random_axes
from duretrieval.errors import ConfigError


@pytest.mark.parametrize("dim", [1, 3, 6])
def test_latent_axes_are_those_of_a_singular_value_decomposition(dim: int) -> None:
    encoder = BagOfWords.fit(TEXTS)
    full = rows(encoder, *TEXTS).astype(float)
    _, _, vt = np.linalg.svd(full, full_matrices=False)
    table = latent_axes([encoder.bag(part(text)) for text in TEXTS], encoder.dim, dim)
    projector = table[:-1] @ table[:-1].T
    np.testing.assert_allclose(projector, (vt[:dim].T @ vt[:dim])[:-1, :-1], atol=1e-5)
    theirs = TruncatedSVD(dim, algorithm="arpack", random_state=0).fit(full) if dim < len(TEXTS) - 1 else None
    if theirs is not None:
        np.testing.assert_allclose(np.abs(theirs.components_[:, :-1].T), np.abs(table[:-1]), atol=1e-4)


def test_latent_axes_bring_together_what_comes_together() -> None:
    """car and automobile never meet, but the same words stand beside them."""
    texts = ["car wheel road", "automobile wheel road", "bird tree nest", "sparrow tree nest"] * 3
    car, automobile, sparrow = rows(BagOfWords.fit(texts, dim=2), "car", "automobile", "sparrow")
    assert car @ automobile > 0.9
    assert abs(car @ sparrow) < 0.1


def test_more_axes_than_texts() -> None:
    with pytest.raises(ConfigError, match=r"dim is 8, but 7 texts with what is in them span 7; give 1 to 7"):
        BagOfWords.fit(TEXTS, dim=8)
    with pytest.raises(ConfigError, match="dim is 0"):
        CharNgrams.fit(TEXTS, dim=0)


def test_random_axes_keep_cosines() -> None:
    exact, short = BagOfWords.fit(buckets=3000), BagOfWords.fit(buckets=3000, dim=512)
    a, b = rows(exact, *TEXTS), rows(short, *TEXTS)
    np.testing.assert_allclose(b @ b.T, a @ a.T, atol=5 / np.sqrt(512))
    np.testing.assert_array_equal(random_axes(5, 3, seed=1), random_axes(5, 3, seed=1))
