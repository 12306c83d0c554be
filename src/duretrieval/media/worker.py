"""What a decoding process does to itself before its first file."""

from __future__ import annotations

import os
import sys
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def prepare(memory_bytes: int) -> None:
    """Quiet, bounded in memory, and gone when its parent is gone."""
    _silence()
    _bound(memory_bytes)
    threading.Thread(target=_follow_parent, daemon=True).start()
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # `Limits.max_pixels` is checked instead


def _silence() -> None:
    """Native libraries write complaints about damaged files to the terminal: send them nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _bound(memory_bytes: int) -> None:
    """Let memory grow by so many bytes and no more: a decoder that asks for more fails alone. Linux only."""
    if sys.platform != "linux":
        return
    import resource

    with open("/proc/self/statm") as file:  # noqa: PTH123
        now = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = now + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
