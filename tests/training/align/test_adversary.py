"""Alignment without pairs, on planted spaces: y holds other rows than x, of the same shape, turned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duretrieval import plugins
from duretrieval.align.fitting import fit_aligner
from duretrieval.align.procrustes import Procrustes
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.similarity import unit
from duretrieval.training import parts
from duretrieval.training.align.adversary import Adversarial, Settings, adversarial
from duretrieval.types import Array, Modality


def cloud(n: int, d: int, shape: int, seed: int) -> Array:
    rng = np.random.default_rng(shape)
    centres, shares = rng.normal(size=(20, d)) * np.linspace(1.5, 0.5, d), rng.dirichlet(np.full(20, 2.0))
    drawn = np.random.default_rng(seed)
    return unit((centres[drawn.choice(20, n, p=shares)] + 0.3 * drawn.normal(size=(n, d))).astype(np.float32))


def turn(d: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(0).normal(size=(d, d)))[0].astype(np.float32)


def noisy(rows: Array, size: float, seed: int) -> Array:
    noise = np.random.default_rng(seed).normal(size=rows.shape) * size / rows.shape[1] ** 0.5
    return unit((rows + noise).astype(np.float32))


def right(aligner: Procrustes, x: Array, y: Array) -> float:
    """Share of rows whose partner is the nearest."""
    return float(np.mean((aligner(x, Modality.TEXT) @ y.T).argmax(axis=1) == np.arange(len(x))))


@pytest.mark.slow
def test_a_rotation_is_recovered_without_a_single_pair(tmp_path: Path) -> None:
    """By the game: matched axes alone, refined, get half of it."""
    x, y, unseen = cloud(1000, 8, 10, 1), cloud(1000, 8, 10, 2) @ turn(8), cloud(300, 8, 10, 3)
    still, found = (
        adversarial(x, y, settings=Settings(restarts=2, steps=s, hidden=32, batch=64, rows=1000, profiles=False))
        for s in (0, 400)
    )
    assert right(still.aligner, unseen, unseen @ turn(8)) < 0.6
    assert right(found.aligner, unseen, unseen @ turn(8)) > 0.9
    assert found.likeness > still.likeness + 0.1
    assert found.criteria == tuple(sorted(found.criteria, reverse=True))
    assert len(found.criteria) == 2
    options = found.aligner.save(tmp_path, "turned")
    loaded = plugins.find("aligners", plugins.name_of("aligners", found.aligner)).load(tmp_path, **options)
    np.testing.assert_array_equal(loaded(unseen, Modality.IMAGE), found.aligner(unseen, Modality.IMAGE))


@pytest.mark.slow
def test_a_few_pairs_are_enough_where_the_spaces_are_noisy() -> None:
    """Twelve pairs of 16 dimensions: too few for Procrustes alone, and without them the clouds are too alike."""
    x, y = cloud(600, 16, 7, 1), noisy(cloud(600, 16, 7, 2) @ turn(16), 0.5, 0)
    unseen = cloud(300, 16, 7, 3)
    partners = noisy(unseen @ turn(16), 0.5, 1)
    pairs = (unseen[:12], partners[:12])
    few = adversarial(x, y, pairs=pairs, settings=Settings(restarts=2, steps=200, hidden=32, batch=64, rows=600))
    asked, wanted = unseen[12:], partners[12:]
    ceiling = right(Procrustes.fit(asked, wanted), asked, wanted)
    assert right(few.aligner, asked, wanted) > 0.6 * ceiling
    assert right(Procrustes.fit(*pairs), asked, wanted) < 0.3 * ceiling


def test_spaces_of_another_shape_are_refused() -> None:
    x, y = cloud(400, 8, 10, 1), cloud(400, 8, 11, 2)
    with pytest.raises(ConfigError, match=r"the best of 2 rotations fits little better than a random one \(likeness"):
        fit_aligner("adversarial", x, y, table=parts.TABLE, restarts=2, steps=5, rows=400)


def test_pairs_may_be_the_first_rows_and_widths_may_differ() -> None:
    x = cloud(60, 8, 10, 1)
    y = np.concatenate([x @ turn(8), np.zeros((60, 2), np.float32)], axis=1)
    aligner = Adversarial.fit(x, y, pairs=50, restarts=2, steps=5)
    assert right(aligner, x, unit(y)) == 1


def test_who_waits_is_told() -> None:
    x, y, told = cloud(60, 4, 10, 1), cloud(60, 4, 10, 2), []
    settings = Settings(steps=3, restarts=2)
    found = adversarial(x, y, settings=settings, progress=lambda *said: told.append(said))
    assert found.steps == 3
    assert told == [
        ("adversarial alignment: starts refined", 1, 2),
        ("adversarial alignment: starts refined", 2, 2),
        ("adversarial alignment: steps", 1, 3),
        ("adversarial alignment: steps", 2, 3),
        ("adversarial alignment: steps", 3, 3),
        ("adversarial alignment: learned rotations refined", 1, 2),
        ("adversarial alignment: learned rotations refined", 2, 2),
    ]


def test_when_the_time_is_over_the_best_so_far_is_kept() -> None:
    """A million steps would take hours."""
    x, y = cloud(300, 8, 10, 1), cloud(300, 8, 11, 2)
    found = adversarial(x, y, settings=Settings(steps=1_000_000, seconds=0.001, restarts=4, rows=300))
    assert found.steps == 1
    assert len(found.criteria) == 1
    np.testing.assert_allclose(found.aligner.affine.weights.T @ found.aligner.affine.weights, np.eye(8), atol=1e-6)
    with pytest.raises(ConfigError, match=r"after 0\.001 seconds it had done 1 of 1000000 steps, so give it more"):
        Adversarial.fit(x, y, steps=1_000_000, seconds=0.001, restarts=4, rows=300)


def test_the_one_start_of_profiles_finds_what_axes_do_not() -> None:
    """Rows of one variance in all directions, which have no axes; a third of either side is not in the other."""
    rng = np.random.default_rng(0)
    rows = cloud(600, 12, 5, 1)
    rows = unit(rows - rows.mean(axis=0))
    values, axes = np.linalg.eigh(rows.T @ rows)
    rows = unit((rows @ axes / np.sqrt(values)).astype(np.float32))
    x, y = (rows[rng.permutation(600)[:400]] for _ in range(2))
    by = [
        adversarial(x, noisy(y @ turn(12), 0.1, 1), settings=Settings(restarts=1, steps=0, profiles=profiles))
        for profiles in (False, True)
    ]
    axes_alone, profiles_too = (right(found.aligner, rows, noisy(rows @ turn(12), 0.1, 2)) for found in by)
    assert axes_alone < 0.2
    assert profiles_too > 0.8
    assert by[0].likeness < 0.8 < by[1].likeness


def test_the_seed_decides() -> None:
    x, y = cloud(60, 4, 10, 1), cloud(60, 4, 10, 2)
    first, second, third = (adversarial(x, y, settings=Settings(steps=3, restarts=2, seed=s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.aligner.affine.weights, second.aligner.affine.weights)
    assert first.criteria != third.criteria


def test_what_cannot_be_used() -> None:
    x = cloud(20, 4, 0, 1)
    for setting, value in (("restarts", 0), ("rows", 0)):
        with pytest.raises(ConfigError, match=f"{setting} is 0; it must be at least 1"):
            Settings(**{setting: value})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"smoothing is 0\.5 and dropout is 0\.1; the first must be from 0"):
        Settings(smoothing=0.5)
    with pytest.raises(ConfigError, match="steps is -1; it must be 0"):
        Settings(steps=-1)
    with pytest.raises(ConfigError, match="seconds is 0; it must be above 0"):
        Settings(seconds=0)
    with pytest.raises(ConfigError, match="no setting is called 'step'; there are restarts, steps"):
        Adversarial.fit(x, x, step=5)
    with pytest.raises(ShapeError, match=r"expected pairs \(p, 4\) and \(p, 4\); got \(3, 4\) and \(2, 4\)"):
        adversarial(x, x, pairs=(x[:3], x[:2]))
