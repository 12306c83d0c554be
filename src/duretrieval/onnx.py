"""An ONNX graph that opens when it is first run."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.errors import ConfigError, ModelError
from duretrieval.types import Array


class Session:
    """Runs an ONNX graph on the CPU: named arrays in, its first output out.

    One run uses one core; `run_each` keeps `threads` runs going side by side, which on the graphs of this package is
    faster than one run over several cores (`benchmarks/indexing.py` shows both).  threads: None takes
    `DURETRIEVAL_THREADS`, or else every core.  One session may be shared by threads.
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
        """
        out: Array = np.asarray(self._open().run(None, inputs)[0], dtype=np.float32)
        return out

    def run_each(self, runs: Iterable[Mapping[str, Any]]) -> list[Array]:
        """`run` over each mapping of inputs, side by side; results in order.

        Raises:
            ModelError: as `run`.
            ConfigError: `DURETRIEVAL_THREADS` is not a number of threads.
        """
        self._open()
        return list(self._workers.map(lambda inputs: self.run(**inputs), runs))

    def width(self, name: str) -> int | None:
        """Length of the last axis of an input; None where the graph leaves it free, or has no such input.

        Raises:
            ModelError: as `run`.
        """
        shapes = {node.name: node.shape for node in self._open().get_inputs()}
        last = shapes[name][-1] if shapes.get(name) else None
        return last if isinstance(last, int) else None

    def save(self, folder: str | Path, name: str) -> str:
        """Copy the graph's file into a folder as `name`.onnx, unless it is that file; returns the file's name.

        Raises:
            ModelError: the graph is not there to be copied.
        """
        return copied(self.path, Path(folder) / f"{name}.onnx")

    @cached_property
    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads or _threads_wanted(), thread_name_prefix="encode")

    def _open(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = _open(self.path)
        return self._session


def copied(file: Path, to: Path) -> str:
    """Copy a file of a model, unless it is there already; returns the copy's name.

    Raises:
        ModelError: the file is not there to be copied.
    """
    if not file.is_file():
        raise ModelError(f"{file} is not there to be copied to {to}; export the model again")
    if not to.exists() or not file.samefile(to):
        shutil.copyfile(file, to)
    return to.name


def _open(path: Path) -> Any:
    import onnxruntime as ort

    # Since 1.29 ONNX Runtime writes a device id into the home folder and reports to its maker over the network, unless
    # ORT_DISABLE_TELEMETRY is set before it is first imported, as the package does. In a program that imported it
    # before the package this adds no further events; what it has begun to report (1.31) it still sends.
    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors only: its warnings are about graphs, not about what the user did
    options.add_session_config_entry("session.load_model_format", "ONNX")  # whatever the file is called
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class below Exception
        raise ModelError(f"{path} cannot be opened as an ONNX graph: {error}") from error


def _threads_wanted() -> int:
    text = os.environ.get("DURETRIEVAL_THREADS", "0")
    if not text.isdecimal():
        raise ConfigError(f"DURETRIEVAL_THREADS is {text!r}; give a number of threads, or 0 for all cores")
    return int(text) or os.cpu_count() or 1
