"""Paths as short as they can be typed here."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def near(path: str | Path) -> str:
    """A path from the current folder, or from `~`, or whole: whichever is shortest."""
    whole = os.fspath(path)
    if not os.path.isabs(whole):  # noqa: PTH117  (text, not always a path)
        return whole
    ways = [whole]
    with suppress(OSError, ValueError):  # the current folder is gone, or lies on another drive
        ways.append(os.path.relpath(whole))
    with suppress(RuntimeError, ValueError):  # no home, or not in it
        ways.append(os.path.join("~", Path(whole).relative_to(Path.home())))  # noqa: PTH118
    return min(ways, key=len)
