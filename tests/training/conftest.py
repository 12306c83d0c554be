"""Tests that build, train or export networks are left out of `make fast`; losses, scores and data stay.

Random weights are the same in every run, whatever ran before, and sums are made in one order, by one thread.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.training.small import samples

from duretrieval.training.data.sample import Sample

HERE = Path(__file__).parent
QUICK = [HERE / "losses", HERE / "nets" / "score", HERE / "data", HERE / "augment"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and not any(item.path.is_relative_to(folder) for folder in QUICK):
            item.add_marker("slow")


@pytest.fixture(autouse=True, scope="module")
def _seeded_module() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
