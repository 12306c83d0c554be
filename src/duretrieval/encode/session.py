"""An ONNX graph that opens when it is first run."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.errors import ConfigError, ModelError
from duretrieval.types import Array


class Session:
    """Runs an ONNX graph on the CPU: named arrays in, its first output out.

    threads: how many cores one run may use; None takes `DURETRIEVAL_THREADS`, or else lets ONNX Runtime use them all.
    One session may be shared by threads.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self.path = path
        self.threads = threads
        self._lock = threading.Lock()
        self._session: Any = None

    def run(self, **inputs: Any) -> Array:
        """The graph's first output, float32.

        Raises:
            ModelError: the file is not a graph that ONNX Runtime can open.
            ConfigError: `DURETRIEVAL_THREADS` is not a number of threads.
        """
        out: Array = np.asarray(self._open().run(None, inputs)[0], dtype=np.float32)
        return out

    def _open(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = _open(self.path, self.threads)
        return self._session


def _open(path: Path, threads: int | None) -> Any:
    # Since 1.29 ONNX Runtime writes a device id into the home folder and reports to its maker over the network,
    # unless this is set before it is first imported.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as ort  # type: ignore[import-untyped]

    ort.disable_telemetry_events()  # where something else imported it before
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors only: its warnings are about graphs, not about what the user did
    options.intra_op_num_threads = threads if threads is not None else _threads_wanted()
    # Spinning threads take the cores that decoding needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class below Exception
        raise ModelError(f"{path} cannot be opened as an ONNX graph: {error}") from error


def _threads_wanted() -> int:
    text = os.environ.get("DURETRIEVAL_THREADS", "0")
    if not text.isdecimal():
        raise ConfigError(f"DURETRIEVAL_THREADS is {text!r}; give a number of threads, or 0 for all cores")
    return int(text)
