"""The built-in model finds at least what it is promised to, on real pictures and sounds."""

import pytest
from benchmarks import quality, tuxpaint

from duretrieval.model.model import Model


@pytest.mark.slow
@pytest.mark.registry
@pytest.mark.skipif(not tuxpaint.STAMPS.is_dir(), reason="needs the stamps that `make data` fetches")
def test_recall_at_10_is_above_the_floors() -> None:
    rows = quality.directions(Model.load("builtin"))
    assert quality.below_floor(rows) == {}
    assert rows["Chinese text→image"]["measured"]["R@10"] >= 40  # a little below what was measured when it was made
