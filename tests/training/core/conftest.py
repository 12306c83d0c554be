"""What the tests of the core share: the data, and where rows of frozen encoders are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.core.small import samples

from duretrieval.training.data.sample import Sample


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the pictures."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def data(media: Path) -> list[Sample]:
    """72 rows."""
    return samples(media)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of frozen encoders, computed once for all tests."""
    return tmp_path_factory.mktemp("features")
