"""What a decoding process gives up before it opens its first file, so that a decoder taken over finds little to use."""

from __future__ import annotations

import math
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from duretrieval.media import seccomp
from duretrieval.media.chunk import Ask, Chunk
from duretrieval.media.limits import Limits
from duretrieval.types import Reading, Scalar

OPEN_FILES = 256
_KEPT = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|PYTHON\w+|(LD|DYLD)_\w+|\w+_NUM_THREADS"
)
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG


def confine(limits: Limits) -> str | None:
    """Give up, for good, what this system lets a process give up; the reason where the filter of calls is not among it.

    Everywhere: the variables of the environment that decoders do not read. POSIX: core dumps, files beyond a few
    hundred, writing to a file. Linux: memory beyond `limits.memory_bytes`, outliving the parent, new privileges, and by
    `seccomp` the network, other programs and processes, and any change to files.
    """
    for name in [name for name in os.environ if not _KEPT.fullmatch(name.upper())]:
        del os.environ[name]
    if sys.platform != "win32":
        import resource

        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
        _lower(resource.RLIMIT_FSIZE, 0)
    if sys.platform == "linux":  # elsewhere the limit is not kept, or counts otherwise
        reserved = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _lower(resource.RLIMIT_AS, reserved + limits.memory_bytes)
        import ctypes

        libc: Any = ctypes.CDLL(None)
        libc.prctl(_PARENT_DEATH, signal.SIGKILL, 0, 0, 0)
    return seccomp.enter()


def allow_seconds(seconds: float) -> None:
    """From now on, so many seconds of processor time; then SIGXCPU ends the process, even if nobody waits for it."""
    if sys.platform != "win32":
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        most = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def attempt(path: Path, reading: Reading, limits: Limits, start: Ask) -> Chunk:
    """In the place of `decode`: try what should be impossible; fields: what was tried -> whether it went."""
    import socket

    found: dict[str, Scalar] = {}
    tried: dict[str, Callable[[], object]] = {
        "the network": lambda: socket.socket().close(),
        "starting processes": _fork,
        "running programs": lambda: os.execv(path.with_name("there is no such program"), ["program"]),
        "writing files": lambda: path.with_name(path.name + ".written").open("w").close(),
        "removing files": path.unlink,
    }
    for what, act in tried.items():
        try:
            act()
        except PermissionError:
            found[what] = False
        except FileNotFoundError:
            found[what] = True  # a program was looked for
        else:
            found[what] = True
    return Chunk((), found)


def _lower(what: int, most: int) -> None:
    import resource

    bounded = min(limit for limit in (most, *resource.getrlimit(what)) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(what, (bounded, bounded))


def _fork() -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)
