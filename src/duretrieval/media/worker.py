"""One expendable process that decodes a file at a time, and what ends it."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media import wire
from duretrieval.media.budget import Patience
from duretrieval.media.chunk import Ask, Chunk
from duretrieval.media.confine import allow_seconds, confine
from duretrieval.media.decoder import Decoder
from duretrieval.media.limits import Limits
from duretrieval.media.spawn import Context
from duretrieval.types import Reading

Decode = Callable[[Path, Reading, Limits, Ask], Chunk]
START_S = 300.0
"""For a process to start, on a busy machine."""
KEPT_S = 60.0
"""For a process to keep a file open that nobody asks more of."""
END_S = 5.0
"""For one that has closed its pipe to end by itself, so that it can be said how."""


class Worker:
    """A process with a pipe of its own, so that its death, even in the middle of a word, concerns nobody else."""

    def __init__(self, reading: Reading, limits: Limits, decode: Decode) -> None:
        self._limits = limits
        self._most = wire.most_bytes(reading)
        self._pipe, theirs = socket.socketpair()
        self._process = Context().Process(
            target=_serve, args=(theirs, reading, limits, decode, os.getpid()), name="decoder", daemon=True
        )
        try:
            self._process.start()
        except OSError as error:
            self._pipe.close()
            reason = (error.strerror or str(error)).lower()
            raise LimitExceeded(f"no process could be started to decode it ({reason}); try again") from error
        finally:
            theirs.close()  # so that the pipe ends when the process does
        self.files = 0
        """How many it has decoded."""

    def decode(self, path: Path, start: Ask, patience: Patience) -> Chunk:
        """The chunk of `path` at `start`; after an error of the process itself, `alive` is false.

        Raises:
            DamagedMedia: the process died over it, or gave what is no chunk.
            LimitExceeded: it took too long, and was ended.
            MediaError: what `decode` raised.
        """
        try:
            if not self.files:
                self._start()
            self.files += 1
            deadline = time.monotonic() + patience.seconds
            self._pipe.settimeout(patience.seconds)
            wire.send_request(self._pipe, path, start)
            answer = wire.receive(self._pipe, self._most, deadline)
            return wire.chunk_of(*answer)
        except TimeoutError as error:
            self.end()
            raise LimitExceeded(patience.complaint) from error
        except wire.Garbled as error:
            self.end()
            raise DamagedMedia(f"its decoder was taken over or is broken: it answered {error}") from error
        except (EOFError, OSError) as error:
            self._process.join(END_S)
            code = self._process.exitcode
            self.end()
            if hasattr(signal, "SIGXCPU") and code == -signal.SIGXCPU:
                seconds = self._limits.decode_timeout_s
                raise LimitExceeded(
                    f"decoding took more than {seconds:g} s of the processor; raise `decode_timeout_s` to wait longer"
                ) from error
            raise DamagedMedia(f"it crashed its decoder ({_ending(code)})") from error

    @property
    def alive(self) -> bool:
        """Whether it can take another file: it runs, and says nothing unasked."""
        if self._pipe.fileno() < 0 or not self._process.is_alive():
            return False
        try:
            self._pipe.settimeout(0)
            self._pipe.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def kill(self) -> None:
        """End the process, whatever it does, from any thread; a `decode` under way raises."""
        self._process.kill()

    def end(self) -> None:
        """End the process and what it started, and let go of it; doing so twice is no error."""
        if self._pipe.fileno() < 0:
            return
        self.kill()
        self._process.join()
        if hasattr(os, "killpg") and self._process.pid is not None:
            with suppress(ProcessLookupError, PermissionError):  # most often there is nothing left
                os.killpg(self._process.pid, signal.SIGKILL)
        self._pipe.close()

    def _start(self) -> None:
        try:
            wire.receive(self._pipe, self._most, time.monotonic() + START_S)
        except TimeoutError as error:
            self.end()
            raise LimitExceeded(f"starting a process to decode it took more than {START_S:g} s; try again") from error


def _serve(pipe: socket.socket, reading: Reading, limits: Limits, decode: Decode, parent: int) -> None:
    """In the process: answer each (path, start) with a chunk or an error, until the pipe ends."""
    _prepare(limits, parent)
    wire.send(pipe, {})
    while True:
        try:
            if isinstance(decode, Decoder) and not select.select([pipe], [], [], KEPT_S)[0]:
                decode.close()
            path, start = wire.receive_request(pipe)
        except (EOFError, OSError):
            return
        allow_seconds(limits.decode_timeout_s)
        try:
            wire.send_chunk(pipe, decode(path, reading, limits, start))
        except ConnectionError:
            return
        except Exception as error:  # of a chunk that no message can say, nothing was written yet
            wire.send_error(pipe, error)


def _prepare(limits: Limits, parent: int) -> None:
    """Leave Ctrl-C to the parent, keep native decoders quiet, end when the parent has ended, and give up the rest."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()  # what it starts is ended with it
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):  # the first may be a terminal
        quiet = os.open(os.devnull, mode)
        os.dup2(quiet, descriptor)
        os.close(quiet)
    if sys.platform != "win32":
        from multiprocessing import resource_tracker

        if (told := resource_tracker.getfd()) is not None:
            os.close(told)  # the pipe by which the parent's helper hears what to unlink in the end
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # `Limits.max_pixels` is checked instead
    threading.Thread(target=_watch, args=(parent, limits), daemon=True).start()
    confine(limits)


def _watch(parent: int, limits: Limits) -> None:
    """End this process soon after its parent; where native code lets no other thread run, the alarm does in a while."""
    while os.getppid() == parent:
        if hasattr(signal, "alarm"):
            signal.alarm(int(limits.decode_timeout_s) + 30)
        time.sleep(1)
    os._exit(1)


def _ending(code: int | None) -> str:
    """How a process ended: -11 -> "SIGSEGV", 3 -> "exit code 3", None -> "it closed its pipe"."""
    if code is None:
        return "it closed its pipe"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"
