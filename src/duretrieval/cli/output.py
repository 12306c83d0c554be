"""What programs read: one JSON object a line with `--json`."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from duretrieval.cli.terminal import escaped


def print_json(objects: Iterable[dict[str, Any]]) -> None:
    """One object a line on standard output, valid whatever strings and numbers hold."""
    unicode = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    for thing in objects:
        line = json.dumps(_finite(thing), ensure_ascii=not unicode, default=_plain)
        print(escaped(line, json_form))


def json_form(character: str) -> str:
    """A character as JSON writes what is not to be sent as it is."""
    return json.dumps(character)[1:-1]


def _finite(value: Any) -> Any:
    """JSON has no word for what is not a finite number: None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(held) for key, held in value.items()}
    return [_finite(held) for held in value] if isinstance(value, list | tuple) else value


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no plain form")
