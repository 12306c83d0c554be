"""Shorter vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duretrieval import plugins
from duretrieval.align.cut import Cut
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.types import Modality


def test_the_leading_components_made_unit() -> None:
    found = Cut(2)(np.array([[3.0, 4.0, 12.0], [0.0, 0.0, 1.0]], np.float32), Modality.TEXT)
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0]])
    assert Cut(2).dim == 2


def test_it_comes_back_by_its_name(tmp_path: Path) -> None:
    options = Cut(5).save(tmp_path, "anything")
    assert plugins.find("aligners", plugins.name_of("aligners", Cut(5))).load(tmp_path, **options) == Cut(5)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_cut() -> None:
    with pytest.raises(ConfigError, match="dim is 0; a vector has 1 dimension or more"):
        Cut(0)
    with pytest.raises(ShapeError, match=r"expected vectors \(n, 4\) or longer to cut; got \(2, 3\)"):
        Cut(4)(np.ones((2, 3), np.float32), Modality.TEXT)
