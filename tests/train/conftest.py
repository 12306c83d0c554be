"""Tests that build, train or export networks are left out of `make fast`; losses, scores and data stay."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
QUICK = [HERE / "losses", HERE / "nets" / "score", HERE / "data", HERE / "augment"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and not any(item.path.is_relative_to(folder) for folder in QUICK):
            item.add_marker("slow")
