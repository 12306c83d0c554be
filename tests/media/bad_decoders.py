"""Decoders that fail in the ways native code fails; what a file's name says is what happens."""

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np

from duretrieval.media.decode import Chunk, Cursor, decode
from duretrieval.media.limits import Limits
from duretrieval.types import Reading

KEPT: list[object] = []


def misbehave(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    match path.stem.rstrip("0123456789"):
        case "exit":
            os._exit(3)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "abort":
            os.abort()
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            while True:
                time.sleep(60)
        case "hang-in-c":
            ctypes.PyDLL(None).sleep(60)  # with the interpreter's lock held, as native code may
        case "allocate":
            KEPT.append(np.ones(40_000_000_000, dtype=np.uint8))
        case "raise":
            raise RuntimeError("not one of ours")
        case "system-exit":
            raise SystemExit(1)
        case "unpicklable":
            raise Unpicklable(lambda: None)
    return decode(path, reading, limits, start)


class Unpicklable(Exception):
    pass
