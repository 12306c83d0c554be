"""TOML, written: plain values, tables, lists of tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from duretrieval.errors import ConfigError

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def toml(settings: Mapping[str, Any]) -> str:
    """TOML of plain values, then tables, then lists of tables; what lies deeper is written in line.

    >>> print(toml({"dim": 2, "aligners": [{"use": "centre", "options": {"file": "c.safetensors"}}], "reading": {}}))
    dim = 2
    <BLANKLINE>
    [[aligners]]
    use = "centre"
    options = { file = "c.safetensors" }
    <BLANKLINE>
    [reading]
    <BLANKLINE>

    Raises:
        ConfigError: a value that TOML does not have.
    """
    plain = {key: value for key, value in settings.items() if not _is_table(value) and not _is_tables(value)}
    lines = _pairs(plain)
    for key, value in settings.items():
        if _is_table(value):
            lines += ["", f"[{_key(key)}]", *_pairs(value)]
        elif _is_tables(value):
            for entry in value:
                lines += ["", f"[[{_key(key)}]]", *_pairs(entry)]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_inline(key, value)}" for key, value in table.items() if value is not None]


def _inline(key: str, value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_pairs(value)) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(key, entry) for entry in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool | int | float):
        return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")
    raise ConfigError(
        f"{key} is {value!r}, which a model.toml cannot hold; give text, numbers, lists or tables of them"
    )


def _key(key: str) -> str:
    return key if key and _BARE.issuperset(key) else json.dumps(key, ensure_ascii=False)
