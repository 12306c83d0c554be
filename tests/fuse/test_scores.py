import numpy as np
import pytest

from duretrieval.errors import QueryError, ShapeError
from duretrieval.fuse.scores import probes
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Probe

RNG = np.random.default_rng(0)


def random_units(n: int, d: int = 16) -> Array:
    return unit(RNG.normal(size=(n, d)).astype(np.float32))


def score(probe: Probe, parts: Array) -> Array:
    return probe.scale * (parts @ probe.vector) - probe.offset


def test_one_term_without_background_is_the_cosine() -> None:
    v, parts = random_units(1), random_units(20)
    probe = probes(v, [3.0], [Modality.IMAGE])[Modality.IMAGE]
    np.testing.assert_allclose(score(probe, parts), parts @ v[0], atol=1e-6)


def test_terms_are_standardised_one_by_one_and_added() -> None:
    """Against the formula, written as slow loops."""
    terms, weights, parts, background = random_units(3), [2.0, 1.0, -0.5], random_units(20), random_units(100)
    probe = probes(terms, weights, [Modality.IMAGE], {Modality.IMAGE: background})[Modality.IMAGE]
    for part, got in zip(parts, score(probe, parts), strict=True):
        total = 0.0
        for term, weight in zip(terms, weights, strict=True):
            unrelated = [float(term @ b) for b in background]
            total += weight * (float(term @ part) - np.mean(unrelated)) / np.std(unrelated)
        assert got == pytest.approx(total / np.sqrt(2.0**2 + 1.0**2 + 0.5**2), abs=1e-4)


def test_unrelated_parts_of_any_modality_score_about_zero() -> None:
    """Pictures here all lean one way, so that every cosine with them is high; it does not lift them."""
    lean = random_units(1)
    texts, pictures = random_units(2000), unit(random_units(2000) + 2 * lean)
    background = {Modality.TEXT: texts[:1000], Modality.IMAGE: pictures[:1000]}
    query = unit(random_units(1) + lean)
    assert (query @ pictures.T).mean() > 0.3 + (query @ texts.T).mean()
    both = probes(query, [1.0], background, background)
    for modality, rest in ((Modality.TEXT, texts[1000:]), (Modality.IMAGE, pictures[1000:])):
        scores = score(both[modality], rest)
        assert abs(scores.mean()) < 0.15
        assert 0.85 < scores.std() < 1.15


def test_scaling_all_weights_changes_nothing() -> None:
    terms, parts = random_units(2), random_units(10)
    one = probes(terms, [1.0, -0.5], [Modality.TEXT])[Modality.TEXT]
    ten = probes(terms, [10.0, -5.0], [Modality.TEXT])[Modality.TEXT]
    np.testing.assert_allclose(score(one, parts), score(ten, parts), atol=1e-5)


def test_a_negative_term_pushes_its_like_down() -> None:
    a, b = random_units(2)
    probe = probes(np.stack([a, b]), [1.0, -1.0], [Modality.TEXT])[Modality.TEXT]
    high, low = score(probe, np.stack([a, b]))
    assert high > 0 > low


def test_opposite_terms_cancel_without_a_fault() -> None:
    v = random_units(1)
    probe = probes(np.concatenate([v, v]), [1.0, -1.0], [Modality.TEXT])[Modality.TEXT]
    assert np.isfinite(score(probe, random_units(3))).all()


def test_a_query_for_nothing_is_refused() -> None:
    with pytest.raises(QueryError, match="asks for nothing"):
        probes(np.zeros((0, 4), np.float32), [], [Modality.TEXT])
    with pytest.raises(QueryError, match="weight other than 0"):
        probes(random_units(1), [0.0], [Modality.TEXT])


def test_a_weight_too_many_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(1, 16\) and 2 weights"):
        probes(random_units(1), [1.0, 2.0], [Modality.TEXT])
