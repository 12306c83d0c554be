"""Values that any store can keep, of whatever files, manifests and programs bring."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.media.folders import gone
from duretrieval.types import Item, Part, Scalar

_INT64 = 2**63
_HALF = re.compile(r"\\ud([89a-f][0-9a-f]{2})")


def name(value: object) -> str:
    r"""As text, with what is not Unicode (a half character, a byte of a file's name) as `\udcff`."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def path(source: str) -> Path:
    """The path that `name` made a source of: the file of that very name where there is one."""
    found = Path(source)
    if "\\ud" in source and gone(found):
        return Path(_HALF.sub(lambda half: chr(int(f"d{half[1]}", 16)), source))
    return found


def fields(brought: Mapping[str, Any]) -> dict[str, Scalar]:
    """Without the values that say nothing: None, and numbers that are not finite."""
    values = ((name(key), _value(value)) for key, value in brought.items())
    return {key: value for key, value in values if value is not None}


def part(brought: Part) -> Part:
    """With its text, and places in its item that are numbers within 64 bits."""
    content = brought.content
    return replace(
        brought,
        content=content.encode("utf-8", "replace").decode("utf-8") if isinstance(content, str) else content,
        file=None if brought.file is None else name(brought.file),
        **{key: _place(getattr(brought, key)) for key in ("start_s", "end_s", "page", "start_char", "end_char")},
    )


def item(brought: Item) -> Item:
    """With everything but its identity made storable."""
    return replace(
        brought,
        parts=tuple(part(piece) for piece in brought.parts),
        fields=fields(brought.fields),
        stamp=name(brought.stamp),
        problem=None if brought.problem is None else name(brought.problem),
    )


def _value(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return name(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _place(value: Any) -> Any:
    return value if value is None or (math.isfinite(value) and abs(value) < _INT64) else None
