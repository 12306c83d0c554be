import numpy as np
import pytest

from duretrieval.align.fitting import fit_aligner
from duretrieval.align.ridge import Ridge
from duretrieval.errors import ConfigError, UnknownPart
from duretrieval.types import Modality

X, Y = np.random.default_rng(0).normal(size=(2, 30, 5))


def test_by_name() -> None:
    ours = fit_aligner("ridge", X, Y, penalty=2.0)
    np.testing.assert_array_equal(ours.affine.weights, Ridge.fit(X, Y, penalty=2.0).affine.weights)  # type: ignore[attr-defined]
    both = {"x_modalities": [Modality.IMAGE], "y_modalities": [Modality.TEXT]}
    assert fit_aligner("cca", X, Y, dim=3, **both).dim == 3
    assert fit_aligner("procrustes", X, Y).dim == 5


def test_what_cannot_be_fitted() -> None:
    with pytest.raises(UnknownPart, match=r"Did you mean 'ridge'\?"):
        fit_aligner("rigde", X, Y)
    for name in ("centre", "itq"):
        with pytest.raises(ConfigError, match=f"{name!r} is not fitted to pairs; choose ridge, procrustes, cca or"):
            fit_aligner(name, X, Y)
    with pytest.raises(
        ConfigError, match=r"'ridge' has no option 'penalties'\. Did you mean 'penalty'\? It has: penalty"
    ):
        fit_aligner("ridge", X, Y, penalties=1)
    with pytest.raises(ConfigError, match="'cca' needs the option 'x_modalities'"):
        fit_aligner("cca", X, Y, dim=3)
