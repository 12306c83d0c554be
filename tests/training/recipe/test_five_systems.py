"""The five systems by their ready recipes, offline: each learns, is searched, and falls without what it is named for.

The same measurements as `make recipes` prints; data, settings and figures are in `benchmarks/five.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from benchmarks.five import SYSTEMS, Found, System, measure

from duretrieval.training.recipe.ready import ready


@dataclass(frozen=True)
class Bounds:
    """Figures that must be far apart."""

    untrained: float
    """At most, before training."""
    trained: float
    """At least, after it, and of first hits in a collection."""
    kept: tuple[float, ...] = ()
    """At least, what is no ablation but a part that must work alone, in the order of the system."""
    without: float = 0.0
    """At most, without the mechanism."""


BOUNDS = {
    "a-duretrieval": Bounds(0.3, 0.9, without=0.5),
    "b-dual-encoders": Bounds(0.4, 0.7, without=0.5),
    "b-attention": Bounds(0.3, 0.65, without=0.45),
    "c-pair-scorer": Bounds(0.3, 0.75, kept=(0.7,), without=0.4),
    "d-word2vec": Bounds(0.4, 0.7, without=0.4),
    "e-attention": Bounds(0.3, 0.65, without=0.45),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two systems look at the same pictures."""
    return tmp_path_factory.mktemp("features")


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.recipe)
def test_it_learns_is_searched_and_falls_without_its_mechanism(system: System, tmp_path: Path, cache: Path) -> None:
    bounds = BOUNDS[system.recipe]
    found = measure(system, tmp_path, cache)
    assert found.untrained <= bounds.untrained, found
    assert system.chance <= bounds.untrained
    assert found.trained >= bounds.trained, found
    assert found.searched >= bounds.trained, found
    kept, cut = divided(found, len(bounds.kept))
    assert all(value >= least for value, least in zip(kept, bounds.kept, strict=True)), found
    assert cut, "nothing is taken away"
    assert max(cut) <= bounds.without, found


def divided(found: Found, kept: int) -> tuple[list[float], list[float]]:
    values = list(found.without.values())
    return values[:kept], values[kept:]


def test_every_system_is_among_them() -> None:
    systems = {recipe.name for recipe in ready()} - {"pairs"}
    assert {system.recipe for system in SYSTEMS} == systems == set(BOUNDS)
