from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.training.joint import tiny_joint


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model by the name of its maker in `tiny_joint`, made once."""

    @cache
    def folder(name: str) -> Path:
        maker = tiny_joint.MAKERS.get(name) or getattr(tiny_joint, name)
        return Path(maker(tmp_path_factory.mktemp(name)))

    return folder
