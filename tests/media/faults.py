"""Decode functions for `test_pool`, at module level so that a spawned process finds them. The file says what to do."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np

from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits
from duretrieval.types import Modality, Part, Reading


def obey(path: Path, reading: Reading, limits: Limits, start: Cursor | None) -> Chunk:
    match path.read_text():
        case "exit":
            os._exit(3)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "abort":
            os.abort()
        case "system-exit":
            raise SystemExit(1)
        case "unpicklable":
            raise Unpicklable(lambda: None)
        case "hang-in-c":
            ctypes.PyDLL(None).sleep(600)  # with the interpreter's lock held, as native code may
        case "hang":
            time.sleep(600)
        case "swell":
            np.ones(2 * limits.memory_bytes, dtype=np.uint8)
        case "fail":
            raise ZeroDivisionError("as told")
        case "shout":
            os.write(1, b"noise")
            os.write(2, b"noise")
        case "image":
            return Chunk((Part(Modality.IMAGE, np.zeros((224, 224, 3), np.uint8)),))
    return Chunk((Part(Modality.TEXT, path.read_text()),), {"pid": os.getpid()})


class Unpicklable(Exception):
    pass
