"""The command line as a shell runs it, in this process."""

from pathlib import Path

import pytest
from tests.shell import Ran, Shell, in_process

__all__ = ["Ran", "Shell"]


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """Runs `duretrieval ARGUMENTS`; the user's own folders are empty."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DURETRIEVAL_COLLECTION", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    return in_process(capfd, monkeypatch)
