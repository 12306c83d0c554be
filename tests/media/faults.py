"""Decode functions for a `DecoderPool`, at module level so that a spawned process finds them. The file says what to do.

`taken_over` plays a decoder that a hostile file has taken over: it writes to the parent what it likes.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import pickle
import signal
import socket
import stat
import struct
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from duretrieval.media import worker
from duretrieval.media.chunk import Ask, Chunk, Clip, Cursor
from duretrieval.media.decoder import decode
from duretrieval.media.limits import Limits
from duretrieval.media.window import MIDDLE
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
        case "spin":
            while True:
                pass
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "fork":
            return Chunk((), {"pid": os.fork() or _sleep()})
        case "endless":
            number = start.unit if start else 0
            time.sleep(0.05)
            return Chunk((Part(Modality.TEXT, "x" * 1000),), {}, Cursor(number + 1))
        case "environment":
            return Chunk((Part(Modality.TEXT, "\n".join(os.environ)),))
        case "shout":
            os.write(1, b"noise")
            os.write(2, b"noise")
        case told if told.startswith("unlink "):
            for descriptor in range(3, 64):
                with suppress(OSError):
                    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                        os.write(descriptor, f"REGISTER:/{told.split()[1]}:shared_memory\n".encode())
        case "listen":
            return Chunk((), {"pid": os.getpid(), "heard": os.read(0, 100).decode()})
        case "steps":
            number = start.unit if start else 0
            return Chunk((), {"pid": os.getpid()}, Cursor(number + 1) if number < 9 else None)
        case "image":
            return Chunk((Part(Modality.IMAGE, np.zeros((224, 224, 3), np.uint8)),))
    return Chunk((Part(Modality.TEXT, path.read_text()),), {"pid": os.getpid()})


def taken_over(path: Path, reading: Reading, limits: Limits, start: Cursor | None) -> Chunk:
    pipe = next(thing for thing in gc.get_objects() if isinstance(thing, socket.socket))
    match path.read_text():
        case "pickle":
            pipe.sendall(pickle.dumps(Gadget()))
        case "half":
            pipe.sendall(struct.pack("<II", 100, 0) + b"{")
            time.sleep(600)
        case "drip":
            pipe.sendall(struct.pack("<II", 10_000, 0))
            while True:
                pipe.sendall(b" ")
                time.sleep(0.1)
        case "flood":
            while True:
                pipe.sendall(bytes(2**16))
        case "huge":
            pipe.sendall(struct.pack("<II", 2, 2**32 - 1) + b"{}")
            time.sleep(600)
        case "two answers":
            said = json.dumps({"parts": [{"modality": "text", "text": "a lie"}], "fields": {}, "next": None}).encode()
            pipe.sendall(2 * (struct.pack("<II", len(said), 0) + said))
            time.sleep(600)
        case "hang up":
            pipe.shutdown(socket.SHUT_RDWR)
            time.sleep(600)
    return Chunk((Part(Modality.TEXT, path.read_text()),), {"pid": os.getpid()})


def unconfined(*args: object) -> None:
    """In the place of `worker._serve`: as on systems without the filter of calls."""
    worker.confine = lambda limits: None
    worker._serve(*args)


class Gadget:
    """Unpickling it would run code."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (77,)


def _sleep() -> int:
    time.sleep(600)
    return 0


class Unpicklable(Exception):
    pass


def elsewhere(path: Path, reading: Reading, limits: Limits, start: Ask) -> Chunk:
    """As `decode`, but that a file does as it is called at each clip that is not the middle one."""
    chunk = decode(path, reading, limits, start)
    if not isinstance(start, Clip) or start.at == MIDDLE:
        return chunk
    (part,) = chunk.parts
    match path.stem:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            time.sleep(600)
        case "swell":
            np.ones(2 * limits.memory_bytes, dtype=np.uint8)
        case "pickle":
            pipe = next(thing for thing in gc.get_objects() if isinstance(thing, socket.socket))
            pipe.sendall(pickle.dumps(Gadget()))
        case "nan":
            return Chunk((replace(part, content=np.full_like(part.content, np.nan)),))
        case "long":
            return Chunk((replace(part, content=np.zeros(800_000, np.float32)),))
        case "nothing":
            return Chunk(())
    return chunk
