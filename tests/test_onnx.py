from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duretrieval.builtin import FOLDER
from duretrieval.errors import ConfigError, ModelError
from duretrieval.onnx import Session

SILENCE = np.full((1, 96, 64), -6.9, np.float32)


def test_runs_a_graph() -> None:
    assert Session(FOLDER / "audio.onnx", threads=1).run(mel=SILENCE).shape == (1, 521)


def test_a_file_that_is_no_graph(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"not a graph")
    session = Session(tmp_path / "broken.onnx")
    with pytest.raises(ModelError, match=r"broken\.onnx cannot be opened as an ONNX graph"):
        session.run(mel=SILENCE)


def test_threads_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DURETRIEVAL_THREADS", "1")
    assert len(Session(FOLDER / "audio.onnx").run_each([{"mel": SILENCE}] * 2)) == 2
    monkeypatch.setenv("DURETRIEVAL_THREADS", "many")
    with pytest.raises(ConfigError, match="DURETRIEVAL_THREADS is 'many'; give a number of threads"):
        Session(FOLDER / "audio.onnx").run_each([{"mel": SILENCE}])
